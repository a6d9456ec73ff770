#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_plan
short_description: Make the manifests for the discovery by Kubernetes
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Makes them from the model of the cluster. Asks and changes nothing. The role
    P(mqttops.emqx.kubernetes#role) is its user, whose variables are its options.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  cluster:
    description: The model as the filter P(mqttops.emqx.topology#filter) returns it.
    type: dict
    required: true
  members:
    description: What the endpoints are.
    type: str
    required: true
    choices: [hosts, pods]
  service_account:
    description: Name of the ServiceAccount.
    type: str
    required: true
  token_secret:
    description: Name of the secret for its token, empty for none.
    type: str
    default: ""
  replicas:
    description: Number of pods.
    type: int
    default: 3
  image:
    description: Image of the pods.
    type: str
    default: ""
  cookie_secret:
    description: Name of the secret with the cookie.
    type: str
    default: ""
  storage:
    description: Size of the volume of each pod.
    type: str
    default: ""
  storage_class:
    description: Its storage class.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Make the manifests
  mqttops.emqx.kubernetes_plan:
    cluster: "{{ hostvars | mqttops.emqx.topology(groups.emqx, {'discovery_strategy': 'k8s'}) }}"
    members: hosts
    service_account: emqx
"""

RETURN = r"""
manifests:
  description: The manifests, in the order in which they are to be applied.
  returned: success
  type: list
  elements: dict
errors:
  description: A sentence for each error among the findings.
  returned: success
  type: list
  elements: str
"""
