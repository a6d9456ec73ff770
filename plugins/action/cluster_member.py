# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action cluster_member: the module of this name, which says what takes so long.

It is not cut into slices, as a join that has begun has to come to its end.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import waits

_TIMEOUT = 120


def what(args: Record) -> str:
    """Return in words what the module does."""
    if args.get("state") == "left":
        return "the node leaves its cluster"
    if args.get("state") == "evicted":
        return f"{args.get('node')} is removed from the cluster"
    return f"the node joins {args.get('seed')}"


class ActionModule(ActionBase):
    """Run the module, and say meanwhile what it does."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        """Return the result of the module."""
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        host = str(variables["inventory_hostname"])
        args = self._task.args
        answer: Json = waits.aloud(
            lambda: self._execute_module(task_vars=variables),
            int(args.get("timeout", _TIMEOUT)),
            lambda text: Display().display(f"waiting: [{host}]: {what(args)} {text}"),
        )
        result.update(answer)
        return result
