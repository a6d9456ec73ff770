# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a cluster holds is exported, or taken in, by one of its nodes: by which, and what of it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import compare
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._node.decide import held_records
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node, Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import UNASKED
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

# On hosts: what is on its way to the control node or from it.
PLACE = "/var/lib/mqttops-emqx/backup"
_SINCE = "5.1.0"


@dataclass(frozen=True)
class Transfer:
    """``host`` is the one whose node is asked, "" for none; ``held`` is in words what it holds.

    ``saved`` are the hosts whose files go into a backup, ``place`` is a directory on hosts.
    """

    host: str = ""
    version: str = ""
    edition: str = ""
    held: Texts = ()
    saved: Texts = ()
    place: str = PLACE
    steps: tuple[Step, ...] = ()
    impact: Texts = ()
    findings: tuple[Finding, ...] = ()


def backup(nodes: t.Mapping[str, Node], views: t.Mapping[str, NodeView]) -> Transfer:
    """Return how a backup is made of the hosts of a run, which ``nodes`` has."""
    host = _source(nodes, views)
    steps = [Step(host, "export", "export what the cluster holds")] if host else []
    steps += [Step(each, "save", "save the files of the node") for each in nodes]
    found = _transfer(host, nodes, views, tuple(steps))
    return Transfer(**{**vars(found), "saved": tuple(nodes)})


def restore(nodes: t.Mapping[str, Node], views: t.Mapping[str, NodeView], archive: str) -> Transfer:
    """Return how a backup is brought back to the cluster."""
    host = _source(nodes, views)
    steps = (Step(host, "import", f"bring back {archive}"),) if host else ()
    impact = ("what has the same name in the backup is replaced",) if host else ()
    found = _transfer(host, nodes, views, steps)
    return Transfer(**{**vars(found), "impact": impact})


def _source(nodes: t.Mapping[str, Node], views: t.Mapping[str, NodeView]) -> str:
    """Return the first host with a core that is ready, "" for none."""
    cores = (host for host, node in nodes.items() if node.role == "core")
    return next((host for host in cores if views.get(host, UNASKED).is_ready), "")


def _transfer(
    host: str,
    nodes: t.Mapping[str, Node],
    views: t.Mapping[str, NodeView],
    steps: tuple[Step, ...],
) -> Transfer:
    view = views.get(host, UNASKED)
    return Transfer(
        host=host,
        version=view.version,
        edition=view.edition,
        held=(*held_records(view.data), *(f"configuration of {r}" for r in view.config_changed)),
        steps=steps,
        findings=tuple(_findings(host, nodes, view)),
    )


def _findings(host: str, nodes: t.Mapping[str, Node], view: NodeView) -> t.Iterator[Finding]:
    if not host:
        yield Finding(
            "no_ready_core",
            "a core that is ready and part of this run, which all data is read from or written by",
            "none",
            "bring the cluster up first (playbook start, or site)",
            hosts=tuple(nodes),
        )
    elif view.version and compare(view.version, _SINCE) < 0:
        yield Finding(
            "no_export",
            f"EMQX {_SINCE} or newer, which exports and imports data",
            view.version,
            "upgrade first, or copy the data directories of stopped nodes",
            hosts=(host,),
            subject="emqx_version",
        )
