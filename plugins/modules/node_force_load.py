#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError, WaitTimeout
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.module_utils._node.force_load import force_load, look
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for


def run(module: AnsibleModule) -> Json:
    timeout = module.params["timeout"]
    ctl = ctl_of(module.params, module.run_command)
    tables = list(look(ctl, timeout).waiting_for_tables)
    if tables and not module.check_mode:
        force_load(ctl)
        wait_for(
            lambda left: look(ctl, left),
            lambda view: view.state == "ready" or bool(view.node and not view.waiting_for_tables),
            Deadline(timeout),
            2,
        )
    return {"changed": bool(tables), "tables": tables}


def main() -> None:
    module = AnsibleModule(argument_spec=ctl_options(timeout=120), supports_check_mode=True)
    try:
        result = run(module)
    except WaitTimeout as error:
        module.fail_json(
            msg=f"{error.message}: {error.last.reason}", failure={"code": error.code, "details": {}}
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
