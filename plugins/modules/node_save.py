#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._module import node_save


def main() -> None:
    module = AnsibleModule(argument_spec=node_save.OPTIONS, supports_check_mode=True)
    try:
        module.exit_json(**node_save.run(module.params, module.check_mode))
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    except OSError as error:
        module.fail_json(msg=f"Copying the directories of the node failed: {error}")


if __name__ == "__main__":
    main()
