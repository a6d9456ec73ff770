# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may be wrong between the nodes, a rule per cause. Pure: a case in, findings out.

As on one host, only what explains something that is seen now becomes a finding.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import matching
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    ERROR,
    NOTHING,
    PLAYBOOK,
    WARNING,
    Case,
    Fact,
    Finding,
    Link,
    apart,
    names,
    several,
)

Findings = t.Iterator[Finding]

_NODE = re.compile(r"[0-9A-Za-z_-]+@[0-9A-Za-z.:_-]*[0-9A-Za-z]")


def own_name(case: Case) -> Findings:
    for host in case:
        ways = case.answer(host, "ways").get("probe") or {}
        part = case.nodes[host]["host"]
        found = (ways.get("resolved") or {}).get(part, [])
        if ways and found and not ways.get("own_address_local", True):
            yield Finding(
                "name_not_own",
                (host,),
                "a node name that leads to its own host",
                f"The name of {host}'s own node leads elsewhere: {part} is {names(found)} there, "
                "none of its own addresses.",
                (f"addresses of {host}: {names(case.found(host).get('addresses') or ['-'])}",),
                f"on {host}: getent ahosts {part}; mend /etc/hosts or the name server, or "
                f"{PLAYBOOK}rename_node where its address has changed",
                explains=case.all_of(host),
            )


def unresolved(case: Case) -> Findings:
    for target, (part, sources) in _resolutions(case, lambda found, _host, _target: not found):
        yield Finding(
            "name_unresolved",
            tuple(sources),
            "names that every host resolves",
            f"{names(sources)} cannot resolve {part}, the host of node {case.name(target)}.",
            tuple(f"{source}: no address for {part}" for source in sources),
            f"on {sources[0]}: getent ahosts {part}; add it to DNS, or to /etc/hosts of all hosts",
            explains=_cut(case, sources, target),
        )


def loopback(case: Case) -> Findings:
    def is_loopback(found: list[str], host: str, target: str) -> bool:
        same = case.nodes[host].get("server") == case.nodes[target].get("server")
        part = case.nodes[target]["host"]
        others = [each for each in found if each != part]
        return not same and any(ipaddress.ip_address(each).is_loopback for each in others)

    for target, (part, sources) in _resolutions(case, is_loopback):
        yield Finding(
            "name_loopback",
            tuple(sources),
            "names that lead to their hosts",
            f"On {names(sources)} the name {part} leads back to the host itself, so it does not "
            f"reach node {case.name(target)} of {target}.",
            tuple(f"{s}: {part} is {names(_resolved(case, s, part))}" for s in sources),
            f"on {sources[0]}: grep -n {part} /etc/hosts; remove the loopback line",
            explains=_cut(case, sources, target),
        )


def elsewhere(case: Case) -> Findings:
    def is_elsewhere(found: list[str], host: str, target: str) -> bool:
        known = case.found(target).get("addresses") or []
        if host == target or not found or not known or set(found) & set(known):
            return False
        # Behind a translation of addresses this is right, and the connections come about.
        closed = any((ln.source, ln.target) == (host, target) for ln in case.closed)
        return closed and not ipaddress.ip_address(found[0]).is_loopback

    for target, (part, sources) in _resolutions(case, is_elsewhere):
        yield Finding(
            "name_elsewhere",
            tuple(sources),
            "names that lead to their hosts",
            f"On {names(sources)} the name {part} leads to an address that {target} does not have.",
            (
                *(f"{s}: {part} is {names(_resolved(case, s, part))}" for s in sources),
                f"addresses of {target}: {names(case.found(target)['addresses'])}",
            ),
            f"on {sources[0]}: getent ahosts {part}; mend /etc/hosts or the name server",
            explains=_cut(case, sources, target),
        )


def _resolved(case: Case, host: str, part: str) -> list[str]:
    ways = case.answer(host, "ways").get("probe") or {}
    return list((ways.get("resolved") or {}).get(part, []))


