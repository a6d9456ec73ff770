#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bind_plan
short_description: Plan the DNS zone of a cluster and its name servers
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Makes the records by which EMQX finds the cores of a cluster, reads the host, and compares it
    with the variables of the role P(mqttops.emqx.bind#role), which is its user. Changes nothing.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  hosts:
    description: Inventory hosts of the name servers, the primary first.
    type: list
    elements: str
    required: true
  cluster:
    description: The model as the filter P(mqttops.emqx.topology#filter) returns it.
    type: dict
    default: {nodes: {}}
  zone:
    description: Name of the zone.
    type: str
    required: true
  name:
    description: The name that EMQX asks for.
    type: str
    default: ""
  record_type:
    description: The type that it asks for, V(a), V(aaaa) or V(srv).
    type: str
    default: a
  ttl:
    description: TTL of all records, in seconds.
    type: int
    default: 10
  extra_records:
    description: More records, each with C(name), C(type) and C(value).
    type: list
    elements: dict
    default: []
  only:
    description:
      - V(records) makes the records for a DNS of the user's, V(addresses) lists the addresses of
        the name servers. Neither reads a host.
    type: str
    choices: ["", records, addresses]
    default: ""
"""

EXAMPLES = r"""
- name: Make the records
  mqttops.emqx.bind_plan:
    hosts: []
    cluster: "{{ hostvars | mqttops.emqx.topology(groups.emqx, {'discovery_strategy': 'dns'}) }}"
    zone: mq.example.org
    name: mq.example.org
    only: records
"""

RETURN = r"""
plan:
  description: The arguments of the role's tasks.
  returned: success
  type: dict
findings:
  description: What is wrong, in the form of docs/schema/finding.schema.json.
  returned: unless O(only=addresses)
  type: list
  elements: dict
errors:
  description: A sentence for each error among the findings.
  returned: unless O(only=addresses)
  type: list
  elements: str
"""
