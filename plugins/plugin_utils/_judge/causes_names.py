# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may be wrong with names and addresses of nodes, a rule for each cause."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    NO_FACTS,
    Facts,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    names,
)

Findings = t.Iterator[Finding]

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def own_name(case: Case) -> Findings:
    for host in case:
        part = case.nodes[host].host
        found = case[host].resolved.get(part, ())
        if not found or case[host].own_address_local:
            continue
        own = names(case.found(host).addresses or ["unknown"])
        if _address(part):
            cause = (
                f"{part}, the address in the name of {host}'s node, is none of {host}'s own: as a "
                "public one, or that of a load balancer, it is translated on the way (NAT)"
            )
            remedy = (
                f"set emqx_node_address of {host} to an address of its own by which all members "
                "reach it, or to a FQDN that leads there on all of them, with rename_node where "
                "the node has run under this name"
            )
        else:
            cause = (
                f"the name of {host}'s own node leads elsewhere: {part} is {names(found)} there, "
                "none of its own addresses"
            )
            remedy = (
                f"on {host}: getent ahosts {part}; mend /etc/hosts or the name server, or "
                f"{PLAYBOOK}rename_node where its address has changed"
            )
        yield Finding(
            "name_not_own",
            "a node name that leads to its own host",
            cause,
            remedy,
            hosts=(host,),
            subject="emqx_node_address" if _address(part) else "",
            evidence=(f"addresses of {host}: {own}",),
            explains=case.all_of(host),
        )


def unresolved(case: Case) -> Findings:
    for target, (part, sources) in _resolutions(case, lambda found, _host, _target: not found):
        yield Finding(
            "name_unresolved",
            "names that every host resolves",
            f"{names(sources)} cannot resolve {part}, the host of node {case.name(target)}",
            f"on {sources[0]}: getent ahosts {part}; add it to DNS, or to /etc/hosts of all hosts",
            hosts=tuple(sources),
            evidence=tuple(f"{source}: no address for {part}" for source in sources),
            explains=_cut(case, sources, target),
        )


def loopback(case: Case) -> Findings:
    def is_loopback(found: t.Sequence[str], host: str, target: str) -> bool:
        same = case.nodes[host].server == case.nodes[target].server
        part = case.nodes[target].host
        others = [_address(each) for each in found if each != part]
        return not same and any(each is not None and each.is_loopback for each in others)

    for target, (part, sources) in _resolutions(case, is_loopback):
        yield Finding(
            "name_loopback",
            "names that lead to their hosts",
            f"on {names(sources)} the name {part} leads back to the host itself, so it does not "
            f"reach node {case.name(target)} of {target}",
            f"on {sources[0]}: grep -n {part} /etc/hosts; remove the loopback line",
            hosts=tuple(sources),
            evidence=tuple(f"{s}: {part} is {names(case[s].resolved[part])}" for s in sources),
            explains=_cut(case, sources, target),
        )


def elsewhere(case: Case) -> Findings:
    def is_elsewhere(found: t.Sequence[str], host: str, target: str) -> bool:
        known = case.found(target).addresses
        if host == target or not found or not known or set(found) & set(known):
            return False
        # Behind a translation of addresses this is right, and the connections come about.
        closed = any((ln.source, ln.target) == (host, target) for ln in case.closed)
        first = _address(found[0])
        return closed and first is not None and not first.is_loopback

    for target, (part, sources) in _resolutions(case, is_elsewhere):
        own = f"addresses of {target}: {names(case.found(target).addresses)}"
        if not _address(part):
            cause = f"on {names(sources)} the name {part} leads to an address that {target} does"
            remedy = f"on {sources[0]}: getent ahosts {part}; mend /etc/hosts or the name server"
            seen = [f"{s}: {part} is {names(case[s].resolved[part])}" for s in sources]
        elif case[target].own_address_local:
            cause = f"{part}, the address in the name of {target}'s node, is one that {target} does"
            remedy = f"set emqx_node_address of {target} to an address that it has and others reach"
            seen = [f"{s}: no connection to {part}" for s in sources]
        else:
            continue
        yield Finding(
            "name_elsewhere",
            "names that lead to their hosts",
            f"{cause} not have",
            remedy,
            hosts=tuple(sources),
            evidence=(*seen, own),
            explains=_cut(case, sources, target),
        )


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _resolutions(
    case: Case, is_wrong: t.Callable[[t.Sequence[str], str, str], bool]
) -> t.Iterator[tuple[str, tuple[str, list[str]]]]:
    """Yield the nodes whose host part some hosts resolve wrongly, with it and these hosts."""
    for target, node in case.nodes.items():
        part = node.host
        asked = [h for h in case if part in case[h].resolved]
        wrong = [h for h in asked if is_wrong(case[h].resolved[part], h, target)]
        if wrong:
            yield target, (part, wrong)


def _cut(case: Case, sources: t.Collection[str], target: str) -> Facts:
    """Return what follows where some hosts do not reach the node of another one, or their own."""
    facts = {link.fact for link in case.closed if link.source in sources and link.target == target}
    rest = [source for source in sources if source != target]
    own = case.all_of(target) if target in sources else NO_FACTS
    return frozenset(facts).union(own, *(case.across([[s], [target]]) for s in rest))


def other_name(case: Case) -> Findings:
    for host in case:
        actual, wanted = case.runs_as(host), case.name(host)
        data_nodes = case.found(host).data_nodes
        stored = [n for n in data_nodes if n != wanted]
        ghosts = [n for n in stored if any(n in case.views[h].stopped for h in case.ready)]
        if actual and actual != wanted:
            default = " (the name in the vendor's configuration)" if "127.0.0.1" in actual else ""
            cause = f"the node of {host} is called {actual}{default}, the inventory has {wanted}"
            code, expected = "other_name", "a node of the inventory's name"
            remedy = f"correct emqx_node_name, or {PLAYBOOK}rename_node"
        elif ghosts or (stored and wanted not in data_nodes):
            old = names(ghosts or stored)
            cause = (
                f"the data directory of {host} holds the database of {old}, not of {wanted}: a "
                "database belongs to one name for ever, so the node starts empty under the new one"
            )
            code, expected = "data_of_other_name", "a database of the node's own name"
            remedy = f"{PLAYBOOK}rename_node, or the old name again"
        else:
            continue
        yield Finding(
            code,
            expected,
            cause,
            f"{remedy} -e emqx_rename_host={host}" if remedy.endswith("rename_node") else remedy,
            hosts=(host,),
            subject="emqx_node_name",
            evidence=(
                f"{host}: its databases are those of {names(stored or [wanted])}",
                *(f"{names(ghosts)} listed as stopped" for _one in ghosts[:1]),
            ),
            explains=case.all_of(host)
            | frozenset({("stopped", n) for n in stored} | {("running", actual)}),
        )