def _resolutions(
    case: Case, is_wrong: t.Callable[[list[str], str, str], bool]
) -> t.Iterator[tuple[str, tuple[str, list[str]]]]:
    """Yield the nodes whose host part some hosts resolve wrongly, with it and these hosts."""
    for target, node in case.nodes.items():
        part = node["host"]
        asked = [
            h
            for h in case
            if part in (case.answer(h, "ways").get("probe") or {}).get("resolved", {})
        ]
        wrong = [h for h in asked if is_wrong(_resolved(case, h, part), h, target)]
        if wrong:
            yield target, (part, wrong)


def _cut(case: Case, sources: t.Collection[str], target: str) -> frozenset[Fact]:
    """Return what follows where some hosts do not reach the node of another one, or their own."""
    facts = {link.fact for link in case.closed if link.source in sources and link.target == target}
    rest = [source for source in sources if source != target]
    own = case.all_of(target) if target in sources else NOTHING
    return frozenset(facts).union(own, *(case.across([[s], [target]]) for s in rest))


def certificates(case: Case) -> Findings:
    for host in case:
        for use, found in _by_file(case.answer(host, "certificates").get("problems", ())):
            yield Finding(
                f"certificate_{found['code']}",
                (host,),
                "a certificate that its peers accept",
                f"The {use} certificate of {host} is refused by its peers, and by its own command "
                f"line: expected {found['expected']}, found {found['found']}.",
                (f"{host}: {found['path']}",),
                f"{found['remedy']}; on {host}: openssl x509 -noout -text -in {found['path']}",
                explains=case.all_of(host),
                mended=case.renews(host),
            )
        for use, found in _by_file(case.answer(host, "certificates").get("ending", ())):
            yield Finding(
                "certificate_ends",
                (host,),
                "a certificate that stays valid",
                f"The {use} certificate of {host} ends soon: {found['found']}.",
                (f"{host}: {found['path']}",),
                f"{PLAYBOOK}rotate_certs renews those of its own CA, or takes new ones of yours",
                severity=WARNING,
            )


def _by_file(
    problems: t.Iterable[t.Mapping[str, str]],
) -> t.Iterator[tuple[str, t.Mapping[str, str]]]:
    """Yield what each certificate is for, and what is wrong with it."""
    found: dict[tuple[str, str], list[t.Mapping[str, str]]] = {}
    for problem in problems:
        found.setdefault((problem["path"], problem["code"]), []).append(problem)
    for same in found.values():
        yield names(problem["use"] for problem in same), same[0]


def foreign_ca(case: Case) -> Findings:
    groups = case.by_value(lambda host: str(case.answer(host, "certificates").get("ca", "")))
    # While the CA is replaced, some trust the old and the new one.
    if len(groups) > 1 and not frozenset.intersection(
        *(frozenset(ca.split()) for ca, _hosts in groups)
    ):
        sets = [hosts for _ca, hosts in groups]
        few = [host for hosts in sets[1:] for host in hosts]
        yield Finding(
            "certificate_other_ca",
            tuple(few),
            "one CA for all nodes",
            f"{names(few)} {several(few, 'trusts', 'trust')} another CA than {names(sets[0])}, so "
            "they refuse one another's certificates.",
            tuple(f"{names(hosts)}: CA {ca}" for ca, hosts in groups),
            f"give all nodes certificates of one CA: {PLAYBOOK}rotate_certs",
            explains=case.across(sets),
            mended=any(map(case.renews, case)),
        )


# Settings in which all nodes have to agree to talk to one another: their name in a view, and
# EMQX's default.
_AGREED = {
    "cluster.proto_dist": ("proto_dist", "inet_tcp"),
    "rpc.protocol": ("rpc_protocol", "tcp"),
    "rpc.port_discovery": ("rpc_port_discovery", "stateless"),
}


