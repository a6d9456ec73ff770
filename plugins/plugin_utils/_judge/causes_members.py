# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Who is in the cluster and should not be, or is not and should be, a rule for each cause."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    NO_FACTS,
    WARNING,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    apart,
    names,
    several,
)

Findings = t.Iterator[Finding]

_NODE = re.compile(r"[0-9A-Za-z_-]{1,200}@[0-9A-Za-z.:_-]{0,250}[0-9A-Za-z]")


def expelled(case: Case) -> Findings:
    for host in case.not_ready:
        name = case.name(host)
        others = [h for h in case.ready if h != host]
        if name not in case.found(host).data_nodes or not others:
            continue
        # The cores do not remember a replicant that is down.
        if case.nodes[host].role == "replicant":
            continue
        if any(case.lists(other, name) for other in others) or _still_starting(case, host):
            continue
        idle = case.unit(host).idle
        # Nodes that are alone may never have been in a cluster with it.
        lonely = all(len(case.views[other].listed) < 2 for other in others)
        if lonely and not case.log(host, "expelled"):
            continue
        yield Finding(
            "expelled",
            "a member that the others list",
            f"the node of {host} is no member any more, {names(others)} do not list it: "
            + (
                "it is stopped, and where it was force-left it cannot boot on the database it has"
                if idle
                else "it was force-left (or removed by autoclean) while it was down, and cannot "
                "boot on the database it still has"
            ),
            f"set emqx_allow_data_loss: true for {host} and run {PLAYBOOK}add_node -e "
            f"emqx_new_hosts={host}: its database is moved aside and it joins as a new node",
            hosts=(host,),
            evidence=(
                f"{host}: a database of {name} is in its data directory",
                *(f"{h} lists {names(case.views[h].listed)}" for h in others),
                *case.log(host, "expelled", "crash", "waiting"),
            ),
            explains=case.all_of(host),
            about=frozenset({("down", host)}),
            # Whether it can boot shows when it is started.
            mended=idle,
        )


def _still_starting(case: Case, host: str) -> bool:
    return case.views[host].state == "booting" and "waiting for" not in case.reason(host)


