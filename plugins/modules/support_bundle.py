#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

import os
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._host import bundle
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Options

ARGUMENT_SPEC: Options = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "required": True},
    "evidence": {"type": "dict", "required": True},
    "files": {"type": "dict", "default": {}},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    label = f"{params['name']}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    path = params["path"]
    if not path.endswith(".tar.gz"):
        path = os.path.join(path, f"emqx-support-{label}.tar.gz")
    texts = bundle.texts(params["evidence"], params["files"], params["secrets"])
    try:
        if not module.check_mode:
            bundle.write(path, f"emqx-support-{label}", texts)
    except OSError as error:
        module.fail_json(msg=f"Writing the support bundle failed: {error}")
    module.exit_json(changed=True, path=path, names=sorted(texts))


if __name__ == "__main__":
    main()
