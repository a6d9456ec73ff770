#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: discovery_info
short_description: What EMQX on this host would discover now
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Asks the service of a discovery strategy from this host and as EMQX does, makes node names of
    the answer by EMQX's rules, and tells how they differ from the cores of the cluster, with
    reason and remedy.
  - A service that does not answer, or answers nonsense, is a result like any other. The module
    fails only where it cannot ask.
requirements:
  - dnspython with O(strategy=dns)
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  strategy:
    description: The discovery strategy (C(cluster.discovery_strategy)).
    type: str
    choices: [static, dns, etcd, k8s]
    required: true
  settings:
    description:
      - The keys of EMQX below C(cluster.STRATEGY), as the filter P(mqttops.emqx.topology#filter)
        returns them in C(discovery), such as C(name) and C(record_type) with O(strategy=dns).
    type: dict
    required: true
  node:
    description: Name of the node on this host. Its part before the C(@) counts.
    type: str
    required: true
  nodes:
    description: All nodes as the filter P(mqttops.emqx.topology#filter) returns them. Of each
      C(name), C(inventory_host) and C(role) are used.
    type: list
    elements: dict
    required: true
  service_account:
    description:
      - With O(strategy=k8s), the directory of C(token) and C(ca.crt), those by which EMQX asks. It
        reads them at the default; on a host outside of Kubernetes they may lie elsewhere and be
        mounted there for the node.
      - No answer has the token.
    type: path
    default: /var/run/secrets/kubernetes.io/serviceaccount
  timeout:
    description: Seconds after which a service counts as silent.
    type: float
    default: 5
  settle:
    description: Seconds to ask again while there is a node that is none of O(nodes) and may be
      about to go, such as one that was just stopped, whose key in etcd stays for 5 seconds.
    type: float
    default: 0
seealso:
  - module: mqttops.emqx.cluster_probe
"""

EXAMPLES = r"""
- name: See what EMQX would discover
  mqttops.emqx.discovery_info:
    strategy: dns
    settings:
      name: mq.example.org
      record_type: a
    node: "{{ topology.nodes[inventory_hostname].name }}"
    nodes: "{{ topology.nodes.values() | list }}"
  register: discovered

- name: Say what is wrong with it
  ansible.builtin.debug:
    msg: "{{ discovered.discovery.problems }}"
"""

RETURN = r"""
discovery:
  description: What is discovered.
  returned: success
  type: dict
  contains:
    strategy:
      description: The strategy.
      type: str
      returned: success
    source:
      description: What is asked for, in words.
      type: str
      returned: success
      sample: the A records of mq.example.org
    asked:
      description: The servers that were asked.
      type: str
      returned: success
      sample: 192.0.2.53
    failure:
      description: Empty, or a code for why there is no answer, and C(detail), the error's text.
      type: str
      returned: success
    entries:
      description: What the service holds, sorted.
      type: list
      elements: str
      returned: success
      sample: [192.0.2.11, 192.0.2.12]
    names:
      description: The names of nodes that EMQX makes of it.
      type: list
      elements: str
      returned: success
      sample: [emqx@192.0.2.11, emqx@192.0.2.12]
    missing:
      description: Cores that are not among them, each with C(name), C(host), C(reason) (a code),
        C(value) (what lacks, or is there in its place), C(remedy) and C(message).
      type: list
      elements: dict
      returned: success
    extra:
      description: Names of no node of the cluster, in the same form.
      type: list
      elements: dict
      returned: success
    malformed:
      description: What EMQX makes no name of, in the same form.
      type: list
      elements: dict
      returned: success
    findings:
      description: One for each cause, each with C(code), C(severity), C(hosts), C(subject),
        C(expected), C(found), C(remedy) and C(evidence). Empty when all is well.
      type: list
      elements: dict
      returned: success
    problems:
      description: The findings as sentences.
      type: list
      elements: str
      returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._module import discovery_info


def main() -> None:
    module = AnsibleModule(argument_spec=discovery_info.OPTIONS, supports_check_mode=True)
    try:
        answer = discovery_info.read(module.params)
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
