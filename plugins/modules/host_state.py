#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_state
short_description: Read the settings of a host, and what is on it
version_added: 0.2.0
author:
  - mqttops contributors (@mqttops)
description:
  - Fills in the templates of all variables C(emqx_*) of the host, works out what is to be read,
    and reads it in one step.
  - A host out of reach is a result that says so, and no failure.
  - The result holds secrets. Use C(no_log) with it.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  parts:
    description:
      - What is read besides the variables.
      - V(host) is what M(mqttops.emqx.host_info) reads, V(view) is how the node sees its
        cluster, V(evidence) is what tells why a node
        does not run, and V(links) are the connections to all nodes. V(upgrade) adds to V(host)
        what an upgrade has to know.
      - V(evidence) and V(links) need a plan of M(mqttops.emqx.cluster_plan).
    type: list
    elements: str
    choices: [host, view, evidence, links, upgrade]
    default: []
  before_deployment:
    description: >-
      Whether throw-away listeners take the ports of nodes that are down, so that links to them
      can be tried.
    type: bool
    default: false
seealso:
  - module: mqttops.emqx.cluster_plan
"""

EXAMPLES = r"""
- name: Read the host
  mqttops.emqx.host_state:
    parts: [host]
  register: __emqx_state
  no_log: true
"""

RETURN = r"""
variables:
  description: The variables C(emqx_*) of the host, all templates filled in.
  returned: always
  type: dict
management:
  description: C(ansible_host), else the name of the host in the inventory.
  returned: always
  type: str
findings:
  description: Variables whose templates cannot be filled in.
  returned: always
  type: list
  elements: dict
host:
  description: What M(mqttops.emqx.host_info) returned, or RV(ignore:unreachable) with the reason.
  returned: with V(host) among O(parts)
  type: dict
survey:
  description: The answers of the modules that read, by their names.
  returned: with O(parts)
  type: dict
"""
