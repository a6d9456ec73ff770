#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: survey_info
short_description: Read all that a host says of its EMQX node in one step
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Does the work of several modules of this collection at the same time, as a task on a host costs
    more than most of their answers.
  - A part that cannot be read is a result and not a failure, so that the others can be judged.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  host_info:
    description: Options of M(mqttops.emqx.host_info), which is left out without them.
    type: dict
  cluster_info:
    description: Options of M(mqttops.emqx.cluster_info), which is left out without them.
    type: dict
  evidence_info:
    description: Options of M(mqttops.emqx.evidence_info), which is left out without them.
    type: dict
  cluster_probe:
    description: Options of M(mqttops.emqx.cluster_probe) but its O(ignore:state), which is
      V(probed). It is left out without them.
    type: dict
  stand_in:
    description:
      - Once all is read, have a throw-away listener take the free ports of a node that is down and
        whose unit does not start it, as M(mqttops.emqx.cluster_probe) does with
        O(ignore:state=listening). Needs O(cluster_info), O(evidence_info) and O(cluster_probe).
      - A listener of an earlier run ends before anything is read.
      - With C(expected_peers) among the options of O(cluster_probe), the number of hosts that are
        read at the same time, refused connections are tried until the listeners of the others are
        there, for two seconds at most.
    type: bool
    default: false
  speaks_for_others:
    description:
      - Whether the node of this host, V(true), tells what the others say of themselves, as
        O(ignore:others) of M(mqttops.emqx.cluster_info), or those of another one, V(false). Then
        RV(cluster_info) is left out where the node of O(cluster_probe) runs. Without it, each
        node is asked.
      - Needs O(cluster_info), O(evidence_info) and O(cluster_probe).
    type: bool
seealso:
  - module: mqttops.emqx.host_info
  - module: mqttops.emqx.cluster_info
  - module: mqttops.emqx.evidence_info
  - module: mqttops.emqx.cluster_probe
"""

EXAMPLES = r"""
- name: See how a node fares and what there is on its host
  mqttops.emqx.survey_info:
    cluster_info: {}
    evidence_info:
      data_dir: /srv/emqx
  register: seen

- name: Say what keeps it from running
  ansible.builtin.debug:
    msg: "{{ seen.cluster_info.emqx.reason }} {{ seen.evidence_info.evidence.log }}"
"""

RETURN = r"""
host_info:
  description: What M(mqttops.emqx.host_info) returns, or RV(ignore:failed) and RV(ignore:msg).
  returned: with O(host_info)
  type: dict
cluster_info:
  description: What M(mqttops.emqx.cluster_info) returns, or RV(ignore:failed) and RV(ignore:msg).
  returned: with O(cluster_info), and not where the node of another host speaks for it
  type: dict
evidence_info:
  description: What M(mqttops.emqx.evidence_info) returns, or RV(ignore:failed) and RV(ignore:msg).
  returned: with O(evidence_info)
  type: dict
cluster_probe:
  description: What M(mqttops.emqx.cluster_probe) returns, or RV(ignore:failed) and RV(ignore:msg).
  returned: with O(cluster_probe)
  type: dict
stand_in:
  description: What M(mqttops.emqx.cluster_probe) returns of a listener.
  returned: with O(stand_in), where one was started
  type: dict
all_open:
  description: Whether all connections came about and no listener was in the way, so that another
    try is not needed. Where all hosts say so, their listeners have ended, or are about to.
  returned: with O(stand_in) and C(expected_peers) among the options of O(cluster_probe)
  type: bool
"""


from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Options
from ansible_collections.mqttops.emqx.plugins.module_utils._module import survey_info

ARGUMENT_SPEC: Options = {
    "host_info": {"type": "dict"},
    "cluster_info": {"type": "dict"},
    "evidence_info": {"type": "dict"},
    "cluster_probe": {"type": "dict"},
    "stand_in": {"type": "bool", "default": False},
    "speaks_for_others": {"type": "bool"},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_if=[
            (option, value, ("cluster_info", "evidence_info", "cluster_probe"))
            for option, values in (("stand_in", (True,)), ("speaks_for_others", (True, False)))
            for value in values
        ],
        supports_check_mode=True,
    )
    wanted = {
        name: module.params[name] for name in survey_info.READS if module.params[name] is not None
    }
    try:
        answers = survey_info.survey(
            wanted,
            module.params["stand_in"],
            module.params["speaks_for_others"],
            module.run_command,
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(changed=False, **answers)


if __name__ == "__main__":
    main()
