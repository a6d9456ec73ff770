# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may keep connections between nodes from coming about, a rule for each cause."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    Link,
    names,
    several,
)

Findings = t.Iterator[Finding]

Ports = t.Tuple[t.Tuple[str, int], ...]

_STATES = {
    "filtered": ("gets no answer from", "get no answer from", "a firewall drops it"),
    "no_route": ("has no route to", "have no route to", "the network says that it is unreachable"),
    "refused": ("is refused by", "are refused by", "a firewall rejects it"),
}


def closed_ports(case: Case) -> Findings:
    """Group connections that fare alike, so that a firewall rule is one finding and not many."""
    by_target: dict[tuple[str, str, Ports], list[str]] = {}
    for (source, target, state), links in _pairs(case).items():
        ports = tuple(sorted((link.kind, link.port) for link in links))
        by_target.setdefault((target, state, ports), []).append(source)
    groups: dict[tuple[str, Ports, tuple[str, ...]], list[str]] = {}
    for (target, state, ports), sources in by_target.items():
        groups.setdefault((state, ports, tuple(sorted(sources))), []).append(target)
    for (state, ports, froms), targets in groups.items():
        yield _closed(case, froms, targets, state, ports)


def _pairs(case: Case) -> dict[tuple[str, str, str], list[Link]]:
    found: dict[tuple[str, str, str], list[Link]] = {}
    for link in case.closed:
        if link.state in _STATES and not _only_down(case, link):
            found.setdefault((link.source, link.target, link.state), []).append(link)
    return found


def _only_down(case: Case, link: Link) -> bool:
    """Tell whether nobody listens there: then the port is closed because of the node."""
    return link.state == "refused" and not case.listens(link.target, link.port)


def _closed(
    case: Case, froms: tuple[str, ...], targets: list[str], state: str, ports: Ports
) -> Finding:
    one, many, why = _STATES[state]
    links = [ln for ln in case.closed if ln.source in froms and ln.target in targets]
    links = [ln for ln in links if ln.state == state]
    own = list(froms) == targets
    back = {(ln.target, ln.source) for ln in case.links if ln.state == "open"}
    one_way = not own and all((ln.source, ln.target) in back for ln in links)
    facts = frozenset(link.fact for link in links)
    effect = "; the cluster forms, but messages between these nodes are lost"
    if any(kind == "distribution" for kind, _port in ports):
        effect = ""
        pairs = [case.across([[source], [each]]) for source in froms for each in targets]
        facts = facts.union(*([case.all_of(targets[0])] if own else pairs))
    shown = names(f"{kind} port {port}" for kind, port in ports)
    whom = "its own address" if own else names(targets)
    return Finding(
        "closed_port",
        "open distribution and RPC ports between all nodes",
        f"{names(froms)} {several(froms, one, many)} {whom} on the {shown}: {why}"
        f"{', in this direction only' if one_way else ''}{effect}",
        f"on {targets[0]}: nft list ruleset (or firewall-cmd --list-all, ufw status), and any "
        f"firewall between them; {PLAYBOOK}site opens the cluster's ports on the hosts",
        hosts=tuple(sorted({*froms, *targets})),
        evidence=tuple(
            f"{ln.source} -> {ln.target} tcp {ln.port} ({ln.kind}): {ln.state}" for ln in links
        ),
        explains=facts,
        about=frozenset(link.fact for link in links),
    )


def not_listening(case: Case) -> Findings:
    for host in case.ready:
        node, sockets = case.nodes[host], case.found(host).sockets
        if sockets is None or case.runs_as(host) != node.name:
            continue
        for port, kind in ((node.dist_port, "distribution"), (node.rpc_port, "RPC")):
            if case.holds(host, port):
                continue
            listening = names(sorted({each.port for each in sockets}) or ["none"])
            yield Finding(
                "not_listening",
                "a node that listens on its ports",
                f"the node of {host} runs but does not listen on its {kind} port {port}",
                f"compare rpc.port_discovery and the node's name on {host} with the inventory",
                hosts=(host,),
                evidence=(f"listening there: {listening}",),
                explains=frozenset(ln.fact for ln in case.closed if ln.target == host),
                mended=True,
            )