def transport(case: Case) -> Findings:
    for key, (in_view, default) in _AGREED.items():

        def value(host: str, key: str = key, in_view: str = in_view, default: str = default) -> str:
            told = case.views[host].get(in_view)
            return str(told or (case.setting(host, key, default) if case.found(host) else ""))

        groups = case.by_value(value)
        if len(groups) < 2:
            continue
        sets = [hosts for _value, hosts in groups]
        few = [host for hosts in sets[1:] for host in hosts]
        listed = "; ".join(f"{names(hosts)}: {shown}" for shown, hosts in groups)
        yield Finding(
            "transport",
            tuple(few),
            "one way to talk for all nodes",
            f"The nodes do not agree in {key} ({listed}), which has to be the same on all.",
            tuple(f"{names(hosts)}: {key} is {shown}" for shown, hosts in groups),
            f"set one value for all hosts and run {PLAYBOOK}site with "
            "emqx_allow_full_restart=true: all have to restart together",
            explains=case.across(sets),
            mended=True,
        )


def cookie(case: Case) -> Findings:
    def at_start(host: str) -> str:
        return str(case.config(host).get("cookie_fingerprint") or "")

    def running(host: str) -> str:
        view = case.views[host].get("cookie_fingerprint")
        return str(case.process(host).get("cookie_fingerprint") or view or "")

    changed = [h for h in case if running(h) and at_start(h) and running(h) != at_start(h)]
    groups = case.by_value(lambda host: running(host) or at_start(host))
    evidence = [
        *(f"{names(hosts)}: cookie {mark}" for mark, hosts in groups),
        *(f"{h}: runs with {running(h)}, its files have {at_start(h)}" for h in changed),
    ]
    if len(groups) > 1:
        sets = [hosts for _mark, hosts in groups]
        few = [host for hosts in sets[1:] for host in hosts]
        late = [h for h in changed if at_start(h) in dict(groups)]
        note = f" {names(late)} got another one but did not restart since." if late else ""
        logs = [line for host in case for line in case.log(host, "cookie")]
        yield Finding(
            "cookie",
            tuple(few),
            "one cookie for all nodes",
            f"{names(few)} {several(few, 'has', 'have')} another cookie than {names(sets[0])}, so "
            f"they refuse each other's connections.{note}",
            (*evidence, *logs[-3:]),
            f"set one emqx_cookie for all hosts and run {PLAYBOOK}site with "
            "emqx_allow_full_restart=true",
            explains=case.across(sets),
            mended=True,
        )
    elif changed:
        yield Finding(
            "cookie_pending",
            tuple(changed),
            "nodes that run with the cookie of their files",
            f"The cookie in the files of {names(changed)} was changed but not taken up by a "
            "restart: after the next one "
            f"{several(changed, 'it refuses', 'they refuse')} the others.",
            tuple(evidence),
            f"restart all nodes together: {PLAYBOOK}site -e emqx_allow_full_restart=true",
            severity=WARNING,
        )


_STATES = {
    "filtered": ("gets no answer from", "get no answer from", "a firewall drops it"),
    "no_route": ("has no way to", "have no way to", "the network says that it is unreachable"),
    "refused": ("is refused by", "are refused by", "a firewall rejects it"),
}


