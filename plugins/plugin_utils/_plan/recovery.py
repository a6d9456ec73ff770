# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which data a cluster is to go on with, where its nodes cannot tell by themselves.

Nodes wait for tables of members that are gone, which may hold what was written last; or parts of
the cluster ran on without each other, and each holds what was written there. Both are shown with
what each choice loses, and nothing is done before the user names a host to go on with.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import UNASKED, Views, held
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

TABLES, SPLIT = "tables", "split"
_VARIABLE = "emqx_recover_from"


@dataclass(frozen=True)
class Recovery:
    """``kind`` is tables, split or "" for nothing that needs a choice; ``text`` shows it.

    ``source`` is the chosen host, "" for none. ``losers`` are the hosts whose nodes start anew as
    members of the source's cluster, their databases put aside.
    """

    kind: str = ""
    text: Texts = ()
    source: str = ""
    losers: Texts = ()
    names: t.Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    impact: Texts = ()
    findings: tuple[Finding, ...] = ()


def plan(
    names: t.Mapping[str, str],
    views: Views,
    stopped_at: t.Mapping[str, float],
    source: str,
    lost: t.Collection[str] = (),
) -> Recovery:
    """Return what can be chosen, and what is done for the choice ``source``.

    ``names`` maps the hosts of the run to node names, ``stopped_at`` those that are known to when
    their nodes stopped before they started last. ``lost`` are hosts without a database, each a part
    of its own where a node lists it as a member.
    """
    sides = _sides(names, views)
    listed = {name for side in sides for host in side for name in views[host].stopped}
    if sides:
        sides += [[host] for host in lost if names[host] in listed]
    stuck = [host for host in names if _is_stuck(views.get(host, UNASKED))]
    if len(sides) > 1:
        return _of_split(names, views, sides, source)
    if stuck and not sides:
        return _of_tables(names, views, stuck, stopped_at, source)
    return Recovery(text=tuple(_of_nothing(names, views, stuck)))


def _is_stuck(view: NodeView) -> bool:
    return view.state == "booting" and bool(view.waiting_tables and view.waiting_nodes)


def _sides(names: t.Mapping[str, str], views: Views) -> list[list[str]]:
    """Return the hosts of each part, in which ready nodes see one another, the largest first."""
    sides: list[list[str]] = []
    for host in names:
        view = views.get(host, UNASKED)
        if not view.is_ready:
            continue
        mates = [side for side in sides if names[side[0]] in view.running]
        if mates:
            mates[0].append(host)
        else:
            sides.append([host])
    return sorted(sides, key=len, reverse=True)


def _of_nothing(
    names: t.Mapping[str, str], views: Views, stuck: t.Sequence[str]
) -> t.Iterator[str]:
    yield "Nothing needs a choice: no node waits for data of members that are gone, and no part of "
    yield "the cluster runs without another."
    down = [host for host in names if views.get(host, UNASKED).state == "down"]
    if down:
        yield f"{', '.join(down)}: down. The playbook start starts what is down."
    if stuck:
        yield f"{', '.join(stuck)}: waits for tables, which it gets from those that are ready."


def _of_tables(
    names: t.Mapping[str, str],
    views: Views,
    stuck: t.Sequence[str],
    stopped_at: t.Mapping[str, float],
    source: str,
) -> Recovery:
    gone = sorted({name for host in stuck for name in views[host].waiting_nodes})
    known = {host: stopped_at[host] for host in stuck if stopped_at.get(host)}
    last = max(known, key=lambda host: known[host], default="")
    text = [f"Nodes wait for tables of {', '.join(gone)}, which may hold what was written last."]
    for host in stuck:
        when = f"stopped at {_clock(known[host])}" if host in known else "stopped nobody knows when"
        newest = ", the last of these" if host == last and len(stuck) > 1 else ""
        tables = ", ".join(views[host].waiting_tables[:5])
        text.append(f"   {host} ({names[host]}): {when}{newest}; waits for {tables}")
    text += [
        f"Start what can be started of {', '.join(gone)} first (playbook start): nothing is lost "
        "then.",
        f"Else choose the host whose copy the cluster goes on with, -e {_VARIABLE}=HOST. Lost is "
        "what was written after its node stopped; the others take over its copy.",
    ]
    found = Recovery(TABLES, tuple(text), source, names=names)
    if not source:
        return found
    if source not in stuck:
        return _refused(found, "a host whose node waits for tables", stuck)
    reason = f"{', '.join(gone)} cannot be asked, as chosen"
    step = Step(source, "force_load", f"go on with the copy of {names[source]}", reason)
    lost = f"what was written after {source} stopped is lost for clients"
    return Recovery(**{**vars(found), "steps": (step,), "impact": (lost,)})


def _of_split(
    names: t.Mapping[str, str], views: Views, sides: list[list[str]], source: str
) -> Recovery:
    text = [f"The cluster runs in {len(sides)} parts that do not see one another."]
    for number, side in enumerate(sides, 1):
        first = views.get(side[0], UNASKED)
        rest = [host for other in sides if other is not side for host in other]
        changed = f"; changed at run time: {', '.join(first.config_changed)}"
        text += [
            f"Part {number}: {', '.join(side)}",
            f"   holds: {held(first) or 'no records'}{changed if first.config_changed else ''}"
            if first.is_ready
            else "   holds: nothing, as its database is gone",
        ]
        if not first.is_ready:
            continue
        text += [
            f"   to go on with it: -e {_VARIABLE}={side[0]}. Lost is what was written on "
            f"{', '.join(rest)} alone; their databases are put aside.",
        ]
    found = Recovery(SPLIT, tuple(text), source, names=names)
    if not source:
        return found
    whole = [side for side in sides if views.get(side[0], UNASKED).is_ready]
    chosen = next((side for side in whole if source in side), None)
    if chosen is None:
        return _refused(found, "a host of the part to go on with", [h for s in whole for h in s])
    losers = tuple(host for side in sides if side is not chosen for host in side)
    steps = tuple(_steps_of_split(names, source, losers))
    impact = (f"clients of {', '.join(losers)} are cut off until they are back",)
    return Recovery(**{**vars(found), "losers": losers, "steps": steps, "impact": impact})


def _steps_of_split(
    names: t.Mapping[str, str], source: str, losers: t.Sequence[str]
) -> t.Iterator[Step]:
    why = f"the cluster goes on with the part of {source}, as chosen"
    for host in losers:
        yield Step(host, "stop", f"stop {names[host]}", why)
        yield Step(host, "move_aside", f"move the database of {names[host]} aside", why)
    for host in losers:
        yield Step(source, "force_leave", f"force-leave {names[host]}", why)
    for host in losers:
        yield Step(host, "join", f"start {names[host]} and have it join", "as a new member")


def _refused(found: Recovery, expected: str, known: t.Sequence[str]) -> Recovery:
    finding = Finding(
        "bad_choice",
        f"{expected}: {', '.join(known)}",
        found.source,
        "name one of them",
        subject=_VARIABLE,
    )
    return Recovery(**{**vars(found), "findings": (finding,)})


def _clock(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
