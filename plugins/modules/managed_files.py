#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_files
short_description: Write whole files of a host once all of them are accepted
version_added: 0.1.0
author:
  - mqttops contributors (@mqttops)
description:
  - Writes files, each in one step, with owner and mode set before the content is in place, and the
    directories that they need.
  - Before anything is written, the command of each file judges its new content, and
    C(emqx check_config) that of the configuration of EMQX. Its candidates are mounted over the
    files in force in a private mount namespace, so neither a running node nor one that starts
    meanwhile ever sees a bad file.
  - No link is followed but those of root, also where the user that runs EMQX may write. A link in
    place of a file is replaced.
  - The diff compares what EMQX reads, key by key, and shows no secret.
  - It restarts nothing, and says what the running node does not know yet.
extends_documentation_fragment:
  - mqttops.emqx._attributes
  - mqttops.emqx._attributes.change_module
  - mqttops.emqx._attributes.actiongroup_cluster
options:
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: >-
          Where it lies. Files named emqx.conf or C(*.hocon) are HOCON. Missing parent directories
          are made.
        type: path
        required: true
      content:
        description: The whole text.
        type: str
        required: true
      owner:
        description: Name or number of the owner.
        type: str
        default: root
      group:
        description: Name or number of the group.
        type: str
        default: root
      mode:
        description: Octal mode of four digits, in quotes, such as V(0640).
        type: str
        default: "0644"
      secret:
        description: Whether the whole content is a secret, of which a diff shows nothing.
        type: bool
        default: false
      check:
        description: >-
          Command that judges the content before it is in place, by its exit code. One of its words
          is C(%s) and stands for the file to look at.
        type: list
        elements: str
        default: []
  directories:
    description: >-
      Directories that are made, or given their owner and mode, before any file is written.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it lies.
        type: path
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Octal mode of four digits, in quotes, such as V(0750).
        type: str
        default: "0755"
  validate:
    description: >-
      Whether C(emqx check_config) judges the HOCON files. It needs the right to mount, as root
      has on real and virtual
      machines.
    type: bool
    default: true
  command:
    description: The command that starts the EMQX command line.
    type: list
    elements: str
    default: [emqx]
  user:
    description: The user that EMQX runs as, who has to be able to read the files.
    type: str
    default: emqx
  container:
    description: >-
      A container that judges the HOCON files in place of O(command), for a node that runs in one.
    type: dict
    suboptions:
      run:
        description: The command that runs a container, with its options, up to the volumes.
        type: list
        elements: str
        required: true
      volumes:
        description: >-
          Volumes, SOURCE:TARGET:OPTIONS. A candidate takes the place of the source that it is to
          become; a source that is not there is left out.
        type: list
        elements: str
        required: true
      image:
        description: The image.
        type: str
        required: true
  environment:
    description: Environment of the node, which overrides its files.
    type: dict
    default: {}
  mounts:
    description: >-
      Directories that are mounted over others while EMQX judges, after the candidates, in this
      order and for this command alone. So a release that is not installed yet can judge.
    type: list
    elements: dict
    default: []
    suboptions:
      source:
        description: What is mounted.
        type: path
        required: true
      target:
        description: Where it is to be seen.
        type: path
        required: true
  judge_all:
    description: Whether EMQX judges also where no file is to change, such as for another release.
    type: bool
    default: false
  boot_files:
    description: Files that a node reads only when it boots.
    type: list
    elements: path
    default: []
  boot_record:
    description: Directory of the copies of O(boot_files) made when the running node was started.
    type: path
    default: /run/mqttops-emqx/emqx
  timeout:
    description: The longest that C(emqx check_config) may take, in seconds.
    type: int
    default: 60
seealso:
  - module: mqttops.emqx.host_info
"""

EXAMPLES = r"""
- name: Write the configuration of EMQX
  mqttops.emqx.managed_files:
    files:
      - path: /etc/emqx/emqx.conf
        content: "{{ my_config | mqttops.emqx.to_hocon }}"
        group: emqx
        mode: "0640"
"""

RETURN = r"""
changed_files:
  description: Paths that were, or in check mode would be, written or given other rights.
  returned: success
  type: list
  elements: str
stale:
  description: >-
    Keys and files of which the running node knows another value; they need a restart. Node seeds
    are not among them.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._module import managed_files


def main() -> None:
    module = AnsibleModule(argument_spec=managed_files.OPTIONS, supports_check_mode=True)
    params = managed_files.withhold(module)
    try:
        module.exit_json(**managed_files.run(module, params))
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    except (OSError, KeyError) as error:
        module.fail_json(msg=f"Writing the files failed: {error}")


if __name__ == "__main__":
    main()
