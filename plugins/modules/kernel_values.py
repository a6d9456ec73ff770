#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_values
short_description: Set kernel values, and note which of them the kernel did not keep
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Sets kernel values at once. The file that sets them at boot is not made here.
  - A kernel may take a value and keep another one, as it rounds or caps it. This is no error. The
    file gets a comment with the value that was kept, so that it is not set again by the next run.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
options:
  values:
    description:
      - The values to be set, by key.
    type: dict
    required: true
  file:
    description:
      - The file below C(/etc/sysctl.d) that sets them at boot, with lines C(key = value).
      - It gets no comment where it does not exist.
    type: path
    default: /etc/sysctl.d/90-mqttops-emqx.conf
"""

EXAMPLES = r"""
- name: Allow long queues of connections
  mqttops.emqx.kernel_values:
    values:
      net.core.somaxconn: "32768"
"""

RETURN = r"""
live:
  description: The values as the kernel has them now, by key.
  returned: success
  type: dict
  sample: {"net.core.somaxconn": "32768"}
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._host import sysctls
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Options

ARGUMENT_SPEC: Options = {
    "values": {"type": "dict", "required": True},
    "file": {"type": "path", "default": sysctls.FILE},
}


def note(module: AnsibleModule, live: t.Mapping[str, str | None]) -> None:
    """Note in the file what the kernel kept."""
    file = module.params["file"]
    if not os.path.isfile(file):
        return
    with open(file, encoding="utf-8") as stream:
        text = stream.read()
    noted = sysctls.noted(text, live)
    if noted != text:
        candidate = os.path.join(module.tmpdir, "sysctl")
        with open(candidate, "w", encoding="utf-8") as stream:
            stream.write(noted)
        module.atomic_move(candidate, file)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    values = {key: str(value) for key, value in module.params["values"].items()}
    before = sysctls.read(values, module.params["file"])
    pending = {key: text for key, text in values.items() if sysctls.is_pending(before[key], text)}
    after: dict[str, str | None] = {key: state["value"] for key, state in before.items()}
    if module.check_mode:
        after.update(pending)
    else:
        refused = sysctls.write(pending)
        after.update({key: sysctls.value_of(key) for key in pending})
        note(module, {key: after[key] for key in pending if key not in refused})
        if refused:
            reasons = ", ".join(f"{key} = {values[key]} ({why})" for key, why in refused.items())
            module.fail_json(msg=f"The kernel refuses {reasons}.", live=after)
    diff = {
        "before": {key: state["value"] for key, state in before.items() if key in pending},
        "after": {key: after[key] for key in pending},
    }
    module.exit_json(changed=bool(pending), live=after, diff=diff)


if __name__ == "__main__":
    main()
