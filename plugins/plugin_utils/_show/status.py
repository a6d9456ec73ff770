# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The state of a cluster for people and programs, from what all hosts answered."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.census import (
    Answers,
    View,
    common_sight,
    is_ready,
    sight,
    view_of,
)

Certificates = t.Mapping[str, t.Mapping[str, str]]

_HEADINGS = ("HOST", "NODE", "STATE", "ROLE", "VERSION", "UPTIME", "SEES RUNNING", "AGREES")
# Where nodes talk TLS to one another.
_END = "CERTIFICATE ENDS"


def status(
    nodes: t.Mapping[str, t.Mapping[str, t.Any]], answers: Answers, certificates: Certificates
) -> dict[str, t.Any]:
    """Return the state of a cluster.

    ``nodes`` is the topology's, by inventory host; ``answers`` what cluster_info returned;
    ``certificates`` what _certificates.health says of those of the nodes. The result has
    ``healthy``, ``problems`` (in words), ``running_nodes`` and ``stopped_nodes`` as most nodes
    see them, ``nodes`` (one row per host) and ``table`` (lines of text).
    """
    views = {host: view_of(answers.get(host, {})) for host in nodes}
    common = common_sight(views.values())
    rows = [
        {**_row(host, node, views[host], common), **_end(certificates.get(host))}
        for host, node in nodes.items()
    ]
    wanted = [node["name"] for node in nodes.values()]
    problems = [
        *(f"{row['host']}: {row['problem']}" for row in rows if row["problem"]),
        *(
            f"{host}: its certificate: {judged['problem']}"
            for host, judged in certificates.items()
            if judged["problem"]
        ),
        *_member_problems(wanted, common),
        *_version_problems(rows),
        *_sync_problems(views),
    ]
    return {
        "healthy": not problems,
        "problems": problems,
        "running_nodes": list(common[0]),
        "stopped_nodes": list(common[1]),
        "nodes": rows,
        "table": _table(rows, len(wanted)),
    }


def _row(
    host: str,
    node: t.Mapping[str, t.Any],
    view: View,
    common: tuple[tuple[str, ...], tuple[str, ...]],
) -> dict[str, t.Any]:
    ready = is_ready(view)
    agrees = sight(view) == common if ready else None
    running, stopped = sight(view)
    name = view.get("node") or node["name"]
    problem = "" if ready else f"{view['state']}: {str(view['reason']).rstrip('.')}"
    if view.get("installed") is False:
        problem = "EMQX is not installed"
    elif name != node["name"]:
        problem = f"its node is called {name}, expected {node['name']}"
    elif ready and view.get("role") == "replicant" and not view.get("upstream_nodes"):
        problem = "it has lost its core and shows old data until it finds one of its own version"
    elif ready and not agrees:
        shown = f" and {', '.join(stopped)} stopped" if stopped else ""
        problem = f"its view differs from the others': it sees {', '.join(running)} running{shown}"
    return {
        "host": host,
        "node": name,
        "state": "absent" if view.get("installed") is False else view["state"],
        "role": view.get("role") or node["role"],
        "upstream_nodes": list(view.get("upstream_nodes", ())),
        "version": view.get("version"),
        "uptime_seconds": view.get("uptime_seconds"),
        "running_nodes": list(running),
        "stopped_nodes": list(stopped),
        "agrees": agrees,
        "problem": problem,
    }


def _end(judged: t.Mapping[str, str] | None) -> dict[str, t.Any]:
    return {"certificate_ends": None if judged is None else judged["ends"]}


def _member_problems(
    wanted: t.Sequence[str], common: tuple[tuple[str, ...], tuple[str, ...]]
) -> t.Iterator[str]:
    running, stopped = common
    if not running:
        return
    for name in wanted:
        if name not in running + stopped:
            yield f"{name} is in the inventory but no member: add_node, or site, makes it one"
    for name in running:
        if name not in wanted:
            yield f"{name} is a running member but not in the inventory"
    for name in stopped:
        known = "" if name in wanted else " and not in the inventory: remove_node removes it"
        yield f"{name} is a stopped member{known}"


def _version_problems(rows: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    versions = sorted({row["version"] for row in rows if row["version"]})
    if len(versions) > 1:
        yield f"the nodes run different versions: {', '.join(versions)}"


def _sync_problems(views: t.Mapping[str, View]) -> t.Iterator[str]:
    for host, view in views.items():
        sync = view.get("config_sync") or {}
        if is_ready(view) and sync.get("in_sync") is False:
            seen = ", ".join(f"{name}: {tnx}" for name, tnx in sorted(sync["tnx_ids"].items()))
            yield (
                f"the nodes did not follow the same changes of the configuration, as seen by "
                f"{host} ({seen}): see 'emqx ctl conf cluster_sync status'"
            )
            return


def _table(rows: t.Sequence[t.Mapping[str, t.Any]], size: int) -> list[str]:
    lines = [_HEADINGS, *(_cells(row, size) for row in rows)]
    if any(row["certificate_ends"] for row in rows):
        endings = [_END, *(row["certificate_ends"] or "-" for row in rows)]
        lines = [(*line, ending) for line, ending in zip(lines, endings)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines]


def _cells(row: t.Mapping[str, t.Any], size: int) -> tuple[str, ...]:
    sees = "-"
    if row["state"] == "ready":
        sees = f"{len(row['running_nodes'])} of {size}"
        if row["stopped_nodes"]:
            sees += f", {len(row['stopped_nodes'])} stopped"
    role = row["role"]
    if row["upstream_nodes"]:
        role += f" of {', '.join(row['upstream_nodes'])}"
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
