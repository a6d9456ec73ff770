#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.module_utils._node.data_archive import export, import_
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options


def run(module: AnsibleModule) -> Json:
    given = module.params
    ctl = ctl_of(given, module.run_command)
    if module.check_mode:
        return {"changed": True}
    if given["state"] == "exported":
        made = export(ctl, given["data_dir"], given["path"], given["timeout"])
        return {"changed": True, **made}
    folders = given["data_dir"], given["node_data_dir"] or given["data_dir"]
    wanted = {kind: int(count) for kind, count in given["holds"].items()}
    held = import_(ctl, given["path"], folders, wanted, given["roots"], given["timeout"])
    return {"changed": True, **held}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ctl_options(timeout=600),
            "state": {"choices": ["exported", "imported"], "default": "exported"},
            "path": {"type": "path", "required": True},
            "data_dir": {"type": "path", "required": True},
            "node_data_dir": {"type": "str", "default": ""},
            "holds": {"type": "dict", "default": {}},
            "roots": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    except OSError as error:
        module.fail_json(msg=f"The archive of the node's data could not be handled: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
