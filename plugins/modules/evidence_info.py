#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._host import evidence


def main() -> None:
    module = AnsibleModule(argument_spec=evidence.OPTIONS, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **evidence.read(module.params, module.run_command))
    except OSError as error:
        module.fail_json(msg=f"Reading the host failed: {error}")


if __name__ == "__main__":
    main()
