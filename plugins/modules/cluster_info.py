#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
version_added: 0.1.0
short_description: Show how an EMQX node sees itself and its cluster
description:
  - Asks the EMQX command line of this host once and returns all it can tell about the node and
    its cluster.
  - A node that is down or still booting is a result and not a failure.
author:
  - mqttops contributors (@mqttops)
extends_documentation_fragment:
  - mqttops.emqx._ctl
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
  - mqttops.emqx._attributes.actiongroup_cluster
options:
  timeout:
    description: How long the command line may take, in seconds.
    type: int
    default: 45
  certificates:
    description: Paths of what the node talks TLS with, V(certificate), V(key) and V(ca). They are
      read where given.
    type: dict
    default: {}
  others:
    description:
      - Whether to have the other running members tell the same of themselves, through this node and
        without a call of their own command lines.
      - Those of another release of Erlang/OTP do not understand the question and are left out.
    type: bool
    default: false
seealso:
  - module: mqttops.emqx.cluster_member
  - module: mqttops.emqx.cluster_wait
"""

EXAMPLES = r"""
- name: Ask each node for its view
  mqttops.emqx.cluster_info:
  register: node

- name: Show who sees whom
  ansible.builtin.debug:
    msg: "{{ node.emqx.state }}: {{ node.emqx.running_nodes | join(', ') }}"

- name: See when the node's certificate ends
  mqttops.emqx.cluster_info:
    certificates:
      certificate: /etc/mqttops-emqx/tls/cert.pem
      key: /etc/mqttops-emqx/tls/key.pem
      ca: /etc/mqttops-emqx/tls/ca.pem
  register: node
  failed_when: node.tls.ends == ""

- name: Ask one of several nodes of this server
  mqttops.emqx.cluster_info:
    environment:
      EMQX_NODE__NAME: emqx2@10.0.0.1
"""

RETURN = r"""
emqx:
  description: The node and its cluster. What this version of EMQX, or a node that is down, does
    not tell is null.
  returned: success
  type: dict
  contains:
    node:
      description: Name of the node.
      type: str
      sample: emqx@10.0.0.1
    copying_tables:
      description: Tables that a booting node is copying from other members, as after a join.
      type: list
      elements: str
    waiting_for_tables:
      description: Tables of which a booting node may hold an old copy, so that it waits for the
        members that stopped later.
      type: list
      elements: str
    waiting_for_nodes:
      description: Members that are down while a node boots, as it sees it.
      type: list
      elements: str
    state:
      description:
        - V(down) if the node does not answer.
        - V(booting) if it answers but is not in operation yet.
        - V(ready) otherwise.
      type: str
      sample: ready
    reason:
      description: Why the node is not ready, for a node that is down in the words of the command
        line.
      type: str
      sample: "Node 'emqx@10.0.0.1' not responding to pings."
    installed:
      description: Whether the command line was found.
      type: bool
    version:
      description: Version of EMQX.
      type: str
      sample: 5.8.9
    edition:
      description: V(opensource) or V(enterprise).
      type: str
    role:
      description: V(core) or V(replicant).
      type: str
    upstream_nodes:
      description: Cores from which a replicant takes its data, usually one. Empty on a core.
      type: list
      elements: str
    running_nodes:
      description: Members that run, as this node sees it. Empty while it is not ready.
      type: list
      elements: str
      sample: [emqx@10.0.0.1, emqx@10.0.0.2]
    stopped_nodes:
      description: Members that are down or cut off, as this node sees it.
      type: list
      elements: str
    uptime_seconds:
      description: For how long the node's process has been running.
      type: int
    ports:
      description: TCP ports between the nodes.
      type: dict
      contains:
        distribution:
          description: Port of the Erlang distribution.
          type: int
          sample: 4370
        rpc:
          description: Port of the message channel (gen_rpc).
          type: int
          sample: 5370
    proto_dist:
      description: Protocol of the Erlang distribution.
      type: str
      sample: inet_tcp
    rpc_protocol:
      description: Protocol of the message channel.
      type: str
      sample: tcp
    rpc_port_discovery:
      description: How the port of the message channel is found.
      type: str
      sample: stateless
    discovery_strategy:
      description: How the node finds its cluster.
      type: str
      sample: manual
    data_dir:
      description: Data directory, as configured.
      type: str
      sample: /var/lib/emqx
    config_sync:
      description: How far the nodes have followed changes of the configuration at run time.
      type: dict
      contains:
        tnx_ids:
          description: Number of the last change each node applied. Empty before the first change.
          type: dict
        in_sync:
          description: Whether all running nodes applied the same changes.
          type: bool
    config_changed:
      description: Root keys of the configuration that were changed at run time
        (C(cluster.hocon)).
      type: list
      elements: str
    cookie_fingerprint:
      description: First 12 hexadecimal digits of the SHA-256 of the cookie. Equal cookies have
        equal fingerprints.
      type: str
    data:
      description: Number of records the node holds, by kind.
      type: dict
      sample: {dashboard_users: 1, retained_messages: 0}
    peers:
      description: What the other running members answered this node, by name.
      type: dict
others:
  description: By node name, what RV(emqx) has, as the other running members say it themselves.
  returned: with O(others)
  type: dict
tls:
  description: What the node talks TLS with. Empty texts where there is no such file.
  returned: with O(certificates)
  type: dict
  contains:
    ends:
      description: When the node's certificate ends.
      type: str
      sample: "2029-02-27T12:00:00Z"
    certificate:
      description: The certificate, as PEM.
      type: str
    public_key:
      description: The public part of the key, as PEM.
      type: str
    ca:
      description: The certificates of the CAs that the node trusts, as PEM.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._module import cluster_info


def main() -> None:
    module = AnsibleModule(argument_spec=cluster_info.OPTIONS, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **cluster_info.read(module.params, module.run_command))
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())


if __name__ == "__main__":
    main()
