# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  command:
    description:
      - How the EMQX command line is started on the host, program and arguments as a list.
      - For a node in a container, for example V([podman, exec, emqx, emqx]) together with an
        empty O(user).
    type: list
    elements: str
    default: [emqx]
  user:
    description:
      - The user that runs EMQX. When the task runs as root, the command line is run as this user
        by C(runuser), because the command's own switch goes through a login shell that loses
        C(EMQX_*) variables.
      - Empty runs it as the caller. Tasks that do not run as root always do.
    type: str
    default: emqx
  environment:
    description:
      - Further environment variables for the command line, for example C(EMQX_NODE__NAME) where
        several nodes run from one installation.
      - They are shown in logs, so they must not hold secrets. The cookie is not needed, the
        command line takes it from the running node.
    type: dict
    default: {}
requirements:
  - C(timeout) of the GNU coreutils, and C(runuser) of util-linux when the task runs as root with
    O(user) set
"""
