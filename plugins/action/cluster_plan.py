# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action cluster_plan: what a run is to do, from what is known of its hosts by now."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import deployment, gather, result
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import DEPLOY, PURPOSES


class ActionModule(ActionBase):
    """Gather, call the pure code, return its result."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        """Return the plan of all hosts of the run."""
        answer: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validated, options = self.validate_argument_spec(
            argument_spec={
                "purpose": {"type": "str", "choices": list(PURPOSES), "default": DEPLOY},
            }
        )
        try:
            run = gather.run_input(
                self._templar, variables, options["purpose"], self._task.check_mode
            )
            plan = deployment.plan(run)
        except (EmqxError, OSError) as error:
            raise AnsibleActionFail(str(error)) from error
        answer.update(changed=False, **result.as_result(run, plan))
        return answer
