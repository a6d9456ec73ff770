# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which nodes are in one cluster, and which node the others may join, from their own views.

A node that joins loses its data, so nobody joins where more than one has something to keep.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._node.decide import held_records
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView

Views = t.Mapping[str, NodeView]
Group = t.List[str]

CONSENT = "emqx_allow_data_loss"
# Of a host that was left out of this run nothing is known.
UNASKED = NodeView.of({})


@dataclass(frozen=True)
class SeedChoice:
    """``seed`` is a host of the one cluster there is; else the one that holds data; else the first.

    ``members`` are the hosts that are in one cluster with the seed, itself included, ``joiners``
    all others. ``claimed`` tells whether these members are a cluster or hold anything of their
    own; ``complete`` whether all hosts that were asked see exactly these nodes, and one another
    running. Nobody may join while there are ``findings``.
    """

    seed: str
    members: Texts
    joiners: Texts
    claimed: bool
    complete: bool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Scene:
    """All that is known: ``names`` maps hosts, in the order of their preference as seeds, to node
    names; ``views`` has those of the hosts that were asked; ``consent`` are the hosts whose data
    may be deleted."""

    names: t.Mapping[str, str]
    views: Views
    consent: t.Collection[str]

    def view(self, host: str) -> NodeView:
        return self.views.get(host, UNASKED)

    def own_name(self, host: str) -> str:
        """Return the name that a host's node has now, else the one that it is to have."""
        return self.view(host).node or self.names[host]

    @property
    def asked(self) -> Group:
        return [host for host in self.names if host in self.views]

    @property
    def left_out(self) -> Group:
        return [host for host in self.names if host not in self.views]


def seed_choice(
    names: t.Mapping[str, str], views: Views, consent: t.Collection[str] = ()
) -> SeedChoice:
    """Return which hosts are together and which node the others may join.

    ``names`` maps inventory hosts, in the order of their preference as seeds, to node names;
    ``views`` has those of all hosts of this run; ``consent`` lists the hosts whose data may be
    deleted.
    """
    scene = Scene(names, views, consent)
    groups = _groups(scene)
    claims = [group for group in groups if _claims(scene, group)]
    if not claims:
        claims = [group for group in groups if scene.view(group[0]).config_changed][:1]
    chosen = (claims or [_first_usable(scene, groups)])[0]
    able = [host for host in chosen if _may_be_joined(scene.view(host))]
    return SeedChoice(
        seed=next(iter(able or chosen), ""),
        members=tuple(chosen),
        joiners=tuple(host for host in names if host not in chosen),
        claimed=bool(claims),
        complete=_is_complete(scene),
        findings=(
            *_rivals(scene, claims),
            *_strangers(scene, chosen),
            *_data_of_unknown_worth(scene),
            *_members_down(scene, chosen),
        ),
    )


def held(view: NodeView) -> str:
    """Return in words what records a node holds that a fresh one does not, "" for none."""
    return ", ".join(held_records(view.data)) if view.data else ""


def is_alone(view: NodeView) -> bool:
    return len(set(view.listed)) < 2


def consent_remedy(host: str) -> str:
    """Return how a user agrees that what a host's node holds is deleted."""
    return f"set {CONSENT}: true for {host} if it may go"


def _may_be_joined(view: NodeView) -> bool:
    return view.is_ready and view.role != "replicant"


def _groups(scene: Scene) -> list[Group]:
    """Return the hosts sorted by cluster: whoever lists another one is together with it."""
    merged: list[set[str]] = []
    for host in scene.names:
        view = scene.view(host)
        new = {scene.own_name(host), *(view.listed if view.is_ready else ())}
        touching = [group for group in merged if group & new]
        merged = [group for group in merged if not group & new]
        merged.append(new.union(*touching))
    result = [[host for host in scene.names if scene.own_name(host) in group] for group in merged]
    order = list(scene.names)
    return sorted(result, key=lambda group: order.index(group[0]))


def _claims(scene: Scene, group: Group) -> bool:
    """Tell whether a group is a cluster, or a lone node with data that nobody gave up."""
    ready = [host for host in group if scene.view(host).is_ready]
    if any(not is_alone(scene.view(host)) for host in ready):
        return True
    return any(held(scene.view(host)) and host not in scene.consent for host in ready)


