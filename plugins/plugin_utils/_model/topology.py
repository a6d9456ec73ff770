# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The model of a cluster: names, roles, ports and addresses, and what is wrong with them.

Everything else (configuration, firewall, probes, doctor) reads this and computes none of it
again. The rules are those of ekka 0.13 to 0.23 and gen_rpc 2.8 to 3.5 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import ports, versions
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import (
    checks_license,
    checks_names,
    checks_ports,
    checks_roles,
    checks_settings,
    default_ports,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Layout,
    Listener,
    Member,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table

Texts = t.Tuple[str, ...]

_CLIENTS = ("mqtt", "gateway")


def unknown_host(host: str) -> Finding:
    """Return the finding for a member that is not in the inventory."""
    return Finding(
        "unknown_host",
        "names of inventory hosts",
        f"a list with {host}, which the inventory does not have",
        "correct the name or add the host to the inventory",
        (host,),
        "emqx_cluster_hosts",
    )


def member(
    inventory_host: str,
    management: str,
    settings: Settings,
    listeners: tuple[Listener, ...] = (),
    host_addresses: Texts = (),
) -> Member:
    """Return what the variables of a host say of its node; see ``Member``.

    ``host_addresses`` were read on the host. A container on a network of its own shares its ports
    with no other node.
    """
    return Member(
        inventory_host=inventory_host,
        management=management,
        node_name=settings.node_name,
        node_address=settings.node_address,
        node_addresses=settings.node_addresses,
        node_role=settings.node_role,
        server=settings.server or (inventory_host if settings.bridged else ""),
        instance=settings.instance,
        rpc_port_discovery=settings.rpc_port_discovery,
        rpc_server_port=settings.rpc_server_port,
        version=settings.version,
        license=settings.license_kind,
        listeners=listeners,
        listener_ports=settings.firewall_listener_ports,
        dashboard_ports=settings.firewall_dashboard_ports,
        host_addresses=host_addresses,
    )


def build(
    members: t.Sequence[Member],
    settings: Settings,
    layout: Layout | None = None,
    edition: str = "",
) -> Cluster:
    """Return the model of the cluster made of ``members`` under ``settings``.

    ``layout`` has the paths of files that the discovery strategy names; ``edition`` is opensource,
    enterprise, or "" where it is not known. What users wrote never raises, it is a finding.
    """
    bad_version = list(checks_settings.version(settings.version))
    known = replace(settings, version="") if bad_version else settings
    listed = [_node(member, known) for member in members]
    nodes: dict[str, Node] = {}
    for node in listed:
        nodes.setdefault(node.inventory_host, node)
    unique = list(nodes.values())
    cores = tuple(node.name for node in unique if node.role == "core")
    return Cluster(
        nodes=nodes,
        members=tuple(node.name for node in unique),
        cores=cores,
        replicants=tuple(node.name for node in unique if node.role == "replicant"),
        seeds=cores,
        cluster_ports=tuple(sorted({p for n in unique for p in (n.dist_port, n.rpc_port)})),
        addresses=tuple(sorted({address for node in unique for address in node.addresses})),
        ipv6=checks_names.family(known) == 6,
        rpc=_rpc(known),
        discovery=table.of(known.discovery_strategy).config(known, cores, layout),
        findings=tuple(
            _printable(finding)
            for finding in (*bad_version, *_findings(members, listed, unique, known, edition))
        ),
    )


def _findings(
    members: t.Sequence[Member],
    listed: t.Sequence[Node],
    nodes: t.Sequence[Node],
    settings: Settings,
    edition: str,
) -> t.Iterator[Finding]:
    strategy = table.of(settings.discovery_strategy)
    return itertools.chain(
        checks_names.cluster_name(settings.cluster_name),
        checks_settings.choices(settings, edition),
        checks_settings.transport(settings),
        checks_ports.settings(settings),
        checks_names.members(listed),
        *(checks_names.node_name(node) for node in nodes),
        *(checks_names.node_host(node, settings) for node in nodes),
        *(checks_names.node_addresses(member) for member in members),
        checks_ports.instances(nodes),
        checks_ports.listeners(nodes),
        checks_ports.collisions(nodes, settings),
        checks_ports.rpc(members),
        checks_names.families(nodes),
        checks_roles.roles(nodes, settings, edition),
        checks_license.licenses(nodes, settings.version, edition),
        checks_names.short_names(nodes, strategy.name) if strategy.same_short_names else (),
        strategy.check(nodes, settings),
    )


def _printable(finding: Finding) -> Finding:
    """Return a finding whose texts fit on a line, whatever variables hold."""
    texts = {key: getattr(finding, key) for key in ("expected", "found", "remedy")}
    if all(text.isprintable() for text in texts.values()):
        return finding
    escaped = {key: text.encode("unicode_escape").decode() for key, text in texts.items()}
    return replace(finding, **escaped)


def default_listeners(instance: int) -> tuple[Listener, ...]:
    """Return the listeners that EMQX opens unless its configuration says otherwise, with the ports
    of an instance."""
    step = default_ports.LISTENER_STEP * instance
    clients = [
        Listener(f"{kind}:default", "mqtt", port + step)
        for kind, port in default_ports.LISTENERS.items()
    ]
    return (*clients, Listener("dashboard:http", "dashboard", default_ports.DASHBOARD_PORT + step))


def _node(member: Member, settings: Settings) -> Node:
    management = member.management or member.inventory_host
    address = member.node_address or management
    name = member.node_name or f"emqx{member.instance or ''}@{address}"
    short_name, _at, host = name.partition("@")
    offset = ports.offset_of(name)
    manual, stateless = settings.rpc_server_port, ports.RPC_BASE_PORT + offset
    parsed = checks_names.ip(host)
    # A name on an address says which address its peers see; one on a FQDN does not.
    given = member.node_addresses or ((host,) if parsed else ())
    literals = tuple(text for text in (address, management) if checks_names.ip(text))[:1]
    listeners = member.listeners or default_listeners(member.instance)
    return Node(
        name=name,
        short_name=short_name,
        host=host,
        inventory_host=member.inventory_host,
        server=member.server or management,
        role=member.node_role or "core",
        offset=offset,
        dist_port=ports.DIST_BASE_PORT + offset,
        rpc_port=manual if settings.rpc_port_discovery == "manual" else stateless,
        rpc_port_stateless=stateless,
        rpc_port_manual=manual,
        addresses=given or member.host_addresses or literals,
        host_is_ip=parsed is not None,
        ip_version=parsed.version if parsed else 0,
        version=member.version or settings.version,
        license=member.license or "default",
        instance=member.instance,
        listeners=listeners,
        listener_ports=member.listener_ports or _ports(listeners, _CLIENTS),
        dashboard_ports=member.dashboard_ports or _ports(listeners, ("dashboard",)),
    )


def _ports(listeners: t.Iterable[Listener], kinds: t.Collection[str]) -> tuple[int, ...]:
    found = {each.port for each in listeners if each.enabled and each.kind in kinds}
    return tuple(sorted(found))


def _rpc(settings: Settings) -> Tree:
    version, tls = settings.version, settings.rpc_tls
    discovery = settings.rpc_port_discovery or "stateless"
    keys: Tree = {"port_discovery": discovery}
    if settings.rpc_port_discovery == "manual":
        older = "ssl_server_port" if tls else "tcp_server_port"
        key = "server_port" if versions.feature("rpc_server_port", version) else older
        keys[key] = settings.rpc_server_port
    if tls:
        keys["protocol" if versions.feature("rpc_protocol", version) else "driver"] = "ssl"
    if checks_names.family(settings) == 6 and versions.feature("rpc_listen_address", version):
        # Without ipv6_only its clients would still try the IPv4 address of a name that has both.
        keys.update(listen_address="::", ipv6_only=True)
    return keys
