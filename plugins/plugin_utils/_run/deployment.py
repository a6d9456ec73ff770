# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The plan of a run: the cluster's model, what each host is to get, and what is wrong with it.

Made anew whenever more is known: once the hosts were read, once a configuration was tried out or
the hosts tried their links, once files were written. It is what is shown, and what is done.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    Finding,
    is_error,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.verdict import verdict
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import topology
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.listeners import listeners
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Cluster, Member
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    members,
    release,
    restart,
    start_order,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import (
    changes,
    checks,
    lifecycle,
    survey,
    upgrade,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import (
    SURVEY,
    VIEW,
    Deployment,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import HostPlan, plan_host
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    BACKUP,
    DEPLOY,
    DRAIN,
    INSPECT,
    MEMBER_CHANGES,
    RECOVER,
    RESTART,
    RESTORE,
    ROTATE,
    START,
    STOP,
    UPGRADE,
    RunInput,
)


def lead(run: RunInput) -> Settings:
    """Return the settings that speak for the cluster: those of its first host in this run."""
    first = next(iter(run.hosts.values())).settings
    own = [host for host in first.cluster_hosts if host in run.hosts]
    return run.hosts[own[0]].settings if own else first


def model(run: RunInput, hosts: t.Sequence[str] | None = None) -> Cluster:
    """Return the model of the cluster of ``hosts``, by default of all its members."""
    settings = lead(run)
    wanted = settings.cluster_hosts if hosts is None else hosts
    known = {host: given for host in wanted for given in [run.known(host)] if given}
    built = topology.build(
        [_member(host, run) for host in known],
        settings,
        layout(settings),
        release.edition(settings),
    )
    unknown = [topology.unknown_host(host) for host in wanted if host not in known]
    # An empty list is no news when it is empty because of these.
    rest = [f for f in built.findings if not (unknown and f.code == "no_members")]
    return dataclasses.replace(built, findings=(*unknown, *rest))


def _member(host: str, run: RunInput) -> Member:
    given = run.hosts.get(host) or run.others[host]
    settings = given.settings
    found = listeners(settings, settings.instance, "6" in settings.transport)
    addresses = given.host.addresses if given.host else ()
    return topology.member(host, given.management, settings, found, addresses)


def plan(run: RunInput) -> Deployment:
    """Return the plan of a run from all that is known of it by now."""
    settings, cluster = lead(run), model(run)
    apart = lifecycle.left_alone(run, cluster)
    hosts = {
        host: plan_host(host, run, cluster, layout(given.settings))
        for host, given in run.hosts.items()
        if host in cluster.nodes and given.host and not given.host.unreachable
        if host not in apart
    }
    stale = {host: _stale(host, run) for host in hosts}
    order = _start_order(run, settings, cluster, hosts)
    change = _change(run, settings, cluster)
    stopped = change.stop if change else ()
    whole = cluster.members if run.purpose == RESTART else ()
    states = _states(run, cluster, hosts, stale, stopped)
    starts = run.purpose not in (STOP, DRAIN, RECOVER, UPGRADE, BACKUP, RESTORE)
    restarts = restart.plan(states, order.last, whole) if starts else restart.Restarts()
    hosts = {host: _with_service(host, one, restarts, run) for host, one in hosts.items()}
    draft = Deployment(
        cluster=cluster,
        hosts=hosts,
        findings=(),
        restarts=restarts,
        order=order,
        stale=stale,
        change=change,
        rotation=changes.rotate(run, settings, cluster, hosts, stale)
        if run.purpose == ROTATE
        else None,
        stop=lifecycle.stop(run, cluster) if run.purpose == STOP else None,
        drain=lifecycle.drained(run, settings, cluster) if run.purpose == DRAIN else None,
        recovery=lifecycle.recovered(run, settings, cluster) if run.purpose == RECOVER else None,
        transfer=lifecycle.transferred(run, settings, cluster),
    )
    if run.purpose == UPGRADE:
        what = upgrade.order(run, settings, hosts, survey.views(run, cluster))
        draft = dataclasses.replace(draft, upgrade=what, ways=upgrade.ways(run, hosts, model, what))
    draft = dataclasses.replace(draft, look=_look(run, settings, draft))
    return _judged(run, settings, draft)


def _change(run: RunInput, settings: Settings, cluster: Cluster) -> members.MembersChange | None:
    if run.purpose not in MEMBER_CHANGES:
        return None
    going = model(run, changes.removed_hosts(run.purpose, settings))
    return changes.change_of_members(run, settings, cluster, going)


def _stale(host: str, run: RunInput) -> tuple[str, ...]:
    """Return what the running node of a host does not know yet, by the last that was said of it."""
    given = run.hosts[host]
    if not given.host or not given.host.service.active or run.purpose == START:
        return ()
    for written in (given.written, given.trial):
        if written.stale is not None:
            return written.stale
    return given.host.stale


def _runs(host: str, run: RunInput) -> bool:
    found = run.hosts[host].host
    return bool(found and found.service.active)


def _states(
    run: RunInput,
    cluster: Cluster,
    hosts: t.Mapping[str, HostPlan],
    stale: t.Mapping[str, tuple[str, ...]],
    stopped: t.Collection[str],
) -> dict[str, restart.NodeRun]:
    """Return how the nodes of hosts will run once those that go or get another name are stopped."""
    views = survey.views(run, cluster)
    asked = lifecycle.asked(run, views)
    return {
        host: restart.NodeRun(
            name=one.node.name,
            role=one.node.role,
            active=_runs(host, run) and host not in stopped,
            stale=() if host in stopped else stale[host],
            sees=views[host].running if host in views and views[host].is_ready else None,
            asked=host in asked,
        )
        for host, one in hosts.items()
    }


def _start_order(
    run: RunInput, settings: Settings, cluster: Cluster, hosts: t.Mapping[str, HostPlan]
) -> start_order.StartOrder:
    """Return who of the hosts starts last, so that discovery has nobody with data join somebody
    without. One out of reach, which has no plan, starts nothing."""
    names = {host: node.name for host, node in cluster.nodes.items()}
    here = [h for h, node in cluster.nodes.items() if h in hosts and node.role == "core"]
    fresh = [
        host
        for host in here
        if (given := run.hosts[host].host) and not given.data_nodes and not given.service.active
    ]
    if table.of(settings.discovery_strategy).joins:
        return start_order.StartOrder()
    # A host that leaves meets nobody, nor does anybody where no node starts.
    joins = run.purpose in (DEPLOY, INSPECT) and _starts_nodes(run, hosts)
    views = survey.views(run, cluster) if joins else {}
    return start_order.start_order(names, here, fresh, views, changes.consent(run))


def _starts_nodes(run: RunInput, hosts: t.Mapping[str, HostPlan]) -> bool:
    """Tell whether nodes may start or restart, and so find others."""
    return any(
        one.todo["configure"]
        or one.todo["service"]
        or ("service" in run.hosts[host].settings.phases and not _runs(host, run))
        for host, one in hosts.items()
    )


def _with_service(host: str, one: HostPlan, restarts: restart.Restarts, run: RunInput) -> HostPlan:
    starts = host in restarts.hosts and "service" in run.hosts[host].settings.phases
    return dataclasses.replace(one, todo={**one.todo, "service": one.todo["service"] or starts})


def _look(run: RunInput, settings: Settings, draft: Deployment) -> str:
    """Return what has still to be asked of hosts: nothing where nothing is to be done."""
    if run.purpose != DEPLOY or any(g.survey or g.view for g in run.hosts.values()):
        return ""
    touched = any(one.touches for one in draft.hosts.values())
    # Names and ports of a network of containers are not those of the hosts.
    if touched and settings.preflight_probe and not settings.bridged:
        return SURVEY
    # A node that starts may lose what it holds, and one that restarts is to see whom it saw before.
    starts = _starts_nodes(run, draft.hosts)
    return VIEW if starts and any(changes.databases(run).values()) else ""


def _judged(run: RunInput, settings: Settings, draft: Deployment) -> Deployment:
    """Add the findings, and whether a second look is worth it."""
    findings = [*draft.cluster.findings, *checks.of_hosts(run, settings, draft)]
    foreseen: tuple[Finding, ...] = ()
    again = False
    if survey.examined(run) and run.purpose in (DEPLOY, INSPECT):
        plans = {host: one.intends() for host, one in draft.hosts.items()}
        diagnosis = survey.judge(run, draft.cluster, plans, to_build=True)
        # In check mode, name servers and services of the same inventory are not there yet.
        if run.check_mode and run.purpose == DEPLOY:
            foreseen = diagnosis.findings
        else:
            findings = [*_unnamed(findings, diagnosis.findings), *diagnosis.findings]
        again = (
            table.of(settings.discovery_strategy).asks_service
            or survey.missed(run)
            or any(survey.without_view(host, run, draft.cluster) for host in run.hosts)
            or bool(diagnosis.findings)
        )
    return dataclasses.replace(
        draft, findings=verdict(findings).findings, foreseen=foreseen, again=again
    )


def _unnamed(findings: t.Iterable[Finding], diagnosed: t.Iterable[Finding]) -> list[Finding]:
    """Return the findings without those on nodes of which the diagnosis tells what became of
    them: all that the inventory does not have, and those that are no members any more."""
    expelled = {h for f in diagnosed if f.code == "expelled" and is_error(f) for h in f.hosts}
    return [
        found
        for found in findings
        if found.code != "strangers"
        and not (found.code == "data_outside_cluster" and expelled.issuperset(found.hosts))
    ]
