# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The playbooks that change members, and the one that rotates certificates, as plans."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Cluster
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import members, rotation
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import survey
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import HostPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    ADD,
    REMOVE,
    RENAME,
    REPLACE,
    RunInput,
)


def removed_hosts(purpose: str, settings: Settings) -> tuple[str, ...]:
    """Return the hosts, or names of nodes without one, that are to go."""
    if purpose == REMOVE:
        return settings.remove_hosts
    return (settings.dead_host,) if purpose == REPLACE else ()


def _may_join(purpose: str, settings: Settings) -> tuple[str, ...] | None:
    """Return the hosts that may become members, None for any."""
    if purpose == REPLACE:
        return (settings.new_host,)
    if purpose == RENAME:
        return (settings.rename_host,)
    return settings.new_hosts or None if purpose == ADD else ()


def consent(run: RunInput) -> tuple[str, ...]:
    """Return the hosts whose data may be deleted."""
    return tuple(h for h, given in run.hosts.items() if given.settings.allow_data_loss)


def databases(run: RunInput) -> dict[str, tuple[str, ...]]:
    """Return by host the names of the nodes that its data directory has a database of."""
    return {h: given.host.data_nodes if given.host else () for h, given in run.hosts.items()}


def change_of_members(
    run: RunInput, settings: Settings, cluster: Cluster, going: Cluster
) -> members.MembersChange:
    """Return how the cluster gets from its present members to those of the inventory.

    ``going`` is the model of the nodes that are to go, as far as the inventory has their hosts.
    """
    desired = members.desired_change(
        cluster,
        settings,
        consent(run),
        removed=removed_hosts(run.purpose, settings),
        removed_nodes=going.nodes,
        may_join=_may_join(run.purpose, settings),
        rename=settings.rename_host if run.purpose == RENAME else "",
        replaces=run.purpose == REPLACE,
    )
    return members.change(desired, survey.views(run, cluster), databases(run))


def rotate(
    run: RunInput,
    settings: Settings,
    cluster: Cluster,
    plans: t.Mapping[str, HostPlan],
    stale: t.Mapping[str, t.Sequence[str]],
) -> rotation.Rotation:
    """Return in which steps the nodes get other certificates, or another CA."""
    states = {}
    for host, plan in plans.items():
        given = run.hosts[host].host
        files = set(plan.layout.certificates.values())
        states[host] = rotation.TlsState(
            node=plan.node,
            active=bool(given and given.service.active),
            stale=tuple(path for path in stale[host] if path in files),
            observed=given.certificates if given else {},
            plan=plan.tls,
        )
    answers = survey.answers(run, cluster)
    views = {host: answer.get("emqx") or {} for host, answer in answers.items()}
    return rotation.plan(states, views, settings.allow_full_restart, run.now)
