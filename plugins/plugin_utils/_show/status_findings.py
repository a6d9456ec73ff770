# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the status of a cluster shows to be wrong; the doctor looks for causes."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import ERROR, WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import PLAYBOOK, names
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView, Sight

Views = t.Mapping[str, NodeView]
Nodes = t.Mapping[str, Node]
_DOCTOR = f"{PLAYBOOK}doctor looks for the cause"


def problem(node: Node, view: NodeView, common: Sight) -> str:
    """Return what is wrong with a node, "" for nothing."""
    return _judged(node, view, common)[1]


def _judged(node: Node, view: NodeView, common: Sight) -> tuple[str, str, str]:
    """Return code, problem and remedy."""
    if view.installed is False:
        return "not_installed", "EMQX is not installed", f"{PLAYBOOK}site"
    if view.node and view.node != node.name:
        found = f"its node is called {view.node}, expected {node.name}"
        return "other_name", found, f"correct emqx_node_name, or {PLAYBOOK}rename_node"
    if not view.is_ready:
        code = {"unreachable": "unreachable", "booting": "booting", "unknown": "unread"}
        found = f"{view.state}: {view.reason.rstrip('.')}"
        return code.get(view.state, "silent"), found, _DOCTOR
    if view.role == "replicant" and not view.upstream:
        found = "it has lost its core and shows old data until it finds one of its own version"
        return "lost_core", found, _DOCTOR
    if view.sight != common:
        running, stopped = view.sight
        shown = f" and {', '.join(stopped)} stopped" if stopped else ""
        found = f"its view differs from the others': it sees {', '.join(running)} running{shown}"
        return "apart", found, _DOCTOR
    return "", "", ""


def hosts(
    nodes: Nodes, views: Views, asked: t.Collection[str], common: Sight
) -> t.Iterator[Finding]:
    left_out = tuple(host for host in nodes if host not in asked)
    for host, node in nodes.items():
        code, found, remedy = _judged(node, views[host], common)
        if code and host in asked:
            yield Finding(
                code, "a ready member that sees what the others see", found, remedy, (host,)
            )
    if left_out:
        yield Finding(
            "not_examined",
            "all members of the cluster in this run",
            f"{names(left_out)} left out of it",
            "run it for all hosts, without --limit",
            left_out,
            # Of a cluster of which nobody was asked nothing good can be said.
            severity=WARNING if asked else ERROR,
        )


def cluster(nodes: Nodes, views: Views, common: Sight) -> t.Iterator[Finding]:
    desired = [node.name for node in nodes.values()]
    yield from _members(desired, common)
    versions = sorted({view.version for view in views.values() if view.version})
    if len(versions) > 1:
        yield Finding(
            "versions",
            "one version on all nodes",
            f"the nodes run different versions: {', '.join(versions)}",
            "finish the upgrade; change no configuration until then",
            severity=WARNING,
        )
    yield from _sync(views)


def _members(desired: t.Sequence[str], common: Sight) -> t.Iterator[Finding]:
    running, stopped = common
    for name in desired if running else ():
        if name not in running + stopped:
            found = f"{name} is in the inventory but no member"
            yield _member("not_joined", name, found, "add_node, or site, makes it one")
    for name in running:
        if name not in desired:
            found = f"{name} is a running member but not in the inventory"
            yield _member("came_back", name, found, "remove_node takes it out of the cluster")
    for name in stopped:
        if name in desired:
            yield _member("stopped", name, f"{name} is a stopped member", "site starts it")
        else:
            found = f"{name} is a stopped member and not in the inventory"
            yield _member("stale_member", name, found, "remove_node removes it")


def _member(code: str, name: str, found: str, remedy: str) -> Finding:
    return Finding(code, "exactly the members of the inventory", found, remedy, subject=name)


def _sync(views: Views) -> t.Iterator[Finding]:
    for host, view in views.items():
        if view.is_ready and view.in_sync is False:
            seen = ", ".join(f"{name}: {number}" for name, number in sorted(view.changes.items()))
            yield Finding(
                "config_out_of_sync",
                "nodes that followed the same changes of the configuration",
                f"they did not, as seen by {host} ({seen})",
                "see 'emqx ctl conf cluster_sync status'",
            )
            return


def certificate(host: str, found: str, refused: bool) -> Finding:
    return Finding(
        "certificate_refused" if refused else "certificate_ends",
        "a certificate that peers accept" if refused else "a certificate that stays valid",
        f"its certificate: {found}",
        f"{PLAYBOOK}rotate_certs",
        (host,),
        severity=ERROR if refused else WARNING,
    )


def unparsed(found: t.Mapping[str, t.Mapping[str, str]], error: str) -> Finding:
    given = tuple(host for host, files in found.items() if any(files.values()))
    return Finding(
        "certificate_refused",
        "certificates that can be parsed",
        f"one of {names(given)} that is none ({error})",
        f"{PLAYBOOK}rotate_certs",
        given,
    )
