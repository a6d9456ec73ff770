#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_stale_keys
short_description: Delete what no EMQX node keeps alive in etcd
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - EMQX keeps its key and its lock in etcd on a lease of 5 seconds. Those of a node that is down go
    by themselves, those without a lease never do, such as after a restored backup or by hand.
  - A key of that kind keeps the nodes looking for one that is not there, a lock keeps all of them
    waiting.
  - Deletes the keys of nodes and the locks below the prefix that have no lease, and nothing else.
    One that a node takes up meanwhile stays.
  - It fails where no server can be used, with the cause and the remedy.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
options:
  settings:
    description:
      - The keys of EMQX below C(cluster.etcd), C(server), C(prefix) and C(ssl_options), as the
        filter P(mqttops.emqx.topology#filter) returns them in C(discovery).
    type: dict
    required: true
  timeout:
    description: Seconds after which a server counts as silent.
    type: float
    default: 5
seealso:
  - module: mqttops.emqx.discovery_info
"""

EXAMPLES = r"""
- name: Delete the keys that no node keeps alive
  mqttops.emqx.etcd_stale_keys:
    settings:
      server: https://192.0.2.21:2379,https://192.0.2.22:2379
      prefix: mq
      ssl_options:
        enable: true
        verify: verify_peer
        cacertfile: /etc/mqttops-emqx/mq/etcd-ca.pem
        certfile: /etc/mqttops-emqx/mq/etcd-cert.pem
        keyfile: /etc/mqttops-emqx/mq/etcd-key.pem
"""

RETURN = r"""
keys:
  description: The keys that were deleted, or would be.
  returned: success
  type: list
  elements: str
  sample: [mq/ekkacl/nodes/emqx@192.0.2.19]
"""


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
