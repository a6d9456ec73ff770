#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_plan
short_description: Plan what a host gets to be a member of an etcd
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Reads the host and compares it with the variables of the role P(mqttops.emqx.etcd#role), which
    is its user. Changes nothing.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  hosts:
    description: Inventory hosts of the members.
    type: list
    elements: str
    required: true
  archive:
    description: As the role's C(etcd_archive).
    type: str
    default: ""
  archive_sha256:
    description: As the role's C(etcd_archive_sha256).
    type: str
    default: ""
  data_dir:
    description: Where the member keeps its data.
    type: path
    required: true
  ca_dir:
    description: Directory of the CA on the control node.
    type: path
    required: true
  ca_days:
    description: Days that its certificate is valid.
    type: int
    required: true
  days:
    description: Days that the other certificates are valid.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Plan the members of the etcd
  mqttops.emqx.etcd_plan:
    hosts: [etcd1, etcd2, etcd3]
    data_dir: /var/lib/etcd/mqttops-emqx
    ca_dir: /srv/etcd-ca
    ca_days: 3650
    days: 825
"""

RETURN = r"""
plan:
  description: The arguments of the role's tasks, and in C(findings) what is wrong.
  returned: success
  type: dict
errors:
  description: A sentence for each error among the findings.
  returned: success
  type: list
  elements: str
"""