def _first_usable(scene: Scene, groups: list[Group]) -> Group:
    """Return the first group of which a node runs, or may run as nobody asked it."""
    usable = [
        group
        for group in groups
        if any(scene.view(host).is_ready or host in scene.left_out for host in group)
    ]
    return next(iter(usable or groups), [])


def _is_complete(scene: Scene) -> bool:
    wanted = set(scene.names.values())
    running = {scene.names[host] for host in scene.asked}
    return all(
        view.is_ready and set(view.listed) == wanted and running <= set(view.running)
        for view in map(scene.view, scene.asked)
    )


def _rivals(scene: Scene, claims: list[Group]) -> t.Iterator[Finding]:
    if len(claims) < 2:
        return
    lone = [group[0] for group in claims if is_alone(scene.view(group[0]))]
    remedies = [
        "have all but one leave their clusters (emqx ctl cluster leave)"
        if len(lone) < len(claims)
        else "choose the one whose data shall stay"
    ]
    if lone:
        remedies.append(
            f"set {CONSENT}: true for each of the hosts whose data may be deleted "
            f"({', '.join(lone)}), best after 'emqx ctl data export' there"
        )
    yield Finding(
        code="seed_undecided",
        expected="one cluster, or one node with data, that all others join and whose data they get",
        found=f"{len(claims)}, and joining deletes the data of the node that joins",
        remedy=", then ".join(remedies),
        subject=CONSENT,
        evidence=tuple(_described(scene, group) for group in claims),
    )


def _described(scene: Scene, group: Group) -> str:
    host = next(host for host in group if scene.view(host).is_ready)
    view, node = scene.view(host), scene.own_name(host)
    others = sorted(set(view.listed) - {node})
    if others:
        return f"{host} ({node}) is in a cluster with {', '.join(others)}"
    return f"{host} ({node}) holds {held(view)}"


def _strangers(scene: Scene, chosen: Group) -> t.Iterator[Finding]:
    own = {scene.own_name(host) for host in scene.names}
    seen = {name for host in chosen for name in scene.view(host).listed}
    strangers = ",".join(sorted(seen - own - set(scene.names.values())))
    if strangers:
        yield Finding(
            code="strangers",
            expected=f"no other nodes than {', '.join(sorted(scene.names.values()))}",
            found=f"{strangers} in the cluster of {', '.join(chosen)}",
            remedy="put their hosts into emqx_cluster_hosts (the inventory group), or take them "
            f"out with the playbook remove_node -e emqx_remove_hosts={strangers}",
            subject="emqx_cluster_hosts",
        )


def _data_of_unknown_worth(scene: Scene) -> t.Iterator[Finding]:
    """Name the lone nodes with data of which only the hosts left out know whether it stays."""
    for host in scene.asked if scene.left_out else ():
        view = scene.view(host)
        if view.is_ready and is_alone(view) and held(view) and host not in scene.consent:
            yield Finding(
                code="hosts_left_out",
                expected=f"all hosts of the cluster in this run, as {view.node} is alone and "
                f"holds {held(view)}, which joining deletes",
                found=f"{', '.join(scene.left_out)} left out",
                remedy=f"run this without --limit, or {consent_remedy(host)}",
                hosts=(host,),
                subject=CONSENT,
            )


def _members_down(scene: Scene, chosen: Group) -> t.Iterator[Finding]:
    """Name the members that are down and stay so in this run, if somebody is to join."""
    if all(host in chosen for host in scene.asked):
        return
    down = {name for host in chosen for name in scene.view(host).stopped}
    for host in scene.left_out:
        if scene.names[host] in down:
            yield member_stopped(scene.names[host], " and its host left out", host)


def member_stopped(name: str, more: str = "", host: str = "") -> Finding:
    """Return the finding that EMQX takes in no node while a member is stopped."""
    return Finding(
        code="member_stopped",
        expected="all members to run before a node joins",
        found=f"{name} stopped{more}",
        remedy="start it with this run, or have its place taken with the playbook replace_node",
        hosts=(host,) if host else (),
    )
