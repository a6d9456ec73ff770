# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Who may reach which port of a server: one list of rules, which each back end renders.

The sources of a rule may reach its port, all others may not. What no rule names is left to the
host's own rules.
"""

from __future__ import annotations

import functools
import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Listener,
    Node,
    Numbers,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Port = t.Tuple[int, str]

DASHBOARD = "dashboard"


@dataclass(frozen=True)
class Rule:
    """``sources`` may reach ``port`` (``protocol`` is tcp or udp), all others may not."""

    port: int
    protocol: str
    sources: Texts
    purpose: str

    def as_dict(self) -> Json:
        """Return it as ``emqx_firewall_rules`` holds it."""
        return {**vars(self), "sources": list(self.sources)}


@dataclass(frozen=True)
class Group:
    """The ports of one protocol that the same sources may reach."""

    protocol: str
    ports: Numbers
    sources: Texts


def rules(cluster: Cluster, settings: Settings, node: Node) -> tuple[Rule, ...]:
    """Return the rules of the server of a node, each port once.

    Ports of clients and of dashboards without networks have no rule. A source that is no address
    or network is left out: findings name it, and end the run.
    """
    here = [other for other in cluster.nodes.values() if other.server == node.server]
    members = networks(cluster.addresses)
    found: dict[Port, Rule] = {}

    def add(port: Port, sources: Texts, purpose: str) -> None:
        found.setdefault(port, Rule(*port, sources, purpose))

    for other in here:
        add((other.dist_port, "tcp"), members, f"Erlang distribution of {other.name}")
        add((other.rpc_port, "tcp"), members, f"RPC of {other.name}")
    clients = networks(settings.firewall_listener_networks)
    for port in _ports(here, client_ports) if settings.firewall_listener_networks else ():
        add(port, clients, "clients")
    operators = networks(settings.firewall_dashboard_networks)
    for port in _ports(here, dashboard_ports) if settings.firewall_dashboard_networks else ():
        add(port, operators, "dashboard and REST API")
    return tuple(found.values())


def _ports(
    nodes: t.Iterable[Node], ports_of: t.Callable[[Node], t.Iterable[Port]]
) -> t.Iterable[Port]:
    return sorted({port for node in nodes for port in ports_of(node)})


def client_ports(node: Node) -> list[Port]:
    """Return the ports by which clients reach a node: MQTT, gateways and what else listens."""
    return _guarded(node.listener_ports, opened(node, dashboard=False))


def dashboard_ports(node: Node) -> list[Port]:
    """Return the ports of a node's dashboard and REST API."""
    return _guarded(node.dashboard_ports, opened(node, dashboard=True))


def opened(node: Node, dashboard: bool) -> list[Listener]:
    """Return the listeners that a node opens, either those of its dashboard or all others."""
    return [
        listener
        for listener in node.listeners
        if listener.enabled and (listener.kind == DASHBOARD) == dashboard
    ]


def _guarded(given: Numbers, listeners: t.Sequence[Listener]) -> list[Port]:
    """Return the ports that the model gives, each with the protocols of the listeners on it."""
    real = [(listener.port, listener.protocol) for listener in listeners]
    if not given:
        return real
    known = {port for port, _protocol in real}
    chosen = [port for port in real if port[0] in given]
    return chosen + [(port, "tcp") for port in given if port not in known]


@functools.lru_cache(maxsize=16)
def networks(sources: Texts) -> Texts:
    """Return addresses and networks in the form that all back ends print, IPv4 first.

    One that lies within another of them is left out, as nftables takes no overlaps; so is what is
    neither.
    """
    parsed = {found for found in map(network, sources) if found is not None}
    lengths = {found.prefixlen for found in parsed}
    kept = [
        found
        for found in parsed
        if not any(
            found.supernet(new_prefix=length) in parsed
            for length in lengths
            if length < found.prefixlen
        )
    ]
    kept.sort(key=lambda found: (found.version, found.network_address, found.prefixlen))
    return tuple(_shown(found) for found in kept)


def network(source: str) -> Network | None:
    """Return an address or network, None for what is neither."""
    text = source.strip()
    try:
        # A zone such as %eth0 names an interface of this host only.
        return ipaddress.ip_network("" if "%" in text else text, strict=False)
    except ValueError:
        return None


def _shown(found: Network) -> str:
    alone = found.prefixlen == found.max_prefixlen
    return str(found.network_address if alone else found)


def groups(wanted: t.Iterable[Rule]) -> tuple[Group, ...]:
    """Return the rules, those of the same sources and protocol as one."""
    found: dict[tuple[str, Texts], list[int]] = {}
    for rule in wanted:
        found.setdefault((rule.protocol, rule.sources), []).append(rule.port)
    return tuple(
        Group(protocol, tuple(sorted(ports)), sources)
        for (protocol, sources), ports in found.items()
    )