def waiting(case: Case) -> Findings:
    """Who waits for whom, those that wait for the same nodes together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for host in case.not_ready:
        view = case.views[host]
        if view.state != "booting":
            continue
        text = view.reason + " ".join(case.log(host, "waiting"))
        awaited = sorted({name for name in _NODE.findall(text) if name != case.name(host)})
        up = [name for name in awaited if case.host_of.get(name) in case.ready]
        waits = "waiting for table" in view.reason
        if (view.copying and up == awaited) or (waits and awaited and up == awaited):
            yield _copying(case, host, awaited)
        elif waits:
            groups.setdefault(tuple(awaited), []).append(host)
    for wanted, hosts in groups.items():
        yield _waiting(case, list(wanted), hosts)


def _copying(case: Case, host: str, sources: list[str]) -> Finding:
    """A node that has just joined gets its tables from members that run."""
    tables = names(case.views[host].copying) if case.views[host].copying else "its tables"
    source = f" from {names(sources)}" if sources else ""
    return Finding(
        "copying_tables",
        "a node in operation",
        f"the node of {host} is copying {tables}{source}, as it does after it joined or was away",
        f"wait: it takes as long as the data and the network need; then {PLAYBOOK}doctor",
        hosts=(host,),
        evidence=tuple(filter(None, [case.reason(host)])),
        severity=WARNING,
        explains=frozenset({("down", host)}) | case.apart_of(host),
        about=frozenset({("down", host)}),
    )


def _waiting(case: Case, awaited: list[str], hosts: list[str]) -> Finding:
    down = [case.host_of[name] for name in awaited if case.host_of.get(name) in case.not_ready]
    idle = [h for h in down if case.unit(h).idle]
    stopped = f"; {names(idle)} {several(idle, 'is', 'are')} stopped" if idle else ""
    return Finding(
        "waiting_for_tables",
        "all nodes that hold the newest data",
        f"{names(hosts)} {several(hosts, 'waits', 'wait')} for {names(awaited or ['others'])}, "
        f"which stopped later and {several(awaited, 'holds', 'hold')} newer data{stopped}",
        "start all cores at once: "
        f"ansible {','.join(sorted({*hosts, *down}))} -b -m ansible.builtin.systemd_service -a "
        "'name=emqx state=started'; if they are lost for good, see emqx_cluster_rescue",
        hosts=tuple(hosts),
        evidence=tuple(f"{h}: {case.reason(h)}" for h in hosts),
        explains=frozenset({("down", h) for h in [*hosts, *idle]}),
        about=frozenset({("down", h) for h in hosts}),
        mended=True,
    )


def groups_of(case: Case) -> list[list[str]]:
    """Return the nodes in operation by what they see running, the largest group first."""
    seen: dict[frozenset[str], list[str]] = {}
    for host in case.ready:
        seen.setdefault(case.running[host], []).append(host)
    return sorted(seen.values(), key=lambda hosts: -len(hosts))


def divided(case: Case) -> Findings:
    """Split brain: parts that know each other; or clusters of their own, which do not."""
    groups = groups_of(case) if case.apart else []
    if len(groups) < 2:
        return
    sets = " | ".join("{" + ", ".join(hosts) + "}" for hosts in groups)
    seen = tuple(
        f"{h}: sees {names(case.views[h].running or ['none'])} running, "
        f"{names(case.views[h].stopped or ['none'])} stopped"
        for h in case.ready
    )
    strangers = _strangers(case, groups)
    if strangers:
        facts = NO_FACTS.union(*map(case.apart_of, strangers))
        yield Finding(
            "not_joined",
            "a member of the cluster",
            f"{names(strangers)} {several(strangers, 'runs', 'run')} but "
            f"{several(strangers, 'is no member', 'are no members')}: "
            f"{several(strangers, 'it', 'they')} never joined, or left ({sets})",
            f"{PLAYBOOK}site, or add_node -e emqx_new_hosts={','.join(strangers)}",
            hosts=tuple(strangers),
            evidence=seen,
            explains=facts,
            about=facts,
            mended=True,
        )
    yield _split_brain(case, groups, sets, seen)


def _split_brain(case: Case, groups: list[list[str]], sets: str, seen: tuple[str, ...]) -> Finding:
    small = ",".join(host for hosts in groups[1:] for host in hosts)
    logs = [line for host in case.ready for line in case.log(host, "partition")]
    return Finding(
        "split_brain",
        "one cluster",
        f"split brain: the members were cut off from each other and run on in {len(groups)} parts "
        f"that take writes apart, {sets}",
        "restart the part whose writes since then may be lost, node by node, as it takes the "
        f"data of the others: ansible {small} -b -f 1 -m ansible.builtin.systemd_service -a "
        "'name=emqx state=restarted'",
        hosts=tuple(case.ready),
        evidence=(*seen, *logs[-3:]),
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


def uninvited(case: Case) -> Findings:
    running = {name for host in case.ready for name in case.running[host]}
    known = case.all_names | {case.runs_as(host) for host in case}
    for name in sorted(running - known):
        yield Finding(
            "came_back",
            "only members that the inventory has",
            f"{name} is a running member that the inventory does not have: it left and came back "
            "(a service that is still enabled, seeds that still find the others), or somebody "
            "else added it",
            f"{PLAYBOOK}remove_node -e emqx_remove_hosts={name}, and disable its service; or put "
            "its host into the inventory",
            subject=name,
            evidence=tuple(
                f"{h} lists {name} as running" for h in case.ready if case.lists(h, name)
            ),
        )


def stale_members(case: Case) -> Findings:
    stopped = {name for host in case.ready for name in case.views[host].stopped}
    for name in sorted(stopped - case.all_names):
        yield Finding(
            "stale_member",
            "only members that the inventory has",
            f"{name} is listed as a stopped member but the inventory does not have it: it is gone "
            "and was never removed, and EMQX takes in no new core while it is listed",
            f"{PLAYBOOK}remove_node -e emqx_remove_hosts={name}",
            subject=name,
            evidence=tuple(
                f"{h} lists {name} as stopped" for h in case.ready if case.lists(h, name)
            ),
            about=frozenset({("stopped", name)}),
        )


def unexplained(case: Case) -> Findings:
    for fact in sorted(case.apart):
        _kind, one, other = fact
        yield Finding(
            "apart",
            "nodes that see each other",
            f"{one} and {other} do not see each other, and none of the known causes was found",
            f"ask again in a minute; on {one}: tail /var/log/emqx/emqx.log.1",
            hosts=(one, other),
            evidence=tuple(
                f"{h}: sees {names(case.views[h].running or ['none'])}" for h in (one, other)
            ),
            about=frozenset({apart(one, other)}),
            # It may just have started, and be waited for.
            mended=True,
        )
