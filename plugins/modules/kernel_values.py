#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._host import sysctl_changes, sysctls
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
    noted = sysctl_changes.noted(text, live)
    if noted != text:
        candidate = os.path.join(module.tmpdir, "sysctl")
        with open(candidate, "w", encoding="utf-8") as stream:
            stream.write(noted)
        module.atomic_move(candidate, file)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    values = {key: str(value) for key, value in module.params["values"].items()}
    before = sysctls.read(values, module.params["file"])
    pending = {
        key: text for key, text in values.items() if sysctl_changes.is_pending(before[key], text)
    }
    after: dict[str, str | None] = {key: state["value"] for key, state in before.items()}
    if module.check_mode:
        after.update(pending)
    else:
        refused = sysctl_changes.write(pending)
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
