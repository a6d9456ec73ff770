#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_gate
version_added: 0.2.0
short_description: Wait until an EMQX cluster is whole, before and after one of its nodes goes down
description:
  - Waits until the node of this host is ready and all O(members) run, are ready, see one another
    and have their tables, the configuration is in sync on all of them, no new alarm is active,
    and enough clients are connected.
  - One call of the command line tells all of it.
  - A time-out fails, and says all that was missing at the last look. While it waits, it says
    every few seconds what for.
author:
  - mqttops contributors (@mqttops)
extends_documentation_fragment:
  - mqttops.emqx._ctl
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
  - mqttops.emqx._attributes.actiongroup_cluster
attributes:
  check_mode:
    details:
      - This action does not modify state. In check mode it looks once, reports what it sees and
        never fails because something is not there yet.
options:
  members:
    description: Names of the nodes that have to run and to see one another.
    type: list
    elements: str
    required: true
  clients_before:
    description: How many clients the cluster had before, as this module returned it.
    type: int
    default: 0
  clients_share:
    description: How many of them have to be there now, in percent.
    type: int
    default: 0
  alarms:
    description:
      - The alarms that were active before, as this module returned them. All others are new.
      - Without it, no alarm keeps the gate closed.
    type: list
    elements: str
  version:
    description: The version of EMQX that this node has to run. Empty for any.
    type: str
    default: ""
  timeout:
    description: How long to wait, in seconds.
    type: int
    default: 300
  interval:
    description: Pause between two looks, in seconds.
    type: int
    default: 2
seealso:
  - module: mqttops.emqx.cluster_wait
  - module: mqttops.emqx.node_evacuation
"""

EXAMPLES = r"""
- name: See that the cluster is whole, and what it carries
  mqttops.emqx.cluster_gate:
    members: [emqx@10.0.0.1, emqx@10.0.0.2, emqx@10.0.0.3]
  register: before

- name: Wait until it is whole again, with nine of ten clients
  mqttops.emqx.cluster_gate:
    members: [emqx@10.0.0.1, emqx@10.0.0.2, emqx@10.0.0.3]
    clients_before: "{{ before.clients }}"
    clients_share: 90
    alarms: "{{ before.alarms }}"
"""

RETURN = r"""
reached:
  description: Whether the cluster is whole. V(false) only in check mode.
  returned: success
  type: bool
reason:
  description: What is missing, or that nothing is.
  returned: always
  type: str
  sample: emqx@10.0.0.2 is not ready
clients:
  description: How many clients are connected to all members together.
  returned: always
  type: int
alarms:
  description: The active alarms of all members, but for those that tell of one client.
  returned: always
  type: list
  elements: str
  sample: [emqx@10.0.0.1 high_cpu_usage]
"""


from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    EmqxError,
    InputError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import node_atom
from ansible_collections.mqttops.emqx.plugins.module_utils._node.gate import Whole, least, look
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for


def whole_of(params: Record) -> Whole:
    for name in params["members"]:
        node_atom(name)
    if params["interval"] < 1:
        raise InputError(f"interval is {params['interval']}: expected at least 1 second")
    alarms = None if params["alarms"] is None else frozenset(params["alarms"])
    clients = least(params["clients_before"], params["clients_share"])
    return Whole(tuple(params["members"]), clients, alarms, params["version"])


def run(module: AnsibleModule) -> Json:
    params = module.params
    whole, ctl = whole_of(params), ctl_of(params, module.run_command)
    if module.check_mode:
        return look(ctl, whole, params["timeout"]).as_dict()
    return wait_for(
        lambda left: look(ctl, whole, left),
        lambda glance: not glance.missing,
        Deadline(params["timeout"]),
        params["interval"],
    ).as_dict()


def main() -> None:
    options = {
        **ctl_options(timeout=300),
        "members": {"type": "list", "elements": "str", "required": True},
        "clients_before": {"type": "int", "default": 0},
        "clients_share": {"type": "int", "default": 0},
        "alarms": {"type": "list", "elements": "str"},
        "version": {"type": "str", "default": ""},
        "interval": {"type": "int", "default": 2},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        result = run(module)
    except WaitTimeout as error:
        last = error.last.as_dict()
        module.fail_json(
            msg=f"{error.message}: {last['reason']}", failure={"code": error.code}, **last
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