def closed_ports(case: Case) -> Findings:
    """Group connections that fare alike, so that a firewall rule is one finding and not many."""
    by_target: dict[tuple[str, str, tuple[tuple[str, int], ...]], list[str]] = {}
    for (source, target, state), links in _pairs(case).items():
        ports = tuple(sorted((link.kind, link.port) for link in links))
        by_target.setdefault((target, state, ports), []).append(source)
    groups: dict[tuple[str, tuple[tuple[str, int], ...], tuple[str, ...]], list[str]] = {}
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
    case: Case,
    froms: tuple[str, ...],
    targets: list[str],
    state: str,
    ports: tuple[tuple[str, int], ...],
) -> Finding:
    one, many, why = _STATES[state]
    links = [ln for ln in case.closed if ln.source in froms and ln.target in targets]
    links = [ln for ln in links if ln.state == state]
    own = list(froms) == targets
    back = {(ln.target, ln.source) for ln in case.links if ln.state == "open"}
    one_way = not own and all((ln.source, ln.target) in back for ln in links)
    facts = frozenset(link.fact for link in links)
    effect = "The cluster forms, but messages between these nodes are lost."
    if any(kind == "distribution" for kind, _port in ports):
        effect = ""
        pairs = [case.across([[source], [each]]) for source in froms for each in targets]
        facts = facts.union(*([case.all_of(targets[0])] if own else pairs))
    shown = names(f"{kind} port {port}" for kind, port in ports)
    cause = (
        f"{names(froms)} {several(froms, one, many)} {'its own address' if own else names(targets)}"
    )
    cause += f" on the {shown}: {why}{', in this direction only' if one_way else ''}. {effect}"
    return Finding(
        "closed_port",
        tuple(sorted({*froms, *targets})),
        "open distribution and RPC ports between all nodes",
        cause.strip(),
        tuple(f"{ln.source} -> {ln.target} tcp {ln.port} ({ln.kind}): {ln.state}" for ln in links),
        f"on {targets[0]}: nft list ruleset (or firewall-cmd --list-all, ufw status), and any "
        f"firewall between them; {PLAYBOOK}site opens the cluster's ports on the hosts",
        explains=facts,
        about=frozenset(link.fact for link in links),
    )


def not_listening(case: Case) -> Findings:
    for host in case.ready:
        found = case.found(host)
        for key, kind in (("dist_port", "distribution"), ("rpc_port", "RPC")):
            port = case.nodes[host].get(key)
            if "listening" in found and case.runs_as(host) == case.name(host):
                if str(port) in found["listening"]:
                    continue
                yield Finding(
                    "not_listening",
                    (host,),
                    "a node that listens on its ports",
                    f"The node of {host} runs but does not listen on its {kind} port {port}.",
                    (f"listening there: {names(found['listening'] or ['none'])}",),
                    f"compare rpc.port_discovery and the node's name on {host} with the inventory",
                    explains=frozenset(ln.fact for ln in case.closed if ln.target == host),
                    mended=True,
                )


def expelled(case: Case) -> Findings:
    for host in case.not_ready:
        name, found = case.name(host), case.found(host)
        others = [h for h in case.ready if h != host]
        if name not in (found.get("data_nodes") or ()) or not others:
            continue
        # The cores do not remember a replicant that is down.
        if case.nodes[host].get("role") == "replicant":
            continue
        if any(case.lists(other, name) for other in others) or _still_starting(case, host):
            continue
        idle = case.unit(host).get("active") == "inactive"
        # Nodes that are alone may never have been in a cluster with it.
        lonely = all(len(_members(case, other)) < 2 for other in others)
        if lonely and not case.log(host, "expelled"):
            continue
        yield Finding(
            "expelled",
            (host,),
            "a member that the others list",
            f"The node of {host} is no member any more, {names(others)} do not list it: "
            + (
                "it is stopped, and where it was force-left it cannot boot on the database it has."
                if idle
                else "it was force-left (or removed by autoclean) while it was down, and cannot "
                "boot on the database it still has."
            ),
            (
                f"{host}: a database of {name} is in its data directory",
                *(f"{h} lists {names(_members(case, h))}" for h in others),
                *case.log(host, "expelled", "crash", "waiting"),
            ),
            f"set emqx_allow_data_loss: true for {host} and run {PLAYBOOK}add_node -e "
            f"emqx_new_hosts={host}: its database is moved aside and it joins as a new node",
            explains=case.all_of(host),
            about=frozenset({("down", host)}),
            # Whether it can boot shows when it is started.
            mended=idle,
        )


def _still_starting(case: Case, host: str) -> bool:
    return case.views[host]["state"] == "booting" and "waiting for" not in case.reason(host)


def _members(case: Case, host: str) -> list[str]:
    view = case.views[host]
    return [*view.get("running_nodes", ()), *view.get("stopped_nodes", ())]


