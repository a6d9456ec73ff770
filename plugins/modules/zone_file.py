#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zone_file
short_description: Write the file of a DNS zone, with a serial that grows when a record changes
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - The serial stays while nothing else changes, and always increases when something does.
  - The file is put in place only after C(named-checkzone) accepted it.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
  - ansible.builtin.files
options:
  path:
    description: Path of the file.
    type: path
    required: true
  zone:
    description: Name of the zone.
    type: str
    required: true
  records:
    description:
      - Its records but for the SOA, each with C(name) (absolute), C(type) and C(value). The first
        NS record names the primary.
    type: list
    elements: dict
    required: true
  ttl:
    description: TTL of all records, in seconds, also of answers that there is none.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Write the zone
  mqttops.emqx.zone_file:
    path: /var/lib/bind/mq.example.org.zone
    zone: mq.example.org
    records:
      - { name: mq.example.org., type: NS, value: ns1.mq.example.org. }
      - { name: ns1.mq.example.org., type: A, value: 192.0.2.53 }
      - { name: mq.example.org., type: A, value: 192.0.2.11 }
    owner: root
    group: bind
    mode: "0640"
"""

RETURN = r"""
serial:
  description: The serial of the zone.
  returned: success
  type: int
  sample: 1795000000
"""

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
