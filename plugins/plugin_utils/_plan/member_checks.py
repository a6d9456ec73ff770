# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a change of members, as findings."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import (
    NodeView,
    Sight,
    common_sight,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.member_scene import Scene
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import (
    CONSENT,
    consent_remedy,
    is_alone,
    member_stopped,
)

Findings = t.Iterator[Finding]


def findings(scene: Scene) -> Findings:
    """Yield what is wrong; where the input is, nothing else can be judged."""
    basic = [*_input(scene)]
    yield from basic
    if basic:
        return
    yield from scene.choice.findings
    yield from _members(scene)
    yield from _removals(scene)
    yield from _new_hosts(scene)
    yield from _old_name(scene)


def _input(scene: Scene) -> Findings:
    desired = scene.desired
    for item in desired.unknown:
        yield Finding(
            code="unknown_node",
            expected="inventory hosts or node names (NAME@HOST)",
            found=f"{item}, which the inventory does not have",
            remedy="correct it, or give the node's name",
            subject="emqx_dead_host" if desired.replaces else "emqx_remove_hosts",
        )
    for host in desired.removed:
        if host in desired.names:
            yield Finding(
                code="stays_and_goes",
                expected="a host to stay or to go",
                found="both",
                remedy="take it out of the cluster's inventory group, or do not name it",
                hosts=(host,),
                subject="emqx_cluster_hosts",
            )
    for host in dict.fromkeys([*(desired.may_join or ()), *filter(None, [desired.rename])]):
        if host not in desired.names:
            yield Finding(
                code="not_in_group",
                expected="a member of the cluster's inventory group",
                found="it outside",
                remedy="put it into the group (with its variables) and run this again",
                hosts=(host,),
            )
    if len(desired.cores) < desired.min_cores:
        yield Finding(
            code="min_cores",
            expected=f"at least {desired.min_cores} cores to stay",
            found=str(len(desired.cores)),
            remedy="add a node first, or lower emqx_min_cores",
            subject="emqx_min_cores",
        )


def _members(scene: Scene) -> Findings:
    views = scene.views
    if not scene.cores:
        known = ", ".join(f"{host} is {_state(views[host])}" for host in scene.desired.names)
        yield Finding(
            code="no_running_core",
            expected="a running core to work with",
            found=f"none ({known})",
            remedy="start the members all together first (playbook site), it also builds a "
            "cluster from nothing",
        )
        return
    for host in scene.stay:
        if not views[host].is_ready:
            yield Finding(
                code="member_not_ready",
                expected="all members that stay to be ready",
                found=f"its node {_state(views[host])}",
                remedy="start it, or remove it, too",
                hosts=(host,),
            )
    common = common_sight(views[host] for host in scene.survivors)
    for host in scene.survivors:
        if views[host].sight != common:
            yield Finding(
                code="views_differ",
                expected="all members to see the same cluster",
                found=f"{_seen(views[host].sight)} here and {_seen(common)} elsewhere",
                remedy="see the playbook status, and mend the connection between the nodes first",
                hosts=(host,),
            )
    going = {*scene.desired.removed.values(), scene.old_name}
    for name in sorted(scene.seen - scene.running - going) if scene.new else ():
        yield member_stopped(name)


def _state(view: NodeView) -> str:
    reason = view.reason.rstrip(".")
    return f"{view.state} ({reason})" if reason else view.state


def _seen(sight: Sight) -> str:
    running, stopped = sight
    also = f" and {', '.join(stopped)} stopped" if stopped else ""
    return f"{', '.join(running) or 'nobody'} running{also}"


def _removals(scene: Scene) -> Findings:
    for host, name in scene.desired.removed.items():
        view = scene.views[host]
        seen = name in scene.running and not view.is_ready
        if seen and scene.is_replicant(host):
            yield Finding(
                code="replicant_runs",
                expected=f"the replicant {name} to be stopped or its host to answer",
                found=f"it running as its peers see it, and {_state(view)} from here",
                remedy="a replicant goes by being stopped, so cut its power first",
                hosts=(host,),
            )
        elif not scene.desired.evict_running:
            yield from _running_one(scene, host, name, seen)


def _running_one(scene: Scene, host: str, name: str, seen: bool) -> Findings:
    """Yield that a node runs which is to be dead, or would come back after a force-leave."""
    view = scene.views[host]
    runs = name in scene.running or (view.is_ready and not is_alone(view))
    if runs and scene.desired.replaces:
        yield Finding(
            code="not_dead",
            expected="a dead member",
            found=f"{name} running",
            remedy="add the new node with add_node and remove this one with remove_node, or set "
            "emqx_evict_running",
            hosts=(host,),
            subject="emqx_dead_host",
        )
    elif seen:
        yield Finding(
            code="would_come_back",
            expected=f"{name} to be stopped or its host to answer",
            found=f"it running as its peers see it, and {_state(view)} from here, so that it would "
            "come back after a force-leave",
            remedy="stop it or cut its power first, or set emqx_evict_running to force-leave it "
            "all the same",
            hosts=(host,),
            subject="emqx_evict_running",
        )


def _new_hosts(scene: Scene) -> Findings:
    desired = scene.desired
    for host in scene.new:
        view = scene.views[host]
        if desired.may_join is not None and host not in desired.may_join:
            yield Finding(
                code="not_a_member",
                expected="a member",
                found="it in the inventory group without being one",
                remedy="add it with add_node, or take it out of the group",
                hosts=(host,),
            )
        elif view.state not in ("ready", "down"):
            # What it holds is not known then.
            yield Finding(
                code="node_state",
                expected="a node that is ready or down",
                found=f"it {_state(view)}",
                remedy="run this again once that has passed, or stop the node",
                hosts=(host,),
            )
        elif host != desired.rename and not scene.is_replicant(host):
            # A replicant has nothing of its own to lose.
            yield from _data_of(scene, host, view)


def _data_of(scene: Scene, host: str, view: NodeView) -> Findings:
    """Yield what a new node holds, besides records, that nobody agreed to lose."""
    if host in scene.desired.consent:
        return
    if scene.has_old_database(host):
        yield Finding(
            code="old_database",
            expected="an empty data directory",
            found=f"a database of {scene.desired.names[host]}, which is no member",
            remedy=f"set {CONSENT}: true for {host} to have it moved aside, or start its service "
            "to see what it holds",
            hosts=(host,),
            subject=CONSENT,
        )
    elif view.config_changed:
        yield Finding(
            code="runtime_config",
            expected="an empty node",
            found=f"run-time configuration of {', '.join(view.config_changed)} (cluster.hocon) on "
            f"{view.node}, which joining deletes",
            remedy=consent_remedy(host),
            hosts=(host,),
            subject=CONSENT,
        )


def _old_name(scene: Scene) -> Findings:
    rename = scene.desired.rename
    stored = scene.databases.get(rename, ())
    known = scene.desired.old_name or (rename and scene.views[rename].node)
    if len(stored) > 1 and not known:
        yield Finding(
            code="old_name_unclear",
            expected="one old name",
            found=f"databases of {', '.join(stored)}",
            remedy="set emqx_old_node_name",
            hosts=(rename,),
            subject="emqx_old_node_name",
        )