def waiting(case: Case) -> Findings:
    """Who waits for whom, those that wait for the same nodes together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for host in case.not_ready:
        if case.views[host]["state"] == "booting" and "waiting for table" in case.reason(host):
            text = case.reason(host) + " ".join(case.log(host, "waiting"))
            awaited = sorted({name for name in _NODE.findall(text) if name != case.name(host)})
            groups.setdefault(tuple(awaited), []).append(host)
    for wanted, hosts in groups.items():
        awaited = list(wanted)
        down = [case.host_of[name] for name in awaited if case.host_of.get(name) in case.not_ready]
        idle = [h for h in down if case.unit(h).get("active") == "inactive"]
        yield Finding(
            "waiting_for_tables",
            tuple(hosts),
            "all nodes that hold the newest data",
            f"{names(hosts)} {several(hosts, 'waits', 'wait')} for {names(awaited or ['others'])}, "
            "which stopped later and "
            f"{several(awaited, 'holds', 'hold')} newer data"
            + (f"; {names(idle)} {several(idle, 'is', 'are')} stopped." if idle else "."),
            tuple(f"{h}: {case.reason(h)}" for h in hosts),
            "start all cores at once: "
            f"ansible {','.join(sorted({*hosts, *down}))} -b -m ansible.builtin.systemd_service -a "
            "'name=emqx state=started'; if they are lost for good, see emqx_cluster_rescue",
            explains=frozenset({("down", h) for h in [*hosts, *idle]}),
            about=frozenset({("down", h) for h in hosts}),
            mended=True,
        )


def discovery(case: Case) -> Findings:
    for host in case.ready:
        strategy = case.views[host].get("discovery_strategy") or case.setting(
            host, "cluster.discovery_strategy", "manual"
        )
        answer = case.answer(host, "discovery").get("discovery") or {}
        found = _discovered(case, host, str(strategy), answer)
        cut = case.apart_of(host)
        # One that has others met them before, whatever it would find now.
        alone = not set(case.views[host].get("running_nodes", ())) - {case.runs_as(host)}
        if found is None or not cut or not alone:
            continue
        others = [name for name in found if name != case.name(host) and name in case.all_names]
        foreign = [name for name in found if name not in case.all_names]
        if others:
            continue
        what = f"only {names(foreign)}, no member" if foreign else "no other node"
        yield Finding(
            "discovery_others" if foreign else "discovery_nobody",
            (host,),
            "discovery that finds the members",
            f"Discovery ({strategy}) on {host} finds {what}, so its node stays alone.",
            (
                f"{host}: found {names(found or ['nothing'])}, wanted {names(case.all_names)}",
                *(f"{host}: {problem}" for problem in answer.get("problems", ())),
                *case.log(host, "discovery"),
            ),
            f"{PLAYBOOK}site writes the members as seeds; with dns, etcd or k8s see that its "
            "records have exactly the nodes' names",
            explains=cut,
            about=cut,
            # The seeds are those of the inventory; records are made elsewhere.
            mended=strategy == "static",
        )


def _discovered(
    case: Case, host: str, strategy: str, answer: t.Mapping[str, t.Any]
) -> list[str] | None:
    """Return the node names that discovery gives, None where that is not known or not used."""
    if "names" in answer:
        return list(answer["names"])
    if strategy != "static":
        return None
    seeds = case.setting(host, "cluster.static.seeds", None)
    if isinstance(seeds, str):
        return [seed.strip() for seed in seeds.split(",") if seed.strip()]
    return None if seeds is None else list(seeds)


# What a deployment puts on the hosts itself, and what nodes or the operator have to make first.
_BROUGHT = frozenset({"etcd_file", "etcd_no_certificate", "k8s_file", "no_token", "no_key"})
# The same where it replaces the files by which the host asked.
_ASKED_BY_FILES = frozenset(
    {"etcd_other_ca", "etcd_certificate_refused", "k8s_other_ca", "unauthorized", "forbidden"}
)
_TO_COME = frozenset(
    {
        *("no_such_name", "no_records", "dns_silent", "no_resolver", "no_service"),
        *("no_record", "no_endpoint", "endpoint_not_ready", "stale_key"),
    }
)
_FOREIGN = frozenset({"key_of_nobody", "record_of_nobody", "endpoint_of_nobody"})


def service(case: Case) -> Findings:
    """What a service will tell nodes at their next start, those told alike together.

    Where nothing else is wrong, nodes that have met would not find one another again.
    """
    to_come = case.not_ready if case.to_build else []
    have_met = [] if case.not_ready or case.apart else case.ready
    groups: dict[tuple[str, str], list[str]] = {}
    for host in to_come or have_met:
        answer = case.answer(host, "discovery").get("discovery") or {}
        for reason, sentence in matching.reasons(answer):
            if reason in _BROUGHT or (reason in _ASKED_BY_FILES and case.replaces(host)):
                continue
            # A failure is said of the host that asked, and some of no host at all.
            whose, _colon, rest = sentence.partition(": ")
            shared = rest if reason == answer["failure"] or whose == "Cluster" else sentence
            groups.setdefault((reason, shared), []).append(host)
    for (reason, sentence), hosts in groups.items():
        yield Finding(
            "discovery_others" if reason in _FOREIGN else "discovery_nobody",
            tuple(hosts),
            "discovery that finds the members",
            f"What {names(hosts)} {several(hosts, 'is', 'are')} told by discovery: {sentence}",
            (),
            matching.remedy(reason),
            severity=WARNING if have_met or reason in _TO_COME else ERROR,
            # A node that ended for want of etcd was named before.
            about=frozenset({("down", host) for host in hosts if reason.startswith("etcd_")}),
        )


def groups_of(case: Case) -> list[list[str]]:
    """Return the nodes in operation by what they see running, the largest group first."""
    seen: dict[tuple[str, ...], list[str]] = {}
    for host in case.ready:
        seen.setdefault(tuple(sorted(case.views[host]["running_nodes"])), []).append(host)
    return sorted(seen.values(), key=lambda hosts: -len(hosts))


def divided(case: Case) -> Findings:
    """Split brain: parts that know each other; or clusters of their own, which do not."""
    if not case.apart:
        return
    groups = groups_of(case)
    if len(groups) < 2:
        return
    sets = " | ".join("{" + ", ".join(hosts) + "}" for hosts in groups)
    seen = tuple(
        f"{h}: sees {names(case.views[h]['running_nodes'])} running, "
        f"{names(case.views[h]['stopped_nodes'] or ['none'])} stopped"
        for h in case.ready
    )
    small = ",".join(host for hosts in groups[1:] for host in hosts)
    strangers = _strangers(case, groups)
    if strangers:
        yield Finding(
            "not_joined",
            tuple(strangers),
            "a member of the cluster",
            f"{names(strangers)} {several(strangers, 'runs', 'run')} but "
            f"{several(strangers, 'is no member', 'are no members')}: "
            f"{several(strangers, 'it', 'they')} never joined, or left ({sets}).",
            seen,
            f"{PLAYBOOK}site, or add_node -e emqx_new_hosts={','.join(strangers)}",
            explains=frozenset[Fact]().union(*map(case.apart_of, strangers)),
            about=frozenset[Fact]().union(*map(case.apart_of, strangers)),
            mended=True,
        )
    logs = [line for host in case.ready for line in case.log(host, "partition")]
    yield Finding(
        "split_brain",
        tuple(case.ready),
        "one cluster",
        f"Split brain: the members were cut off from each other and run on in {len(groups)} parts "
        f"that take writes apart, {sets}.",
        (*seen, *logs[-3:]),
        "restart the part whose writes since then may be lost, node by node, as it takes the "
        f"data of the others: ansible {small} -b -f 1 -m ansible.builtin.systemd_service -a "
        "'name=emqx state=restarted'",
        explains=case.apart,
        about=case.apart,
    )


def _strangers(case: Case, groups: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Return the hosts of smaller groups that the first one does not know at all."""
    return [
        host
        for hosts in groups[1:]
        for host in hosts
        if not any(case.lists(other, case.runs_as(host)) for other in groups[0])
        and not any(case.lists(host, case.runs_as(other)) for other in groups[0])
    ]


