# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter node_ports: the ports between cluster nodes, out of a node name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import ports
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError


def node_ports(
    name: t.Any,
    port_discovery: str = "stateless",
    server_port: int = ports.RPC_SERVER_PORT,
) -> dict[str, int]:
    """Return offset, distribution and rpc port of a node; see ``node_ports.yml``."""
    if not isinstance(name, str) or "@" not in name:
        raise AnsibleFilterError(f"node_ports takes a node name such as emqx@h1, found {name!r}.")
    try:
        return ports.node_ports(name, port_discovery, int(server_port))
    except (InputError, ValueError, TypeError) as error:
        raise AnsibleFilterError(f"node_ports: {error}") from error


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"node_ports": node_ports}
