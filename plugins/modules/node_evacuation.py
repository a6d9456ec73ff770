#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_evacuation
version_added: 0.2.0
short_description: Have an EMQX node hand its clients to the others, or take clients again
description:
  - Begins the evacuation of the node of this host and waits until no client and no session is left
    on it, or ends it. The enterprise edition has it (C(emqx ctl rebalance)), and EMQX 5.9 and
    newer.
  - A node that is evacuated goes on with it after a restart, until it is ended.
  - Decides by what the node says of itself, never by an exit code.
author:
  - mqttops contributors (@mqttops)
extends_documentation_fragment:
  - mqttops.emqx._ctl
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
  - mqttops.emqx._attributes.actiongroup_cluster
attributes:
  diff_mode:
    support: none
options:
  state:
    description:
      - V(evacuated) has no client and no session left on the node.
      - V(serving) has the node take clients.
    type: str
    choices: [evacuated, serving]
    required: true
  rate:
    description: How many clients, and then sessions, leave the node in a second.
    type: int
    default: 500
  wait_health_check:
    description: Seconds in which load balancers get to know that the node takes no more clients.
    type: int
    default: 1
  wait_takeover:
    description: Seconds in which clients get to take their sessions to another node by themselves.
    type: int
    default: 10
  redirect_to:
    description: Other nodes, as HOST:PORT, that MQTT 5 clients are told to go to.
    type: list
    elements: str
    default: []
  may_be_down:
    description: Whether a node that does not run is left alone, and is no failure.
    type: bool
    default: false
  timeout:
    description: How long to wait, in seconds.
    type: int
    default: 600
  interval:
    description: Pause between two looks, in seconds.
    type: int
    default: 2
seealso:
  - module: mqttops.emqx.cluster_gate
"""

EXAMPLES = r"""
- name: Have the clients go elsewhere
  mqttops.emqx.node_evacuation:
    state: evacuated
    rate: 200

- name: Take clients again
  mqttops.emqx.node_evacuation:
    state: serving
"""

RETURN = r"""
reached:
  description: Whether the state was seen. V(false) only in check mode.
  returned: success
  type: bool
reason:
  description: What the node says of it.
  returned: always
  type: str
  sample: evicting_conns, 120 client(s) and 180 session(s) are left
"""


from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError, WaitTimeout
from ansible_collections.mqttops.emqx.plugins.module_utils._module.node_evacuation import (
    check_input,
    run,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options


def main() -> None:
    options = {
        **ctl_options(timeout=600),
        "state": {"type": "str", "choices": ["evacuated", "serving"], "required": True},
        "rate": {"type": "int", "default": 500},
        "wait_health_check": {"type": "int", "default": 1},
        "wait_takeover": {"type": "int", "default": 10},
        "redirect_to": {"type": "list", "elements": "str", "default": []},
        "may_be_down": {"type": "bool", "default": False},
        "interval": {"type": "int", "default": 2},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        check_input(module.params)
        ctl = ctl_of(module.params, module.run_command)
        result = run(ctl, module.params, module.check_mode)
    except WaitTimeout as error:
        reason = error.last.sentence
        module.fail_json(
            msg=f"{error.message}: {reason}",
            changed=error.details["changed"],
            reason=reason,
            failure={"code": error.code},
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
