#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_probe
short_description: Try the links from this host to all nodes of a cluster at once
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Resolves the host parts of all nodes' names and connects to all their distribution and RPC
    ports at the same time, the own ones included. Needs nothing but Python on the host.
  - Where EMQX is not up yet, a throw-away listener stands in for it, so that the firewalls between
    the hosts show. It takes only the node's own two ports, runs in a process of its own and ends
    by itself.
  - As hosts take turns where there are more of them than C(forks), first start the listeners
    everywhere, then probe everywhere, then end the listeners.
  - Nothing of it is a change of the host.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  state:
    description:
      - V(probed) tries all links.
      - V(listening) starts a listener on the own node's ports that are free.
      - V(closed) ends it.
    type: str
    choices: [probed, listening, closed]
    default: probed
  node:
    description: Name of the node on this host.
    type: str
    required: true
  nodes:
    description: All nodes as the filter P(mqttops.emqx.topology#filter) returns them. Of each
      C(name), C(host), C(dist_port) and C(rpc_port) are used.
    type: list
    elements: dict
    required: true
  ipv6:
    description: Whether the nodes talk IPv6 to one another.
    type: bool
    default: false
  timeout:
    description: Seconds after which a connection without any answer counts as filtered.
    type: float
    default: 3
  seconds:
    description: Seconds after which a listener ends by itself.
    type: float
    default: 120
  expected_peers:
    description: Number of connections to each of its ports after which a listener ends by itself.
      With V(0), it waits for the seconds to pass or for V(closed).
    type: int
    default: 0
seealso:
  - module: mqttops.emqx.cluster_info
"""

EXAMPLES = r"""
- name: Stand in for the nodes
  mqttops.emqx.cluster_probe:
    state: listening
    node: "{{ topology.nodes[inventory_hostname].name }}"
    nodes: "{{ topology.nodes.values() | list }}"

- name: Try all links
  mqttops.emqx.cluster_probe:
    node: "{{ topology.nodes[inventory_hostname].name }}"
    nodes: "{{ topology.nodes.values() | list }}"
  register: links

- name: Give the ports back
  mqttops.emqx.cluster_probe:
    state: closed
    node: "{{ topology.nodes[inventory_hostname].name }}"
    nodes: "{{ topology.nodes.values() | list }}"
"""

RETURN = r"""
probe:
  description: How this host reaches the nodes.
  returned: with O(state=probed)
  type: dict
  contains:
    node:
      description: Name of the node on this host.
      type: str
      returned: success
    resolved:
      description: Addresses of the host part of each node's name, as this host finds them.
      type: dict
      returned: success
      sample: {n1.example.com: [192.0.2.11]}
    links:
      description:
        - Node (C(to)), C(kind) (V(distribution) or V(rpc)), C(port) and C(address), and how the
          connection fares as C(state).
        - V(open). V(refused), reached but nobody listens or a firewall rejects. V(filtered), no
          answer. V(no_route), the network says that it cannot be reached. V(unresolved), a name
          without an address.
      type: list
      elements: dict
      returned: success
      sample:
        - {to: emqx@192.0.2.12, kind: distribution, port: 4370, address: 192.0.2.12, state: open}
    own_address_local:
      description: Whether the own node's name leads to this host.
      type: bool
      returned: success
    listening:
      description: By port of the own node, C(process), C(pid) and C(unit) that listen on it.
      type: dict
      returned: success
busy:
  description: Ports that could not be listened on, with the reason.
  returned: with O(state=listening)
  type: dict
  sample: {"4370": Address already in use}
closed:
  description: Whether there was a listener to end.
  returned: with O(state=closed)
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import probe


def main() -> None:
    module = AnsibleModule(argument_spec=probe.OPTIONS, supports_check_mode=True)
    try:
        answer = probe.read(module.params)
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    except OSError as error:
        module.fail_json(msg=f"Probing from this host failed: {error}")
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
