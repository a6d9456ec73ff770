#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError, WaitTimeout
from ansible_collections.mqttops.emqx.plugins.module_utils._module.node_evacuation import (
    check_input,
    run,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options


def main() -> None:
    options = {
        **ctl_options(timeout=600),
        "state": {"type": "str", "choices": ["evacuated", "serving"], "required": True},
        "rate": {"type": "int", "default": 500},
        "wait_health_check": {"type": "int", "default": 1},
        "wait_takeover": {"type": "int", "default": 10},
        "redirect_to": {"type": "list", "elements": "str", "default": []},
        "may_be_down": {"type": "bool", "default": False},
        "interval": {"type": "int", "default": 2},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        check_input(module.params)
        ctl = ctl_of(module.params, module.run_command)
        result = run(ctl, module.params, module.check_mode)
    except WaitTimeout as error:
        reason = error.last.sentence
        module.fail_json(
            msg=f"{error.message}: {reason}",
            changed=error.details["changed"],
            reason=reason,
            failure={"code": error.code},
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
