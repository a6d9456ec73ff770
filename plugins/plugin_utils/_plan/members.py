# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which nodes join, leave or are force-left to change the members of a cluster.

What is wrong with a change is found before anything is touched. Nodes that are removed go first:
EMQX takes in no core while a dead one is a member (mnesia asks all cores for a new schema).
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Node,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import member_checks
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.member_scene import (
    Databases,
    DesiredChange,
    Scene,
    scene_of,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import Views, is_alone
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step


@dataclass(frozen=True)
class MembersChange:
    """How a change is made, or why not.

    ``findings``: what is wrong; nothing may be done while there are any.
    ``seed``: the core that stays and force-leaves others.
    ``members``: hosts that stay members; ``new``: hosts that become members.
    ``leave``: hosts whose running node leaves by itself; ``stop``: hosts whose node stops, which is
    all that a replicant has to do.
    ``evict``: names to force-leave unless gone by then; ``evict_now``: those listed now that do not
    leave by themselves.
    ``aside``: hosts and the name of the database to be moved aside there.
    ``old_name``: the name that the renamed node had.
    """

    findings: tuple[Finding, ...] = ()
    seed: str = ""
    members: Texts = ()
    new: Texts = ()
    leave: Texts = ()
    stop: Texts = ()
    evict: Texts = ()
    evict_now: Texts = ()
    aside: t.Mapping[str, str] = field(default_factory=dict)
    old_name: str = ""
    steps: tuple[Step, ...] = ()
    impact: Texts = ()

    def as_dict(self) -> Json:
        shown = {name: value for name, value in vars(self).items() if name != "findings"}
        steps = [asdict(step) for step in self.steps]
        return {**shown, "steps": steps, "findings": [one.as_dict() for one in self.findings]}


def desired_change(
    cluster: Cluster,
    settings: Settings,
    consent: t.Iterable[str],
    removed: t.Iterable[str] = (),
    removed_nodes: t.Mapping[str, Node] | None = None,
    may_join: t.Iterable[str] | None = (),
    rename: str = "",
    replaces: bool = False,
) -> DesiredChange:
    """Return what shall change of a cluster.

    ``removed`` are hosts or node names as users give them, ``removed_nodes`` the nodes of those
    that the inventory has. ``consent`` are the hosts whose data may be deleted. ``may_join`` are
    the hosts that may become members, None for all; ``replaces`` whether they take the place of
    those removed.
    """
    nodes = removed_nodes or {}
    names = {item: nodes[item].name if item in nodes else item for item in removed}
    return DesiredChange(
        names={host: node.name for host, node in cluster.nodes.items()},
        cores=cluster.cores,
        removed={item: name for item, name in names.items() if "@" in name},
        replicants=frozenset(
            node.name
            for node in [*cluster.nodes.values(), *nodes.values()]
            if node.role == "replicant"
        ),
        unknown=tuple(item for item, name in names.items() if "@" not in name),
        may_join=None if may_join is None else tuple(may_join),
        rename=rename,
        old_name=settings.old_node_name if rename else "",
        consent=frozenset(consent),
        min_cores=settings.min_cores,
        evict_running=settings.evict_running,
        replaces=replaces,
        wipe_data=settings.wipe_data,
    )


def change(desired: DesiredChange, views: Views, databases: Databases) -> MembersChange:
    """Return how the members become the desired ones.

    ``views`` has those of all hosts that were asked; ``databases`` the node names that the data
    directories of the hosts hold.
    """
    scene = scene_of(desired, views, databases)
    leaving = [*desired.removed, *([desired.rename] if scene.old_name else [])]
    cores = [host for host in leaving if not scene.is_replicant(host)]
    leave = [h for h in cores if scene.views[h].is_ready and not is_alone(scene.views[h])]
    evict = [scene.old_name if host == desired.rename else desired.removed[host] for host in cores]
    by_itself = {scene.views[host].node for host in leave}
    removed_here = {h: n for h, n in desired.removed.items() if scene.can_stop(h)}
    renamed = {desired.rename: scene.old_name} if scene.old_name else {}
    found = MembersChange(
        findings=tuple(member_checks.findings(scene)),
        seed=next(iter(scene.cores), ""),
        members=tuple(scene.stay),
        new=tuple(scene.new),
        leave=tuple(leave),
        stop=tuple(host for host in leaving if scene.can_stop(host)),
        evict=tuple(evict),
        evict_now=tuple(name for name in evict if name in scene.seen - by_itself),
        aside={
            **removed_here,
            **{h: desired.names[h] for h in scene.new if scene.has_old_database(h)},
            **renamed,
        },
        old_name=scene.old_name,
    )
    steps, impact = tuple(_steps(scene, found)), tuple(_impact(scene, found))
    return MembersChange(**{**vars(found), "steps": steps, "impact": impact})


def _steps(scene: Scene, found: MembersChange) -> t.Iterator[Step]:
    """Yield the steps in the order in which a run takes them."""
    desired = scene.desired
    why = "it takes a new name" if found.old_name else "it is removed"
    for host in found.leave:
        yield Step(host, "leave", f"have {scene.name(host)} leave the cluster", why)
    for host in found.stop:
        if scene.views[host].state != "down":
            yield Step(host, "stop", f"stop {scene.name(host)}", why)
    for name in found.evict_now:
        reason = "it is a member that cannot leave by itself"
        yield Step(found.seed, "force_leave", f"force-leave {name}", reason)
    for host, name in found.aside.items():
        if desired.wipe_data and host in desired.removed:
            reason = "emqx_wipe_data is true"
            yield Step(host, "wipe", "empty the data directory", reason)
        else:
            reason = "no node can boot on it any more"
            yield Step(host, "move_aside", f"move the database of {name} aside, if any", reason)
    for host in found.new:
        as_new = "it takes a new name" if host == desired.rename else "it is no member yet"
        yield Step(host, "join", f"start {desired.names[host]} and have it join", as_new)


def _impact(scene: Scene, found: MembersChange) -> t.Iterator[str]:
    """Yield what clients will notice."""
    for host in found.stop:
        if scene.views[host].is_ready:
            back = host == scene.desired.rename
            until = f"until it is back as {scene.desired.names[host]}" if back else "for good"
            yield f"clients of {host} are cut off {until}: they have to reconnect to other nodes"
