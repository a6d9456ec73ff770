#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

import os
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils import _zone
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Options

ARGUMENT_SPEC: Options = {
    "path": {"type": "path", "required": True},
    "zone": {"type": "str", "required": True},
    "records": {"type": "list", "elements": "dict", "required": True},
    "ttl": {"type": "int", "default": 10},
}


def read(path: str) -> str:
    """Return the text of the file, "" where there is none."""
    if not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


def check(module: AnsibleModule, path: str) -> None:
    """Fail with what named-checkzone says of a file; where it is not there yet, in check mode."""
    command = module.get_bin_path(
        "named-checkzone", required=not module.check_mode, opt_dirs=["/usr/sbin"]
    )
    if not command:
        return
    rc, stdout, stderr = module.run_command([command, module.params["zone"], path])
    if rc:
        module.fail_json(msg=f"named-checkzone refuses the zone: {(stdout + stderr).strip()}")


def put(module: AnsibleModule, text: str) -> None:
    """Replace the file once it is accepted."""
    candidate = os.path.join(module.tmpdir, "zone")
    with open(candidate, "w", encoding="utf-8") as stream:
        stream.write(text)
    check(module, candidate)
    if not module.check_mode:
        module.atomic_move(candidate, module.params["path"])


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC, add_file_common_args=True, supports_check_mode=True
    )
    params = module.params
    current = read(params["path"])
    text, serial = _zone.settle(
        current, params["zone"], params["records"], params["ttl"], int(time.time())
    )
    changed = text != current
    if changed:
        put(module, text)
    if os.path.exists(params["path"]):
        changed = module.set_fs_attributes_if_different(
            module.load_file_common_arguments(params), changed
        )
    diff = {
        "before_header": params["path"],
        "before": current,
        "after_header": params["path"],
        "after": text,
    }
    module.exit_json(changed=changed, serial=serial, diff=diff)


if __name__ == "__main__":
    main()
