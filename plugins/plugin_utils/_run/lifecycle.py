# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Nodes of a cluster that stop, start and restart as they are: which of them, in which order, and
what speaks against it."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.checks_values import MOMENT
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Cluster
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    drain,
    gates,
    outage,
    recovery,
    transfer,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import survey
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    BACKUP,
    RESTART,
    RESTORE,
    START,
    STOP,
    HostInput,
    RunInput,
)

Views = t.Mapping[str, NodeView]


def resume(run: RunInput) -> str:
    """Return what to give as emqx_restart_since so that another run goes on with this one."""
    since = next((given.settings.restart_since for given in run.hosts.values()), "")
    if since:
        return since
    began = dt.datetime.fromtimestamp(run.began, dt.timezone.utc)
    return began.strftime(MOMENT)


def asked(run: RunInput, views: Views) -> frozenset[str]:
    """Return the hosts whose node the user wants restarted."""
    if run.purpose != RESTART:
        return frozenset()
    return frozenset(
        host for host, given in run.hosts.items() if not _is_done(run, given, views.get(host))
    )


def _is_done(run: RunInput, given: HostInput, view: NodeView | None) -> bool:
    """Tell whether a node started after the time from which on it is to be left alone."""
    since = given.settings.restart_since
    if not since or view is None or not view.is_ready or view.uptime_seconds is None:
        return False
    started = run.now - dt.timedelta(seconds=view.uptime_seconds)
    return started >= dt.datetime.strptime(since, MOMENT)


def units(run: RunInput, cluster: Cluster) -> dict[str, outage.Unit]:
    """Return the nodes of the hosts of a run that were read."""
    return {
        host: outage.Unit(
            node.name,
            node.role,
            found.service.active,
            found.service.stopped_at,
            bool(found.data_nodes),
        )
        for host, node in cluster.nodes.items()
        if host in run.hosts and (found := run.hosts[host].host) and not found.unreachable
    }


def left_alone(run: RunInput, cluster: Cluster) -> tuple[str, ...]:
    """Return the hosts of a start whose node is not started."""
    return outage.lost(units(run, cluster)) if run.purpose == START else ()


def stop(run: RunInput, cluster: Cluster) -> outage.Stop:
    return outage.stop(units(run, cluster))


def drained(run: RunInput, settings: Settings, cluster: Cluster) -> drain.Drain:
    """Return how the host that the user named is drained, or brought back."""
    host = settings.drain_host
    given = run.hosts.get(host)
    can_evacuate = gates.evacuates(given.settings) if given else False
    here = {h: node for h, node in cluster.nodes.items() if h != host or given}
    views = survey.views(run, cluster)
    return drain.plan(host, settings.drain_state, here, views, can_evacuate)


def recovered(run: RunInput, settings: Settings, cluster: Cluster) -> recovery.Recovery:
    """Return which data the cluster may go on with, and does where the user chose."""
    here = units(run, cluster)
    names = {host: unit.name for host, unit in here.items()}
    stopped_at = {host: unit.stopped_at for host, unit in here.items()}
    views = survey.views(run, cluster)
    return recovery.plan(names, views, stopped_at, settings.recover_from, outage.lost(here))


def transferred(run: RunInput, settings: Settings, cluster: Cluster) -> transfer.Transfer | None:
    """Return how a backup is made or brought back, None for a run that does neither."""
    here = {host: node for host, node in cluster.nodes.items() if host in run.hosts}
    views = survey.views(run, cluster)
    if run.purpose == BACKUP:
        return transfer.backup(here, views)
    if run.purpose == RESTORE:
        return transfer.restore(here, views, settings.restore_from)
    return None


def findings(run: RunInput, draft: Deployment) -> t.Iterator[Finding]:
    """Yield what speaks against it."""
    for host, given in run.hosts.items():
        if host not in draft.cluster.nodes or given.host is None:
            continue
        if given.host.unreachable:
            yield Finding(
                "unreachable",
                "an answer over the connection",
                given.host.unreachable,
                "make the host reachable, or leave it out of this run (--limit)",
                hosts=(host,),
                subject="ansible_host",
            )
        elif not given.host.service.exists:
            yield Finding(
                "no_node",
                "a node of EMQX on the host",
                "none",
                "run the playbook site first",
                hosts=(host,),
            )
    if run.purpose == RESTART:
        yield from _of_restart(run, draft)
    absent = [host for host in draft.cluster.nodes if host not in run.hosts]
    if run.purpose == START:
        yield from outage.started_without(units(run, draft.cluster), absent)
        yield from outage.without_database(units(run, draft.cluster))
    if run.purpose == STOP and absent:
        yield Finding(
            "stop_limited",
            "all members in this run",
            f"a run without {', '.join(absent)}, which go on alone",
            "run it without --limit, or use the playbook drain_node to take single nodes out of "
            "service",
            severity=WARNING,
        )
    if draft.drain:
        yield from draft.drain.findings
    if draft.recovery:
        yield from draft.recovery.findings
    if draft.transfer:
        yield from draft.transfer.findings


def _of_restart(run: RunInput, draft: Deployment) -> t.Iterator[Finding]:
    nodes = draft.cluster.nodes
    views = survey.views(run, draft.cluster)
    running = {name for view in views.values() if view.is_ready for name in view.running}
    down = [host for host in nodes if host not in run.hosts and nodes[host].name not in running]
    if down and draft.restarts.restart:
        yield Finding(
            "member_down",
            "all members running, as no node goes down while another one is",
            f"{', '.join(down)} stopped, and not part of this run",
            "start what is down (playbook site, or this one without --limit), or take out what is "
            "gone for good (playbook remove_node)",
            hosts=tuple(down),
        )
    cores = [host for host, node in nodes.items() if node.role == "core"]
    consent = any(given.settings.allow_full_restart for given in run.hosts.values())
    for host in draft.restarts.restart:
        if host in cores and len(cores) == 1 and not consent:
            yield Finding(
                "last_core",
                "another core that serves clients while this one restarts",
                f"{host} alone",
                "set emqx_allow_full_restart to true (clients are cut off meanwhile, data is kept)",
                hosts=(host,),
                subject="emqx_allow_full_restart",
            )
