#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificates_plan
short_description: Plan which certificates a host gets
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Compares the certificates that a host has with those that it is to have, and judges the CA on
    the control node. Changes nothing.
  - The role P(mqttops.emqx.certificates#role) is its user, whose variables are its options.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  wanted:
    description: As the role's O(mqttops.emqx.certificates#role:main:certificates_wanted).
    type: list
    elements: dict
    required: true
  found:
    description:
      - What M(mqttops.emqx.host_info) read for each of O(wanted). Where there are not as many of
        them, they are read.
    type: list
    elements: dict
    default: []
  ca_dir:
    description: Directory of the CA on the control node.
    type: path
    required: true
  ca_name:
    description: Its common name.
    type: str
    required: true
  ca_passphrase:
    description: The passphrase of its key, empty for none.
    type: str
    default: ""
  ca_days:
    description: Days that its certificate is valid.
    type: int
    required: true
  days:
    description: Days that those are valid that it signs.
    type: int
    required: true
  renew_days:
    description: Days before its end that a certificate is made anew.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Plan the certificate of a broker
  mqttops.emqx.certificates_plan:
    wanted:
      - certificate: /etc/ssl/broker/cert.pem
        key: /etc/ssl/broker/key.pem
        ca: /etc/ssl/broker/ca.pem
        names: [broker1.example.org]
    ca_dir: /srv/pki/brokers
    ca_name: Brokers
    ca_days: 3650
    days: 825
    renew_days: 30
  no_log: true
"""

RETURN = r"""
plan:
  description: The arguments of the role's tasks, and in C(findings) what is wrong.
  returned: success
  type: dict
"""
