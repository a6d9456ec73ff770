#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_save
version_added: 0.2.0
short_description: Save the directories of an EMQX node on its host, and put them back
description:
  - Copies the directories of a node that is stopped to a place that only root can read, with owners
    and modes, or puts such a copy back.
  - A place holds one copy. The next one takes its place once it is whole.
  - What is in a directory when a copy is put back is kept in it, below C(.mqttops-aside), until a
    copy is put back there again.
  - No link below the directories is followed.
author:
  - mqttops contributors (@mqttops)
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
attributes:
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run copies.
options:
  state:
    description:
      - V(saved) copies the directories to the place.
      - V(restored) puts them back from there, and fails where there is no whole copy.
    type: str
    choices: [saved, restored]
    default: saved
  path:
    description: The place, a directory. What is above it has to be root's.
    type: path
    required: true
  trees:
    description: The directories.
    type: list
    elements: path
    required: true
  version:
    description: The version of EMQX that the node runs, noted with the copy.
    type: str
    default: ""
  package:
    description: The package that brings this version, noted with the copy.
    type: str
    default: ""
seealso:
  - module: mqttops.emqx.host_info
"""

EXAMPLES = r"""
- name: Save what the node has
  mqttops.emqx.node_save:
    path: /var/lib/mqttops-emqx/upgrade/emqx
    trees: [/etc/emqx, /var/lib/emqx]
    version: 5.8.8

- name: Put it back
  mqttops.emqx.node_save:
    state: restored
    path: /var/lib/mqttops-emqx/upgrade/emqx
    trees: [/etc/emqx, /var/lib/emqx]
"""

RETURN = r"""
version:
  description: The version of EMQX that the copy is of.
  returned: success
  type: str
  sample: 5.8.8
aside:
  description: Where that is kept which was there before.
  returned: success
  type: list
  elements: str
  sample: [/etc/emqx/.mqttops-aside, /var/lib/emqx/.mqttops-aside]
"""

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
