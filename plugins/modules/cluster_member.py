#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_member
version_added: 0.1.0
short_description: Join, leave and force-leave of EMQX clusters
description:
  - Makes the node of this host a member of a cluster, takes it out again, or removes another node
    that is gone.
  - Decides and verifies by what the nodes on both ends see, never by exit codes or success texts
    of the command line, which report success for many failures.
  - A join deletes the data of the node that joins. It is therefore refused for a node that holds
    any, or that is in another cluster.
  - Many nodes may join one seed in one task, whatever the number of forks. EMQX runs the joins to
    one node one after the other.
author:
  - mqttops contributors (@mqttops)
extends_documentation_fragment:
  - mqttops.emqx._ctl
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
  - mqttops.emqx._attributes.actiongroup_cluster
attributes:
  check_mode:
    details:
      - A node that does not answer cannot be asked about its membership. Where EMQX is installed
        the prediction is then no change, with a warning.
options:
  state:
    description:
      - With V(joined), the node of this host is a member of the cluster of O(seed). Run it on the
        node that joins. On the seed itself it changes nothing.
      - With V(left), the node of this host is alone. Run it on the node that leaves.
      - With V(evicted), the cluster does not list O(node) (force-leave). Run it on a surviving
        member.
    type: str
    choices: [joined, left, evicted]
    default: joined
  seed:
    description:
      - Name of a running core of the cluster to join. Let all nodes join the same seed.
      - Required for O(state=joined).
    type: str
  node:
    description:
      - Name of the node to remove.
      - Required for O(state=evicted).
    type: str
  allow_data_loss:
    description:
      - Join although this deletes users, API keys, rules, retained messages or other data of this
        node.
    type: bool
    default: false
  force:
    description:
      - Evict a node although it is running. It loses its data and goes on alone.
    type: bool
    default: false
  timeout:
    description:
      - How long the module may take in all, in seconds. It waits for nodes that are booting or do
        not answer yet.
      - A join waits for the joins of other nodes to the same seed, a few seconds each.
    type: int
    default: 120
seealso:
  - module: mqttops.emqx.cluster_info
  - module: mqttops.emqx.cluster_wait
"""

EXAMPLES = r"""
- name: All nodes form one cluster
  mqttops.emqx.cluster_member:
    seed: emqx@10.0.0.1

- name: Take this node out
  mqttops.emqx.cluster_member:
    state: left

- name: Remove a node that is gone for good
  mqttops.emqx.cluster_member:
    state: evicted
    node: emqx@10.0.0.3
"""

RETURN = r"""
action:
  description: What was done, or would be in check mode. One of V(none), V(join), V(leave) and
    V(evict).
  returned: success
  type: str
  sample: join
msg:
  description: Why it was done, or was not needed.
  returned: always
  type: str
  sample: this node is alone and emqx@10.0.0.1 is ready
members:
  description: Member lists before and after, as this node sees them.
  returned: success
  type: dict
  contains:
    before:
      description: C(running_nodes) and C(stopped_nodes) before.
      type: dict
    after:
      description: C(running_nodes) and C(stopped_nodes) after.
      type: dict
failure:
  description: The reason for programs, in C(code) and C(details).
  returned: failure
  type: dict
  sample: {code: refused, details: {seen: {running_nodes: [emqx@10.0.0.2], stopped_nodes: []}}}
"""


from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import node_atom
from ansible_collections.mqttops.emqx.plugins.module_utils._node.membership import (
    Desired,
    Outcome,
    foresee,
    fulfil,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline


def desired_of(params: Record) -> Desired:
    if params["state"] == "left":
        return Desired("left")
    joined = params["state"] == "joined"
    target = params["seed"] if joined else params["node"]
    node_atom(target)
    return Desired(params["state"], target, params["allow_data_loss" if joined else "force"])


def run(module: AnsibleModule) -> Outcome:
    ctl = ctl_of(module.params, module.run_command)
    desired, timeout = desired_of(module.params), module.params["timeout"]
    if module.check_mode:
        return foresee(ctl, desired, timeout)
    return fulfil(ctl, desired, Deadline(timeout))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ctl_options(timeout=120),
            "state": {"choices": ["joined", "left", "evicted"], "default": "joined"},
            "seed": {},
            "node": {},
            "allow_data_loss": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
        },
        required_if=[("state", "joined", ["seed"]), ("state", "evicted", ["node"])],
        supports_check_mode=True,
    )
    try:
        outcome = run(module)
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(
        changed=outcome.action != "none",
        action=outcome.action,
        msg=outcome.reason,
        members={"before": outcome.before, "after": outcome.after},
        diff={"before": outcome.before, "after": outcome.after},
    )


if __name__ == "__main__":
    main()
