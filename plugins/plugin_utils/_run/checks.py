# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""All findings on the hosts of a run and on what is to be done there, before anything is."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import compare
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import ERROR, WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.preflight import check_host
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import agreement
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState, Release
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    container,
    packages,
    places,
    tuning,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import plan as firewall
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import release
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import (
    hosts,
    lifecycle,
    reads,
    upgrade_checks,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    ADD,
    LIFECYCLE,
    MEMBER_CHANGES,
    RENAME,
    ROTATE,
    HostInput,
    RunInput,
)

# Variables that take a PEM text, or a file of the control node.
PEM_VARIABLES = ("etcd_ca", "etcd_certificate", "etcd_key", "k8s_ca")


def of_hosts(run: RunInput, settings: Settings, draft: Deployment) -> t.Iterator[Finding]:
    """Yield what is wrong with the hosts of a run, their settings, and what is planned there."""
    yield from agreement.findings({host: given.settings for host, given in run.hosts.items()})
    if run.purpose in LIFECYCLE:
        for given in run.hosts.values():
            yield from given.findings
        yield from lifecycle.findings(run, draft)
        yield from _of_restarts(run, settings, draft)
        return
    for host, given in run.hosts.items():
        yield from given.findings
        if host in settings.cluster_hosts and given.host:
            yield from _of_host(host, given.host, run, draft)
    for path in run.next_cookies:
        yield Finding(
            "cookie_rotation",
            "no replacement of the cookie that was cut short",
            path,
            "run the playbook rotate_cookie again, which finishes it; or remove that file to stay "
            "with the old cookie",
            subject="emqx_cookie_file",
            severity=WARNING,
        )
    for left_out in run.others.values():
        yield from left_out.findings
    if draft.hosts:
        unread = hosts.unread(run, draft.cluster)
        yield from firewall.member_findings(draft.cluster, unread)
    strategy = table.of(settings.discovery_strategy)
    for given in list(run.hosts.values())[:1]:
        yield from strategy.check_texts(settings, given.texts)
    yield from draft.order.findings
    yield from _of_restarts(run, settings, draft)
    if draft.change:
        yield from draft.change.findings
    if run.purpose == ROTATE:
        yield from _of_rotation(run, settings, draft)
    yield from upgrade_checks.findings(run, draft)


def _of_host(host: str, found: HostState, run: RunInput, draft: Deployment) -> t.Iterator[Finding]:
    given, one = run.hosts[host], draft.hosts.get(host)
    besides: list[Finding] = []
    node = draft.cluster.nodes.get(host)
    if one:
        own = given.settings
        package = hosts.package_stat(own, found, run)
        opened = run.opened.get(own.package) if own.package_source == "controller" else None
        besides += packages.package_findings(own, one.release, found, package, opened)
        besides += places.findings(one.node, one.layout, found)
        besides += firewall.findings(draft.cluster, own, one.node, found)
        besides += one.tls.findings
        if one.leads:
            besides += tuning.findings(own, found, host, one.reserved_ports)
        besides += container.findings(own, found, one.node)
    findings = check_host(
        given.settings,
        node,
        one.layout if one else layout(given.settings),
        one.release if one else release(given.settings, found, {}),
        found,
        inventory_host=host,
        missing_files=_missing_files(given),
        renames=run.purpose == RENAME and host == given.settings.rename_host,
        package_node=_package_node(host, run, draft),
        besides=besides,
    )
    # What an upgrade is for, it is not told.
    older = one and host in draft.ways and _is_older(one.release)
    yield from (each for each in findings if not (older and each.code == "other_version"))


def _is_older(what: Release) -> bool:
    return bool(what.installed) and compare(what.installed, what.version) < 0


def _missing_files(given: HostInput) -> dict[str, str]:
    """Return by variable the files of the control node that are not there: they have no text."""
    paths = {f"emqx_{name}": getattr(given.settings, name) for name in PEM_VARIABLES}
    return {name: path for name, path in paths.items() if path and name not in given.texts}


def _package_node(host: str, run: RunInput, draft: Deployment) -> str:
    """Return the database of a node in the package's own directories that no member is."""
    one = draft.hosts.get(host)
    found = run.hosts[host].host
    if not one or not found or not one.layout.instanced or one.release.kind != "package":
        return ""
    server = [n for n in draft.cluster.nodes.values() if n.server == one.node.server]
    there = found.package_nodes and found.file(reads.PACKAGE_UNIT_AT_BOOT).exists
    path = f"{one.layout.installed_data}/mnesia"
    return path if there and all(node.instance for node in server) else ""


def _of_restarts(run: RunInput, settings: Settings, draft: Deployment) -> t.Iterator[Finding]:
    """Yield why nodes may not be restarted as their new configuration asks for."""
    for host, one in draft.hosts.items():
        stale = run.hosts[host].trial.stale or ()
        found = run.hosts[host].host
        if "node.role" in stale and found and one.node.name in found.data_nodes:
            yield Finding(
                "role_change",
                "a node that keeps its role, as its data belongs to it",
                f"that it would become a {one.node.role}",
                "take the change back, or take the node out (playbook remove_node -e "
                f"emqx_remove_hosts={host}) and in again with the new role (add_node)",
                hosts=(host,),
                subject="emqx_node_role",
            )
    keys = ", ".join(draft.restarts.keys)
    if draft.restarts.full and not settings.allow_full_restart:
        yield Finding(
            "full_restart",
            f"consent to stop and start all nodes together, as {keys} must be the same on all "
            "nodes at any time and cannot be changed node by node",
            "emqx_allow_full_restart false",
            "set emqx_allow_full_restart to true (clients are cut off meanwhile, data is kept), or "
            "take the change back",
            subject="emqx_allow_full_restart",
        )
    absent = [h for h in draft.cluster.nodes if h not in run.hosts]
    if keys and absent:
        yield Finding(
            "full_restart_limited",
            f"all members in a run that changes {keys}, which must be the same on all nodes",
            f"a run without {', '.join(absent)}",
            "run it without --limit",
        )
    if run.purpose in MEMBER_CHANGES:
        yield from _of_members_that_wait(run, draft)


def _of_members_that_wait(run: RunInput, draft: Deployment) -> t.Iterator[Finding]:
    """Yield the members that would have to restart, which no change of members does."""
    staying = draft.change.members if draft.change else ()
    waiting = [host for host in draft.restarts.restart if host in staying]
    if not waiting:
        return
    keys = sorted({key for host in waiting for key in draft.stale[host]})
    refused = run.purpose == ADD
    yield Finding(
        "restart_needed",
        "members that run with what the inventory says",
        f"that {', '.join(waiting)} would have to restart for {', '.join(keys)}",
        "run the playbook site, which restarts them one by one and adds the new hosts, too, or "
        "take the change back"
        if refused
        else "run the playbook site afterwards, which restarts them one by one",
        hosts=tuple(waiting),
        severity=ERROR if refused else WARNING,
    )


def _of_rotation(run: RunInput, settings: Settings, draft: Deployment) -> t.Iterator[Finding]:
    absent = [host for host in draft.cluster.nodes if host not in run.hosts]
    if not settings.tls:
        yield Finding(
            "no_certificates",
            "TLS between the nodes, as there are no certificates to replace without",
            "neither emqx_dist_tls nor emqx_rpc_tls",
            "set one of them and run the playbook site first",
            subject="emqx_dist_tls",
        )
    elif absent:
        yield Finding(
            "rotation_limited",
            "all members in this run",
            f"a run without {', '.join(absent)}",
            "run it without --limit",
        )
    elif draft.rotation:
        yield from draft.rotation.findings
