#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_archive
short_description: Put a backup of an EMQX cluster together on the control node, or open one
version_added: 0.2.0
author:
  - mqttops contributors (@mqttops)
description:
  - A backup is one file, a tar archive that the role P(mqttops.emqx.lifecycle#role) makes of what
    it fetched from hosts, with a manifest that has the SHA-256 of each file. Its mode is 0600.
  - Opening one checks all of it, and says what speaks against bringing it back. Nothing is changed.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  idempotent:
    support: none
options:
  state:
    description:
      - V(made) writes a backup to the folder O(path), V(opened) reads the one at O(path), or the
        newest of the cluster where that is a folder.
    type: str
    choices: [made, opened]
    default: made
  path:
    description: A folder of the control node, made where it is missing, or a backup.
    type: path
    required: true
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  staging:
    description:
      - A folder of the control node that is nobody else's. It has C(data.tar.gz), the export, and
        C(HOST.tar) for each of O(nodes), or gets C(data.tar.gz).
    type: path
    required: true
  vault_password_file:
    description: The file with the password by which the backup is encrypted, as Ansible Vault does.
    type: path
    default: ""
  exported:
    description: What the module M(mqttops.emqx.node_data) returned of the export.
    type: dict
    default: {}
  nodes:
    description: The hosts whose files are in O(staging).
    type: list
    elements: str
    default: []
  secrets:
    description: Files of the control node that go into the backup, where they are there.
    type: list
    elements: path
    default: []
  keep:
    description: How many backups of the cluster stay in the folder, the newest. V(0) keeps all.
    type: int
    default: 0
  version:
    description: The version of EMQX of the cluster to bring it back to.
    type: str
    default: ""
  edition:
    description: Its edition.
    type: str
    default: ""
  held:
    description: What that cluster holds, in words.
    type: list
    elements: str
    default: []
  overwrite:
    description: Consent to replace what that cluster holds.
    type: bool
    default: false
seealso:
  - module: mqttops.emqx.node_data
"""

EXAMPLES = r"""
- name: Open the newest backup
  mqttops.emqx.backup_archive:
    state: opened
    path: /srv/backups
    cluster: emqxcl
    staging: /run/restore
    version: 5.8.9
    edition: opensource
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: The backup.
  returned: success
  type: str
removed:
  description: Names of the backups that were deleted, as enough newer ones are there.
  returned: made
  type: list
  elements: str
holds:
  description: How many records it has, by kind.
  returned: success
  type: dict
  sample: {"dashboard_users": 2, "retained_messages": 17}
roots:
  description: The root keys of cluster.hocon in it.
  returned: opened
  type: list
  elements: str
made:
  description: When it was made.
  returned: opened
  type: str
  sample: 20261201T060000Z
errors:
  description: A sentence for each finding that speaks against bringing it back.
  returned: opened
  type: list
  elements: str
"""