def unexplained(case: Case) -> Findings:
    for fact in sorted(case.apart):
        _kind, one, other = fact
        yield Finding(
            "apart",
            (one, other),
            "nodes that see each other",
            f"{one} and {other} do not see each other, and none of the known causes was found.",
            tuple(f"{h}: sees {names(case.views[h]['running_nodes'])}" for h in (one, other)),
            f"ask again in a minute; on {one}: tail /var/log/emqx/emqx.log.1",
            about=frozenset({apart(one, other)}),
            # It may just have started, and be waited for.
            mended=True,
        )


def out_of_sync(case: Case) -> Findings:
    for host in case.ready:
        sync = case.views[host].get("config_sync") or {}
        if sync.get("in_sync") is not False:
            continue
        running = {n: sync["tnx_ids"].get(n, 0) for n in case.views[host]["running_nodes"]}
        late = [n for n, number in running.items() if number < max(running.values())]
        yield Finding(
            "config_out_of_sync",
            tuple(case.host_of[name] for name in late if name in case.host_of),
            "nodes that followed all changes of the configuration",
            f"{names(late)} did not follow the last changes of the configuration at run time.",
            tuple(f"{name}: change {number}" for name, number in sorted(running.items())),
            f"on {host}: emqx ctl conf cluster_sync status, then emqx ctl conf cluster_sync fix "
            "(EMQX 5.8 and newer)",
        )
        return


