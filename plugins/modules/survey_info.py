#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Options
from ansible_collections.mqttops.emqx.plugins.module_utils._module import survey_info

ARGUMENT_SPEC: Options = {
    "host_info": {"type": "dict"},
    "cluster_info": {"type": "dict"},
    "evidence_info": {"type": "dict"},
    "cluster_probe": {"type": "dict"},
    "stand_in": {"type": "bool", "default": False},
    "speaks_for_others": {"type": "bool"},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_if=[
            (option, value, ("cluster_info", "evidence_info", "cluster_probe"))
            for option, values in (("stand_in", (True,)), ("speaks_for_others", (True, False)))
            for value in values
        ],
        supports_check_mode=True,
    )
    wanted = {
        name: module.params[name] for name in survey_info.READS if module.params[name] is not None
    }
    try:
        answers = survey_info.survey(
            wanted,
            module.params["stand_in"],
            module.params["speaks_for_others"],
            module.run_command,
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(changed=False, **answers)


if __name__ == "__main__":
    main()
