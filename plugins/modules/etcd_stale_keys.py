#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import etcd
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Options

ARGUMENT_SPEC: Options = {
    "settings": {"type": "dict", "required": True},
    "timeout": {"type": "float", "default": 5},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    settings, timeout = module.params["settings"], module.params["timeout"]
    try:
        keys = etcd.stale_keys(settings, timeout)
        if keys and not module.check_mode:
            etcd.delete_stale(settings, keys, timeout)
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    before = "".join(f"{key}\n" for key in keys)
    diff = {"before_header": "stale keys", "before": before, "after": ""}
    module.exit_json(changed=bool(keys), keys=keys, diff=diff)


if __name__ == "__main__":
    main()
