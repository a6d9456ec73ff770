# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action cluster_verdict: what preflight, doctor and status say of a cluster."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import gather, verdicts


class ActionModule(ActionBase):
    """Gather, call the pure code, return its result."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        """Return ``passed``, ``text`` (lines), ``data`` (for programs) and ``page`` (HTML)."""
        answer: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validated, options = self.validate_argument_spec(
            argument_spec={
                "about": {"type": "str", "choices": list(verdicts.ABOUT), "required": True},
            }
        )
        try:
            run = gather.run_input(
                self._templar, variables, verdicts.PURPOSE, self._task.check_mode
            )
            found = verdicts.ABOUT[options["about"]](run)
        except (EmqxError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        answer.update(changed=False, **found)
        return answer
