#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_wait
version_added: 0.1.0
short_description: Wait until an EMQX node is ready and its cluster complete
description:
  - Waits until the node of this host is ready, and with O(members) also until it sees exactly
    these members.
  - Asks the command line once when that is so already.
  - A time-out fails and returns the last view with the likely cause. A node that waits in vain, for
    tables of which nothing starts the holders now, fails after half a minute.
  - While it waits, it says every few seconds what for.
  - After an outage of all nodes, start all cores at once and wait on all of them afterwards. A
    core that was not the last one to stop gets ready only when the others are up.
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
    description:
      - Names of the nodes the cluster shall have, no more and no less, as seen from this host.
      - Without it, only this node is waited for.
    type: list
    elements: str
    default: []
  may_be_stopped:
    description:
      - Those of O(members) that need not run, but have to be members. It makes no difference
        without O(members).
    type: list
    elements: str
    default: []
  others:
    description:
      - Whether there may be more members than O(members), running or stopped, as where nodes join
        or leave at the same time.
    type: bool
    default: false
  starting:
    description:
      - Names of the members that run, or that this play starts. A node that waits for tables of
        others alone waits in vain.
      - By default O(members) without O(may_be_stopped). With neither, no wait is in vain.
    type: list
    elements: str
    default: []
  timeout:
    description: How long to wait, in seconds.
    type: int
    default: 120
  interval:
    description: Pause between two looks, in seconds.
    type: int
    default: 2
seealso:
  - module: mqttops.emqx.cluster_info
  - module: mqttops.emqx.cluster_member
"""

EXAMPLES = r"""
- name: Wait until the node is ready
  mqttops.emqx.cluster_wait:

- name: Wait until all three are in the cluster
  mqttops.emqx.cluster_wait:
    members:
      - emqx@10.0.0.1
      - emqx@10.0.0.2
      - emqx@10.0.0.3
    timeout: 300
"""

RETURN = r"""
reached:
  description: Whether the desired state was seen. V(false) only in check mode.
  returned: success
  type: bool
reason:
  description: What was seen, or what is still missing and why.
  returned: success
  type: str
  sample: emqx@10.0.0.3 missing (not started, not joined, or joining)
hopeless:
  description: Why the node waits in vain, empty where it may not.
  returned: on a time-out
  type: str
emqx:
  description: The last view, as M(mqttops.emqx.cluster_info) returns it.
  returned: success, and on a time-out if the node could be asked
  type: dict
"""


from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    EmqxError,
    InputError,
    RefusedError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.describe import describe
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import node_atom
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for
from ansible_collections.mqttops.emqx.plugins.module_utils._node.waiting import (
    Seen,
    look,
)


def check_input(params: Record) -> None:
    if params["interval"] < 1:
        raise InputError(f"interval is {params['interval']}: expected at least 1 second")
    for name in [*params["members"], *params["may_be_stopped"], *params["starting"]]:
        node_atom(name)


def result_of(seen: Seen) -> Json:
    result = {"reached": seen.decision.do == "nothing", "reason": seen.decision.reason}
    return result if seen.view is None else {**result, "emqx": describe(seen.view)}


def run(module: AnsibleModule) -> Json:
    params = module.params
    check_input(params)
    ctl = ctl_of(params, module.run_command)
    if module.check_mode:
        return result_of(look(ctl, params, params["timeout"]))
    seen = wait_for(
        lambda left: look(ctl, params, left),
        lambda seen: seen.decision.do != "wait",
        Deadline(params["timeout"]),
        params["interval"],
    )
    if seen.decision.do == "refuse":
        raise RefusedError(seen.decision.reason)
    return result_of(seen)


def main() -> None:
    options = {
        **ctl_options(timeout=120),
        "members": {"type": "list", "elements": "str", "default": []},
        "may_be_stopped": {"type": "list", "elements": "str", "default": []},
        "others": {"type": "bool", "default": False},
        "starting": {"type": "list", "elements": "str", "default": []},
        "interval": {"type": "int", "default": 2},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        result = run(module)
    except WaitTimeout as error:
        last = result_of(error.last)
        module.fail_json(
            msg=f"{error.message}: {last['reason']}",
            failure={"code": error.code, "details": {"reason": last["reason"]}},
            hopeless=error.last.hopeless,
            **last,
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
