#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read all that a deployment of EMQX needs to know of a host, in one step
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Reads the operating system, the installed EMQX, the files and kernel values that are asked
    for, the unit's state, this collection's firewall rules and what is
    in the data directory.
  - It changes nothing and returns no file's content. The role P(mqttops.emqx.emqx#role) compares
    its answer with what the variables say and skips each phase that has nothing to do.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.info_module
options:
  packages:
    description: Names of packages, of which the first installed one is returned.
    type: list
    elements: str
    default: [emqx-enterprise, emqx]
  package_file:
    description: A package on the host of which the checksum is returned.
    type: path
  root_dir:
    description: Where a vendor tar.gz is unpacked.
    type: path
    default: /opt/emqx
  files:
    description: Files and directories of which mode, owner, group and SHA-256 are returned.
    type: list
    elements: path
    default: []
  service:
    description: The systemd unit of the node.
    type: str
    default: emqx.service
  boot_files:
    description: Files that a node reads only when it boots.
    type: list
    elements: path
    default: []
  boot_record:
    description: Directory of the copies of O(boot_files) made when the running node was started.
    type: path
    default: /run/mqttops-emqx/emqx
  data_dir:
    description: The node's data directory.
    type: path
    default: /var/lib/emqx
  package_data_dir:
    description: Where the package's own node would have its data, for a node that is an instance.
    type: path
  container:
    description: >-
      The V(engine) (V(podman) or V(docker)), V(image) and V(network) of a node in a container,
      empty where it is not in one.
    type: dict
    default: {}
  disks:
    description: Paths for which the free space is returned.
    type: list
    elements: path
    default: []
  sysctls:
    description: Kernel keys of which the values are returned.
    type: list
    elements: str
    default: []
  nft_table:
    description: Name of the nftables table (family inet) whose revision mark is returned.
    type: str
    default: mqttops_emqx
  firewall_zones:
    description: Zones of firewalld that are read besides the default one.
    type: list
    elements: str
    default: []
  certificates:
    description: Paths of what the node talks TLS with, V(certificate), V(key) and V(ca).
    type: dict
    default: {}
  upgrade:
    description: >-
      For an upgrade, the V(place) of the copy that is saved of the node, the V(trees) that it is
      of, and the directory of V(downloads). Empty where there is none.
    type: dict
    default: {}
seealso:
  - module: mqttops.emqx.cluster_info
"""

EXAMPLES = r"""
- name: Read the host
  mqttops.emqx.host_info:
    files: [/etc/emqx/emqx.conf]
    sysctls: [net.core.somaxconn]
  register: host
"""

RETURN = r"""
host:
  description: What was found.
  returned: success
  type: dict
  contains:
    platform:
      description: Operating system, architecture and the vendor's package token for it.
      type: dict
      returned: success
      sample: {name: debian, version: "12", arch: amd64, supported: true, format: deb, token:
      debian12}
    addresses:
      description: Global addresses of the host, IPv4 first, without those on the container network.
      type: list
      elements: str
      returned: success
    package:
      description: Name and version of the installed vendor package, empty strings where none is.
      type: dict
      returned: success
      sample: {name: emqx, version: 5.8.9}
    package_file:
      description: Whether O(package_file) exists, its SHA-256 and the one in the file beside it.
      type: dict
      returned: success
      sample: {exists: true, sha256: 0123abcd, sidecar: 0123abcd}
    release:
      description: Version of the release unpacked in O(root_dir), empty where there is none.
      type: str
      returned: success
    container:
      description: >-
        Whether the engine is installed, id and names of the image, subnets of the network, and the
        EMQX version that O(service) starts in a container, empty where it starts none.
      type: dict
      returned: success
    files:
      description: By path, RV(ignore:exists), mode, owner, group, their numbers and sha256.
      type: dict
      returned: success
    service:
      description: >-
        Whether the unit exists, is enabled and is active, its state in words, and when it stopped.
      type: dict
      returned: success
    stale:
      description: >-
        Keys and files that the running node does not know yet, empty when it is not running.
      type: list
      elements: str
      returned: success
    places:
      description: >-
        What the node of O(service) uses now, or used when it ran last - RV(ignore:running),
        RV(ignore:pid), its name as RV(ignore:node), RV(ignore:root) of its release,
        RV(ignore:data_dir) and RV(ignore:etc_dir) on the host, its RV(ignore:kind) (V(package),
        V(tarball) or V(container)), and RV(ignore:data_dirs_found), the names of nodes of which
        there is a database, by data directory. Empty for what is not known.
      type: dict
      returned: success
    data_nodes:
      description: Node names that the data directory holds a database of.
      type: list
      elements: str
      returned: success
    package_nodes:
      description: The same of O(package_data_dir), which a package may bring along empty.
      type: list
      elements: str
      returned: success
    disks:
      description: Free bytes by path.
      type: dict
      returned: success
    sysctls:
      description: >-
        By key, its RV(ignore:value) (null where the kernel does not know it), whether it is
        RV(ignore:writable) here and, if not, the RV(ignore:reason), the value that this
        collection's file has RV(ignore:asked) for, and the one that the kernel RV(ignore:kept)
        instead.
      type: dict
      returned: success
    nft:
      description: Whether nft is installed and the revision of the loaded table.
      type: dict
      returned: success
    firewall:
      description:
        - >-
          RV(ignore:active), the firewall managers at work (V(firewalld), V(ufw)); under
          RV(ignore:firewalld) its zones with the rich rules of this collection, at work and
          permanent; under RV(ignore:ufw) whether it takes IPv6, and per IP version the number of
          its rules and the ones of this collection.
      type: dict
      returned: success
    certificates:
      description: As PEM, the node's certificate, the public part of its key, and the CA's; and
        when the certificate ends.
      type: dict
      returned: success
    upgrade:
      description: >-
        The manifest of the copy that was RV(ignore:saved), the RV(ignore:sizes) of the trees in
        bytes, how many are RV(ignore:free) for a copy, and the names of packages that are
        RV(ignore:kept). Empty unless O(upgrade) is given.
      type: dict
      returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._module import host_info


def main() -> None:
    module = AnsibleModule(argument_spec=host_info.OPTIONS, supports_check_mode=True)
    try:
        module.exit_json(changed=False, **host_info.read(module.params, module.run_command))
    except OSError as error:
        module.fail_json(msg=f"Reading the host failed: {error}")


if __name__ == "__main__":
    main()
