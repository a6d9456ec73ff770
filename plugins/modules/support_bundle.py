#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: support_bundle
short_description: Pack what was gathered of a cluster into one archive, without secrets
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Made for the control node. The archive has the mode 0600.
  - What M(mqttops.emqx.evidence_info) returns holds no secret of its host any more; here all is
    searched again, for the secrets given and for what looks like one.
extends_documentation_fragment:
  - mqttops.emqx._attributes
options:
  path:
    description: The archive, ending in C(.tar.gz), or the folder that gets it with a name and
      time of its own.
    type: path
    required: true
  name:
    description: Name of the cluster.
    type: str
    required: true
  evidence:
    description: By inventory host, the answers of the modules by any name; C(found) is that of
      M(mqttops.emqx.evidence_info).
    type: dict
    required: true
  files:
    description: Further texts by name.
    type: dict
    default: {}
  secrets:
    description: What must not be in it.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    details:
      - Writes nothing then.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run writes what is there now.
seealso:
  - module: mqttops.emqx.evidence_info
"""

EXAMPLES = r"""
- name: Pack what was gathered
  mqttops.emqx.support_bundle:
    path: /tmp
    name: emqxcl
    evidence: {n1: {found: "{{ n1_found }}"}}
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: The archive.
  returned: success
  type: str
names:
  description: What is in it.
  returned: success
  type: list
  elements: str
"""

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
