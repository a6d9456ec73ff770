# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""In which order all nodes of a cluster stop for an outage that is planned, and start after one.

A node that starts waits for the tables of those that stopped after it. So cores stop one after the
other, the one that others join first last, and start all together: no start waits for another to be
complete.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

_REPLICANT = "replicant"


@dataclass(frozen=True)
class Unit:
    """The node of a host: whether its service runs, when it stopped, 0 for unknown, and whether it
    has a database."""

    name: str
    role: str = "core"
    active: bool = False
    stopped_at: float = 0.0
    database: bool = True


Units = t.Mapping[str, Unit]


@dataclass(frozen=True)
class Stop:
    """``together`` are replicants, which hold nothing and stop first, ``cores`` stop one by one."""

    together: Texts = ()
    cores: Texts = ()
    steps: tuple[Step, ...] = ()
    impact: Texts = ()


def stop(units: Units) -> Stop:
    """Return the order in which the nodes of these hosts, the first core first, stop."""
    running = [host for host, unit in units.items() if unit.active]
    replicants = tuple(host for host in running if units[host].role == _REPLICANT)
    cores = tuple(host for host in reversed(running) if units[host].role != _REPLICANT)
    steps = [
        Step(host, "stop", f"stop {units[host].name}", "replicants stop first")
        for host in replicants
    ]
    for host in cores:
        last = host == cores[-1]
        reason = "the last to stop, which has all there is" if last else "one core after the other"
        steps.append(Step(host, "stop", f"stop {units[host].name}", reason))
    impact = ("all clients are cut off until the playbook start has run",) if running else ()
    return Stop(replicants, cores, tuple(steps), impact)


def lost(units: Units) -> tuple[str, ...]:
    """Return the cores that are down without a database, while others have one.

    The others keep a member out that comes back without its schema."""
    cores = {host: unit for host, unit in units.items() if unit.role != _REPLICANT}
    gone = tuple(h for h, unit in cores.items() if not unit.active and not unit.database)
    return gone if len(gone) < len(cores) else ()


def without_database(units: Units) -> t.Iterator[Finding]:
    """Yield the nodes that a start leaves alone, as they lost what they had."""
    gone = lost(units)
    if gone:
        yield Finding(
            "no_database",
            "a database on each host, as members come back with what they had",
            f"none on {', '.join(gone)}, whose nodes are not started",
            "once the others run, have them take it in as a new member: playbook recover, which "
            "shows how",
            hosts=gone,
            severity=WARNING,
        )


def started_without(units: Units, absent: t.Collection[str]) -> t.Iterator[Finding]:
    """Yield that members are left out of a start, and who of the others stopped last."""
    down = [host for host, unit in units.items() if not unit.active]
    if not absent or len(down) < len(units):
        return
    known = [host for host in down if units[host].stopped_at]
    last = max(known, key=lambda host: units[host].stopped_at, default="")
    seen = [f"{host} stopped at {_clock(units[host].stopped_at)}" for host in known]
    yield Finding(
        "start_limited",
        "all members in this run, as a node waits for the tables of those that stopped after it",
        f"a run without {', '.join(sorted(absent))}" + (f"; {last} stopped last here" * bool(last)),
        "run it without --limit, unless those that are left out stopped before these; a node that "
        "waits in vain ends the run",
        severity=WARNING,
        evidence=tuple(seen),
    )


def _clock(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
