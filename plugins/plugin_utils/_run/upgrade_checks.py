# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What speaks against an upgrade of a running cluster, before anything is changed."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import survey
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import RunInput
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.upgrade import NOWHERE

Findings = t.Iterator[Finding]

_MIB = 1 << 20
# Bytes for an unpacked release (EMQX 5.8 to 6.2 take up to 300 MB) and its package.
_RELEASE = 512 * _MIB


def findings(run: RunInput, draft: Deployment) -> Findings:
    """Yield what is wrong with the cluster, and with the way of each host."""
    if draft.upgrade is None:
        return
    yield from draft.upgrade.findings
    absent = [host for host in draft.cluster.nodes if host not in run.hosts]
    if absent:
        yield Finding(
            "upgrade_limited",
            "all members in this run, as their order depends on which versions the others run",
            f"a run without {', '.join(absent)}",
            "run it without --limit",
        )
    views = survey.views(run, draft.cluster)
    yield from _of_members(run, draft, views)
    yield from _of_configuration(draft)
    for host in draft.upgrade.pending:
        yield from _of_host(run, draft, host)


def _of_members(run: RunInput, draft: Deployment, views: t.Mapping[str, NodeView]) -> Findings:
    nodes, members = draft.cluster.nodes, set(draft.cluster.members)
    empty = [h for h in nodes if (g := run.hosts.get(h)) and g.host and not g.host.service.exists]
    if empty:
        yield Finding(
            "no_node",
            "a node of EMQX on each host",
            f"none on {', '.join(empty)}",
            "run the playbook site with the version that the others have, or add_node afterwards",
            hosts=tuple(empty),
        )
    ready = [host for host in nodes if host in views and views[host].is_ready]
    if draft.upgrade and draft.upgrade.pending and not any(nodes[h].role == "core" for h in ready):
        yield Finding(
            "no_ready_core",
            "a running cluster, of which one node after the other is upgraded",
            "no core that is ready",
            "start the cluster first (playbook start)",
        )
    for host in ready:
        listed = set(views[host].listed)
        strange = sorted(listed - members)
        unseen = sorted({nodes[other].name for other in ready} - set(views[host].running))
        if strange or unseen:
            yield Finding(
                "other_members",
                "a cluster of exactly the hosts of the inventory",
                f"that {host} sees {', '.join(strange) or 'nobody'} more"
                + (f" and not {', '.join(unseen)}" if unseen else ""),
                "have the inventory and the cluster agree first (playbooks site, add_node or "
                "remove_node)",
                hosts=(host,),
            )


def _of_configuration(draft: Deployment) -> Findings:
    """Configuration that changes together with the version cannot be told apart from it."""
    waiting = {host: way.waiting for host, way in draft.ways.items() if way.waiting}
    if not waiting:
        return
    paths = sorted({path for found in waiting.values() for path in found})
    first, *_others = waiting
    way = draft.ways[first]
    found = f" -e emqx_version={way.version}" if way.saves else ""
    yield Finding(
        "config_waits",
        "hosts that have all that the inventory says, so that only the version changes",
        f"changes of {', '.join(paths[:5])}" + (" and more" if len(paths) > 5 else ""),
        f"run the playbook site{found} first (with emqx_package and emqx_license as they were), or "
        "take the changes back",
        hosts=tuple(waiting),
    )


def _of_host(run: RunInput, draft: Deployment, host: str) -> Findings:
    one, way = draft.hosts[host], draft.ways[host]
    if one.release.kind != "package":
        yield Finding(
            "upgrade_kind",
            "nodes from deb or rpm packages",
            f"a {one.release.kind}",
            "upgrade it as EMQX's notes on rolling upgrades say",
            hosts=(host,),
            subject="emqx_version",
        )
        return
    replaces = way.saves and way.package not in ("", one.release.package)
    if replaces and one.release.format == "rpm":
        yield Finding(
            "upgrade_swap",
            f"the package {way.package} in both versions, as rpm removes the files of another one",
            f"{one.release.package} in {one.release.version}",
            "take the nodes out one by one (playbook remove_node), and in again with the new "
            "version on empty hosts (add_node)",
            hosts=(host,),
            subject="emqx_edition",
        )
    if one.leads and way.version and way.back_source == NOWHERE:
        yield Finding(
            "no_way_back",
            f"the package of EMQX {way.version}, for a node that does not come up with "
            f"{one.release.version}",
            f"none in {run.hosts[host].settings.download_dir}",
            "set emqx_rollback_package to it",
            hosts=(host,),
            subject="emqx_rollback_package",
        )
    yield from _of_room(run, draft, host)


def _of_room(run: RunInput, draft: Deployment, host: str) -> Findings:
    given = run.hosts[host].host
    known = given.upgrade if given else {}
    if not known or not draft.ways[host].saves:
        return
    sizes = known["sizes"]
    # The copy, and what lies beside the data where a copy is put back.
    needed = 2 * sum(sizes.values()) + _RELEASE
    if known["free"] < needed:
        yield Finding(
            "upgrade_room",
            f"{needed // _MIB} MB free for {draft.ways[host].place}, twice what the node has and "
            "the new release",
            f"{known['free'] // _MIB} MB",
            "make room, or set emqx_upgrade_dir to a directory with more",
            hosts=(host,),
            subject="emqx_upgrade_dir",
        )
