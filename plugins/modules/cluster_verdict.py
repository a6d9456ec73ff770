#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_verdict
short_description: Judge what was gathered of a cluster
version_added: 0.2.0
author:
  - mqttops contributors (@mqttops)
description:
  - Says, from what tasks registered of all hosts of the play, how a cluster is and what is
    wrong with it. Asks no host.
  - Meant for C(run_once), after M(mqttops.emqx.host_state).
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  about:
    description: >-
      Whether the cluster can form (V(preflight)), what is wrong with it (V(doctor)), how it is
      (V(status)), which node the others may
      join (V(seed)), or whether nodes may start with what their service of discovery says
      (V(before_start)).
    type: str
    choices: [preflight, doctor, status, seed, before_start]
    required: true
seealso:
  - module: mqttops.emqx.host_state
  - module: mqttops.emqx.cluster_plan
"""

EXAMPLES = r"""
- name: Say how the cluster is
  mqttops.emqx.cluster_verdict:
    about: status
  register: __emqx_verdict
  run_once: true
"""

RETURN = r"""
passed:
  description: Whether no finding is an error.
  returned: always
  type: bool
text:
  description: What is said, in lines for people.
  returned: always
  type: list
  elements: str
data:
  description: The same for programs, as the schemas in docs/schema describe it.
  returned: always
  type: dict
page:
  description: The same as an HTML page, empty where there is none.
  returned: always
  type: str
"""