# What may, or has to, differ from node to node; and what has a rule of its own.
_LOCAL_KEYS = re.compile(
    r"node\.|log\.|rpc\.(?:listen_address|\w*file)$|.*\.(?:bind|certfile|keyfile|cacertfile)$"
    r"|license\.key$|dashboard\.default_password$|(?:" + "|".join(map(re.escape, _AGREED)) + ")$"
)


def drift(case: Case) -> Findings:
    for source, title in (("keys", "files"), ("runtime_keys", "cluster.hocon")):
        readable = [host for host in case if not case.config(host).get("error")]
        tables = {host: case.config(host).get(source) or {} for host in readable}
        # Nothing at all is a host where EMQX was never set up, or no change at run time.
        tables = {host: table for host, table in tables.items() if table}
        keys = sorted({key for table in tables.values() for key in table})
        differing: dict[tuple[str, ...], list[str]] = {}
        for key in keys:
            if _LOCAL_KEYS.match(key):
                continue
            few = _minority({host: table.get(key, "unset") for host, table in tables.items()})
            if few:
                differing.setdefault(few, []).append(key)
        for hosts, found in differing.items():
            shown = names(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
            yield Finding(
                "config_drift",
                hosts,
                "the same configuration on all nodes",
                f"The configuration of {names(hosts)} ({title}) differs from that of the others in "
                f"{shown}.",
                tuple(f"{key}: {names(hosts)} against the others" for key in found[:6]),
                f"{PLAYBOOK}site --check --diff --limit {','.join(hosts)}"
                if source == "keys"
                else f"on {hosts[0]}: emqx ctl conf cluster_sync status",
                severity=WARNING,
            )


def _minority(values: t.Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts whose value is not the one that most have."""
    counts = {value: list(values.values()).count(value) for value in values.values()}
    common = max(counts, key=lambda value: counts[value], default="")
    return tuple(sorted(host for host, value in values.items() if value != common))


def versions(case: Case) -> Findings:
    groups = case.by_value(case.version, case.ready)
    if len(groups) > 1:
        yield Finding(
            "versions",
            tuple(host for _version, hosts in groups[1:] for host in hosts),
            "one version on all nodes",
            "The nodes run different versions, which is right only during an upgrade: "
            + "; ".join(f"{version} on {names(hosts)}" for version, hosts in groups)
            + ".",
            (),
            "finish the upgrade; change no configuration until then",
            severity=WARNING,
        )
