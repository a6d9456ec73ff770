# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action cluster_wait, and what cluster_gate and node_evacuation take of it: a wait with words."""

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import waits


class ActionModule(ActionBase):
    """Run the module of the task in slices, and say between them what it waits for."""

    _supports_check_mode = True

    # As the modules have it; each documents its own.
    default_timeout = 120

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        """Return the result of the module."""
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        host = str(variables["inventory_hostname"])

        def ask(seconds: int) -> Json:
            answer: Json = self._execute_module(
                module_args={**self._task.args, "timeout": seconds}, task_vars=variables
            )
            return answer

        def say(text: str) -> None:
            Display().display(f"waiting: [{host}]: {text}")

        given = self._task.args.get("timeout", self.default_timeout)
        result.update(waits.wait(ask, int(given), say, time.monotonic))
        return result
