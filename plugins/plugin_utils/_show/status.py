# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The state of a cluster for people and programs, from what all hosts answered."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    Finding,
    in_order,
    is_error,
    text,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import (
    NodeView,
    Sight,
    common_sight,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificate_health
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show import status_findings

_HEADINGS = ("HOST", "NODE", "STATE", "ROLE", "VERSION", "UPTIME", "SEES RUNNING", "AGREES")
# Where nodes talk TLS to one another.
_END = "CERTIFICATE ENDS"
_ROLES = ("core", "replicant")


def status(
    nodes: t.Mapping[str, Node],
    answers: Record,
    renew_days: int = 30,
    now: dt.datetime | None = None,
) -> Json:
    """Return the state of a cluster in its JSON form, which docs/schema/ describes.

    ``nodes`` are those of the whole cluster by inventory host; ``answers`` what cluster_info
    returned for some or all of them; whatever JSON those hold, nothing is raised. ``renew_days``
    before a certificate ends it is a warning; ``now`` is in UTC without a zone.
    """
    moment = now or dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    views = {host: NodeView.of(answers.get(host)) for host in nodes}
    common = common_sight(views.values())
    ends, problems = _certificates(nodes, views, renew_days, moment)
    found = in_order(
        [
            *status_findings.hosts(
                nodes, views, [host for host in nodes if host in answers], common
            ),
            *problems,
            *status_findings.cluster(nodes, views, common),
        ]
    )
    rows = [
        {**_row(host, node, views[host], common), "certificate_ends": ends.get(host)}
        for host, node in nodes.items()
    ]
    return {
        "healthy": not any(map(is_error, found)),
        "findings": [finding.as_dict() for finding in found],
        "running_nodes": list(common[0]),
        "stopped_nodes": list(common[1]),
        "nodes": rows,
        "table": _table(rows, len(nodes)),
        "text": text(found),
    }


def _certificates(
    nodes: t.Mapping[str, Node],
    views: t.Mapping[str, NodeView],
    renew_days: int,
    now: dt.datetime,
) -> tuple[dict[str, str], list[Finding]]:
    """Return the days on which certificates end, and what is wrong with them."""
    found = {host: view.certificates for host, view in views.items()}
    addresses = {host: node.host for host, node in nodes.items()}
    try:
        current = certificate_health.health(found, addresses, now)
        soon = certificate_health.health(found, addresses, now, renew_days)
    except Exception as error:
        # A certificate is a host's text: a parser may end on it in any way.
        return {}, [status_findings.unparsed(found, type(error).__name__)]
    findings = [
        status_findings.certificate(host, problem, bool(current[host]["problem"]))
        for host in current
        for problem in [current[host]["problem"] or soon[host]["problem"]]
        if problem
    ]
    return {host: judged["ends"] for host, judged in current.items()}, findings


def _row(host: str, node: Node, view: NodeView, common: Sight) -> Json:
    running, stopped = view.sight
    return {
        "host": host,
        "node": view.node or node.name,
        "state": "absent" if view.installed is False else view.state,
        "role": view.role if view.role in _ROLES else node.role,
        "upstream_nodes": list(view.upstream),
        "version": view.version or None,
        "uptime_seconds": view.uptime_seconds,
        "running_nodes": list(running),
        "stopped_nodes": list(stopped),
        "agrees": view.sight == common if view.is_ready else None,
        "problem": status_findings.problem(node, view, common),
    }


def _table(rows: t.Sequence[Record], size: int) -> list[str]:
    lines = [_HEADINGS, *(_cells(row, size) for row in rows)]
    if any(row["certificate_ends"] for row in rows):
        endings = [_END, *(row["certificate_ends"] or "-" for row in rows)]
        lines = [(*line, ending) for line, ending in zip(lines, endings)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines]


def _cells(row: Record, size: int) -> tuple[str, ...]:
    sees = "-"
    if row["state"] == "ready":
        sees = f"{len(row['running_nodes'])} of {size}"
        if row["stopped_nodes"]:
            sees += f", {len(row['stopped_nodes'])} stopped"
    role = row["role"]
    if row["upstream_nodes"]:
        role += f" of {', '.join(row['upstream_nodes'][:3])}"
    return (
        row["host"],
        row["node"],
        row["state"],
        role,
        row["version"] or "-",
        duration(row["uptime_seconds"]),
        sees,
        {True: "yes", False: "NO", None: "-"}[row["agrees"]],
    )


def duration(seconds: int | None) -> str:
    """Return seconds in the two largest units.

    >>> duration(93784)
    '1d 2h'
    """
    if seconds is None:
        return "-"
    units = [("d", seconds // 86400), ("h", seconds // 3600 % 24), ("m", seconds // 60 % 60)]
    parts = [f"{count}{unit}" for unit, count in [*units, ("s", seconds % 60)]]
    first = next((i for i, part in enumerate(parts) if part[0] != "0"), len(parts) - 1)
    return " ".join(parts[first : first + 2])
