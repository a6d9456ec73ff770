#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence_info
short_description: Gather on a host what says why its node is not in operation
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Reads the unit's state, the processes, who listens on the node's ports, the lines of the logs
    that name a cause, the configuration, the space left, the databases and the certificates.
  - It changes nothing, needs no package, and works whether the node runs or not.
  - No secret is returned. Of the cookie there is a fingerprint, of other settings a keyed hash;
    all secrets of the configuration, and what looks like one, are taken out of logs and files.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  etc_dir:
    description: Folder of emqx.conf, base.hocon and ssl_dist.conf.
    type: path
    default: /etc/emqx
  data_dir:
    description: The node's data directory.
    type: path
    default: /var/lib/emqx
  log_dir:
    description: The folder of its logs.
    type: path
    default: /var/log/emqx
  release_dirs:
    description: Where the installed release may be.
    type: list
    elements: path
    default: [/usr/lib/emqx, /opt/emqx]
  environment_file:
    description: File with the environment of the unit.
    type: path
    default: /etc/mqttops-emqx/emqx.env
  service:
    description: The systemd unit of the node.
    type: str
    default: emqx.service
  user:
    description: The user that runs the node.
    type: str
    default: emqx
  ports:
    description: Ports, TCP and UDP, of which the sockets are returned that listen on them.
    type: list
    elements: int
    default: []
  boot_files:
    description: Files that a node reads only when it boots.
    type: list
    elements: path
    default: []
  boot_record:
    description: Folder with the copies of them that were made when the node started.
    type: path
    default: /run/mqttops-emqx/emqx
  salt:
    description:
      - A text that goes into the hashes of settings. Hashes compare where it was the same, and
        say nothing to those who do not have it.
    type: str
    default: ""
  log_bytes:
    description: How much of the end of each log is read.
    type: int
    default: 131072
  check_login:
    description:
      - Whether to try the first login of the vendor, admin with the password public, on the
        dashboard of a node that runs, from the host itself.
      - Where another password is set, EMQX counts a failed login. From 5.9 on it locks a user out
        for some minutes after five of them within five minutes.
    type: bool
    default: false
  detail:
    description: Whether to return logs and configuration as a whole, for a support bundle.
    type: bool
    default: false
seealso:
  - module: mqttops.emqx.cluster_info
  - module: mqttops.emqx.cluster_probe
"""

EXAMPLES = r"""
- name: Gather evidence
  mqttops.emqx.evidence_info:
    ports: [4370, 5370]
  register: found
"""

RETURN = r"""
evidence:
  description: What was found.
  returned: success
  type: dict
  contains:
    time:
      description: The host's clock, in seconds.
      type: float
      returned: success
    addresses:
      description: The host's own global addresses.
      type: list
      elements: str
      returned: success
    version:
      description: Version of the installed release.
      type: str
      returned: success
    unit:
      description: How the unit fares (C(active), C(sub), C(result), C(restarts), C(since)).
      type: dict
      returned: success
    processes:
      description: >-
        EMQX nodes that run (C(node), C(pid), C(cookie_fingerprint), C(open_files), and the limits
        of the latter in force, C(open_files_limit) and C(open_files_limit_hard), null for none).
      type: list
      elements: dict
      returned: success
    config:
      description: Settings by which nodes find one another, and keyed hashes of all others.
      type: dict
      returned: success
    stale:
      description: Keys and files that the running node does not know yet.
      type: list
      elements: str
      returned: success
    data_nodes:
      description: Node names that the data directory holds a database of.
      type: list
      elements: str
      returned: success
    disks:
      description: Space and file entries left, by path.
      type: dict
      returned: success
    listening:
      description: By TCP port, C(process), C(pid) and C(unit) that listen on it.
      type: dict
      returned: success
    sockets:
      description: >-
        Sockets on O(ports), with C(protocol), C(address) (empty for all of the host's), C(port),
        C(process), C(pid) and C(unit).
      type: list
      elements: dict
      returned: success
    configured_files:
      description: >-
        Files that the configuration names, with C(key) and C(path), whether they C(exists) and are
        C(readable) by the runner user.
      type: list
      elements: dict
      returned: success
    default_login:
      description: Whether the dashboard takes admin with the password public, null where it gave no
        answer.
      type: bool
      returned: with O(check_login=true)
    certificates:
      description: Certificates for the traffic between nodes as PEM, never their private keys.
      type: list
      elements: dict
      returned: success
    unusable:
      description: Files that the runner user cannot read, folders that it cannot write.
      type: list
      elements: str
      returned: success
    log:
      description: Lines of the logs that name a cause (C(sign), C(source), C(line)).
      type: list
      elements: dict
      returned: success
    files:
      description: Ends of logs and configuration files by name, secrets masked.
      type: dict
      returned: with O(detail=true)
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._host import evidence


def main() -> None:
    module = AnsibleModule(argument_spec=evidence.OPTIONS, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **evidence.read(module.params, module.run_command))
    except OSError as error:
        module.fail_json(msg=f"Reading the host failed: {error}")


if __name__ == "__main__":
    main()
