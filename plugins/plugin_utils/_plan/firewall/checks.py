# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What variables say of firewall rules and must not: sources and ports that cannot be used."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Listener,
    Node,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import (
    Rule,
    network,
    opened,
)

_LISTENER_PORTS, _DASHBOARD_PORTS = "emqx_firewall_listener_ports", "emqx_firewall_dashboard_ports"
_LISTENER_NETWORKS = "emqx_firewall_listener_networks"
_DASHBOARD_NETWORKS = "emqx_firewall_dashboard_networks"


def members(cluster: Cluster, unread: t.Collection[str]) -> t.Iterator[Finding]:
    """Yield members whose addresses are not known, or are none."""
    for host, member in cluster.nodes.items():
        addresses: Texts = () if host in unread else member.addresses
        if not addresses:
            yield Finding(
                code="no_address",
                expected=f"an address of {host}, which the firewall rules let in",
                found="none",
                remedy=f"set emqx_node_addresses of {host}, or have it take part in this run",
                hosts=(host,),
                subject="emqx_node_addresses",
            )
        yield from _sources(host, "emqx_node_addresses", addresses)


def sources(settings: Settings, node: Node) -> t.Iterator[Finding]:
    """Yield sources that are neither addresses nor networks."""
    given = {
        _LISTENER_NETWORKS: settings.firewall_listener_networks,
        _DASHBOARD_NETWORKS: settings.firewall_dashboard_networks,
    }
    for variable, listed in given.items():
        yield from _sources(node.inventory_host, variable, listed)


def _sources(host: str, variable: str, listed: Texts) -> t.Iterator[Finding]:
    wrong = [source for source in listed if network(source) is None]
    if wrong:
        yield Finding(
            code="firewall_source",
            expected="IP addresses or networks such as 10.0.0.0/8",
            found=", ".join(map(repr, wrong)),
            remedy=f"correct {variable}",
            hosts=(host,),
            subject=variable,
        )


def ports(
    settings: Settings, node: Node, rules: t.Iterable[Rule], ssh_ports: t.Collection[int]
) -> t.Iterator[Finding]:
    """Yield ports that are none, and those that would close SSH to all but the sources."""
    given = {
        _LISTENER_PORTS: settings.firewall_listener_ports,
        _DASHBOARD_PORTS: settings.firewall_dashboard_ports,
    }
    for variable, numbers in given.items():
        wrong = [str(port) for port in numbers if not 0 < port < 65536]
        if wrong:
            yield Finding(
                code="firewall_port",
                expected="ports from 1 to 65535",
                found=", ".join(wrong),
                remedy=f"correct {variable}",
                hosts=(node.inventory_host,),
                subject=variable,
            )
        if set(numbers) & set(ssh_ports):
            yield _closes_ssh(node, variable, set(numbers) & set(ssh_ports))
    known = {port for numbers in given.values() for port in numbers}
    others = {rule.port for rule in rules if rule.protocol == "tcp"} - known
    if others & set(ssh_ports):
        mine = node.rpc_port in others & set(ssh_ports)
        variable = "emqx_rpc_server_port" if mine else "emqx_config"
        yield _closes_ssh(node, variable, others & set(ssh_ports))


def _closes_ssh(node: Node, variable: str, closed: t.Iterable[int]) -> Finding:
    return Finding(
        code="firewall_ssh",
        expected="ports of EMQX, as a firewall rule closes a port to all but its sources",
        found=f"{', '.join(map(str, sorted(closed)))}, by which the host is managed over SSH",
        remedy=f"take it out of {variable}",
        hosts=(node.inventory_host,),
        subject=variable,
    )


def left_out(settings: Settings, node: Node) -> t.Iterator[Finding]:
    """Yield listeners that stay open to all, as a list of ports that was given leaves them out."""
    if settings.firewall_listener_networks and settings.firewall_listener_ports:
        listeners = opened(node, dashboard=False)
        yield from _unguarded(node, _LISTENER_PORTS, settings.firewall_listener_ports, listeners)
    if settings.firewall_dashboard_networks and settings.firewall_dashboard_ports:
        listeners = opened(node, dashboard=True)
        yield from _unguarded(node, _DASHBOARD_PORTS, settings.firewall_dashboard_ports, listeners)


def _unguarded(
    node: Node, variable: str, given: t.Collection[int], listeners: t.Iterable[Listener]
) -> t.Iterator[Finding]:
    missing = [
        f"{listener.name} on {listener.port}/{listener.protocol}"
        for listener in listeners
        if listener.port not in given and not _on_loopback(listener.address)
    ]
    if missing:
        yield Finding(
            code="guarded_ports",
            severity="warning",
            expected=f"the ports of all listeners in {variable}",
            found=f"{', '.join(missing)} left out, which no rule of ours closes to anybody",
            remedy=f"add the ports, or leave {variable} empty, which stands for those of all "
            "listeners",
            hosts=(node.inventory_host,),
            subject=variable,
        )


def _on_loopback(address: str) -> bool:
    found = network(address.strip("[]")) if address else None
    return found is not None and found.is_loopback
