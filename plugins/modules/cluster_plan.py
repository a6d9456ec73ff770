#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_plan
short_description: Plan what a run does to a cluster
version_added: 0.2.0
author:
  - mqttops contributors (@mqttops)
description:
  - Works out, from what tasks registered of all hosts of the play, the model of the cluster,
    what each host is to get, what is wrong,
    and in which order nodes start and restart. Asks no host.
  - Meant for C(run_once), after M(mqttops.emqx.host_state). The result holds secrets. Use
    C(no_log) with it.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  purpose:
    description: What the run is for.
    type: str
    choices: [deploy, inspect, add, remove, replace, rename, rotate]
    default: deploy
seealso:
  - module: mqttops.emqx.host_state
"""

EXAMPLES = r"""
- name: Plan
  mqttops.emqx.cluster_plan:
  register: __emqx_plan
  run_once: true
  no_log: true
"""

RETURN = r"""
passed:
  description: Whether nothing is in the way.
  returned: always
  type: bool
text:
  description: The plan in lines for people.
  returned: always
  type: list
  elements: str
data:
  description: >-
    The plan for programs, without secrets, as docs/schema/plan.schema.json describes it.
  returned: always
  type: dict
"""
