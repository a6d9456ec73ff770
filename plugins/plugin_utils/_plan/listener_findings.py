# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Listeners that cannot open their socket on a host: found before minutes are spent on waiting."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import replace

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Listener,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

_PRIVILEGED = 1024
_HIGHEST = 65535
_NONLOCAL = "net.ipv4.ip_nonlocal_bind"


def listener_findings(settings: Settings, host: HostState, node: Node) -> list[Finding]:
    """Return what is wrong with the enabled listeners of a node on its host.

    On a network of containers addresses and ports are those of the container: nothing is known.
    """
    if settings.bridged:
        return []
    return [
        replace(finding, hosts=(node.inventory_host,))
        for listener in node.listeners
        if listener.enabled
        for finding in _findings(settings, listener, host)
    ]


def _findings(settings: Settings, listener: Listener, host: HostState) -> t.Iterator[Finding]:
    name, port = listener.name, listener.port
    if port > _HIGHEST:
        yield Finding(
            "listener_port",
            f"a port from 1 to {_HIGHEST} for the listener {name}",
            str(port),
            f"correct the bind of {name} in emqx_config",
            subject="emqx_config",
        )
    elif port < _PRIVILEGED:
        yield Finding(
            "listener_port",
            f"a port from {_PRIVILEGED} on for the listener {name}, as EMQX does not run as root",
            f"{port}: without CAP_NET_BIND_SERVICE it fails with eacces",
            f"choose another port for {name} in emqx_config, or give the unit "
            "AmbientCapabilities=CAP_NET_BIND_SERVICE in a drop-in of your own",
            subject="emqx_config",
            severity=WARNING,
        )
    # An address that moves between hosts may be bound where the kernel allows it.
    moves = str(settings.tuning_sysctl.get(_NONLOCAL)) == "1"
    if listener.address and host.addresses and not moves and not _has(host, listener.address):
        yield Finding(
            "listener_address",
            f"an address of this host for the listener {name}, or none for all of them",
            f"{listener.address}; the host has {', '.join(host.addresses)}",
            f"correct the bind of {name} in emqx_config or, for an address that moves between "
            f"hosts, set {_NONLOCAL}: 1 in emqx_tuning_sysctl",
            subject="emqx_config",
        )


def _has(host: HostState, address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        # A name, which EMQX resolves.
        return True
    own = {ipaddress.ip_address(text.partition("%")[0]) for text in host.addresses}
    return parsed.is_loopback or parsed in own
