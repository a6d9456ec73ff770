# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What on a host itself keeps a node from being deployed there: space, data, addresses, ports."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.sockets import is_missing
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Layout,
    Listener,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tuning import KernelValue

Findings = t.Iterator[Finding]

_MIB = 1 << 20
# Linux, ip-sysctl: ports below are for root, or who has CAP_NET_BIND_SERVICE.
_PORTS_START = "net.ipv4.ip_unprivileged_port_start"
_PRIVILEGED = 1024
_NONLOCAL = "net.ipv4.ip_nonlocal_bind"


def check_disks(settings: Settings, host: HostState) -> Findings:
    for path, free in host.disks.items():
        if free < settings.min_free_mb * _MIB:
            yield Finding(
                "disk",
                f"at least {settings.min_free_mb} MB free for {path}",
                f"{free // _MIB} MB",
                "make room, or lower emqx_min_free_mb if that is enough for this node",
                subject="emqx_min_free_mb",
            )


def check_data(node: Node, layout: Layout, host: HostState) -> Findings:
    names = host.data_nodes
    if names and node.name not in names:
        yield Finding(
            "data_of_other_node",
            f"a data directory {layout.data} that is empty or holds {node.name}",
            f"the data of {', '.join(names)}",
            f"keep the name (emqx_node_name: {names[0]}), or have the playbook rename_node -e "
            f"emqx_rename_host={node.inventory_host} take the node out of its cluster under its "
            "old name and in again under the new one, as a node under a new name starts empty",
            subject="emqx_node_name",
        )


def check_package_node(database: str) -> Findings:
    """``database`` is that of a node in the package's own directories that no member stands for."""
    if database:
        yield Finding(
            "package_node",
            "only instances on this server, as its hosts all have an emqx_instance",
            f"the database {database} of the package's own node",
            "its unit emqx.service is left as it is; give it a host of its own with "
            "emqx_instance: 0, or take it out with the playbook remove_node as long as it has one",
            subject="emqx_instance",
            severity=WARNING,
        )


def check_listeners(settings: Settings, node: Node, host: HostState) -> Findings:
    """Yield the listeners that cannot be opened there, for want of an address or a right."""
    # On a network of its own a container has other addresses, and may open all ports.
    for listener in () if settings.bridged else node.listeners:
        if listener.enabled:
            yield from _port_findings(settings, listener, host)
            yield from _address_findings(settings, listener, host)


def _port_findings(settings: Settings, listener: Listener, host: HostState) -> Findings:
    name, port = listener.name, listener.port
    if 0 < port < _first_port(settings, host):
        yield Finding(
            "listener_port",
            f"a port for the listener {name} that EMQX's user may open",
            f"{port}, which is for root only",
            f"set bind of {name} in emqx_config to a port from {_PRIVILEGED}, or let all users "
            f"open it (emqx_tuning_sysctl: {{{_PORTS_START}: {port}}}), or the unit alone "
            "(AmbientCapabilities=CAP_NET_BIND_SERVICE in a drop-in of your own)",
            subject="emqx_config",
            # A drop-in of the operator's own is not read here.
            severity=WARNING,
        )


def _address_findings(settings: Settings, listener: Listener, host: HostState) -> Findings:
    # An address that moves between hosts may be bound where the kernel allows it.
    moves = _tuned(settings, _NONLOCAL) == "1"
    if not moves and is_missing(listener.address, host.addresses):
        yield Finding(
            "listener_address",
            f"an address of this host for the listener {listener.name}, or none for all of them",
            f"{listener.address}, and the host has {', '.join(sorted(host.addresses))}",
            f"correct bind of {listener.name} in emqx_config, as EMQX does not boot where it "
            "cannot open a listener, or, for an address that moves between hosts, set "
            f"emqx_tuning_sysctl: {{{_NONLOCAL}: 1}}",
            subject="emqx_config",
        )


def _first_port(settings: Settings, host: HostState) -> int:
    live = KernelValue.of(host.sysctls.get(_PORTS_START)).value or ""
    for value in (_tuned(settings, _PORTS_START), live):
        if value.isdigit():
            return int(value)
    return _PRIVILEGED


def _tuned(settings: Settings, key: str) -> str:
    """Return the value that a deployment gives a kernel key, "" for none."""
    return str(settings.tuning_sysctl.get(key, "")) if settings.tuning_enabled else ""
