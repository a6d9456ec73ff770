# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""In which order the nodes of a running cluster get another version of EMQX.

A replicant only connects to a core of exactly its own version (5.6 and newer). So one core goes
first, the replicants follow, and the other cores come last: replicants of either version have one.
Nodes of one server share what is installed, and go together.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

_CORE = "core"


@dataclass(frozen=True)
class Unit:
    """The node of a host: what is ``installed`` there, "" for nothing, what the node ``runs``, ""
    where it does not say, and whether it is ``ready``."""

    name: str
    server: str
    role: str = _CORE
    installed: str = ""
    runs: str = ""
    ready: bool = False

    def is_done(self, wanted: str) -> bool:
        return self.ready and self.installed == wanted and self.runs in ("", wanted)


Units = t.Mapping[str, Unit]


@dataclass(frozen=True)
class Upgrade:
    """``batches`` are hosts whose nodes go down together, one batch after the other; ``done`` are
    those that run the version that is ``wanted``.

    ``running`` are the nodes that run before the first batch; ``whole`` has by host those that have
    to run, and see one another, once its node is back.
    """

    wanted: str
    batches: tuple[Texts, ...] = ()
    done: Texts = ()
    running: Texts = ()
    whole: t.Mapping[str, Texts] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    impact: Texts = ()
    findings: tuple[Finding, ...] = ()

    @property
    def pending(self) -> Texts:
        return tuple(host for batch in self.batches for host in batch)


def plan(units: Units, wanted: str, batch: int, full_restart: bool = False) -> Upgrade:
    """Return the order for the members of a cluster.

    ``batch`` is how many replicants go at the same time, ``full_restart`` the consent to cut off
    all clients where there is no other core.
    """
    batches = _batches(units, wanted, batch)
    running = tuple(unit.name for unit in units.values() if unit.ready)
    whole: dict[str, Texts] = {}
    up = set(running)
    for hosts in batches:
        up.update(units[host].name for host in hosts)
        members = tuple(unit.name for unit in units.values() if unit.name in up)
        whole.update(dict.fromkeys(hosts, members))
    draft = Upgrade(
        wanted,
        batches,
        done=tuple(host for host, unit in units.items() if unit.is_done(wanted)),
        running=running,
        whole=whole,
    )
    return Upgrade(
        **{
            **vars(draft),
            "steps": tuple(_steps(draft, units)),
            "impact": tuple(_impact(draft, units)),
            "findings": tuple(() if full_restart else _cut_off(draft, units)),
        }
    )


def _batches(units: Units, wanted: str, batch: int) -> tuple[Texts, ...]:
    servers: dict[str, Texts] = {}
    for host, unit in units.items():
        if not unit.is_done(wanted):
            servers[unit.server] = (*servers.get(unit.server, ()), host)
    groups = list(servers.values())
    # Nobody is served there, and nobody else goes down while they are.
    idle = [group for group in groups if not any(units[host].ready for host in group)]
    rest = [group for group in groups if group not in idle]
    cores = [group for group in rest if _has_core(units, group)]
    others = [group for group in rest if group not in cores]
    new = any(_has_core(units, group) for group in idle)
    new = new or any(unit.role == _CORE and unit.is_done(wanted) for unit in units.values())
    first = cores[:1] if others and not new else []
    together = [
        tuple(host for group in others[start : start + batch] for host in group)
        for start in range(0, len(others), batch)
    ]
    return (*idle, *first, *together, *cores[len(first) :])


def _has_core(units: Units, group: Texts) -> bool:
    return any(units[host].role == _CORE for host in group)


def _steps(upgrade: Upgrade, units: Units) -> t.Iterator[Step]:
    replicants = [h for h in upgrade.pending if units[h].role != _CORE]
    for hosts in upgrade.batches:
        for host in hosts:
            unit = units[host]
            way = f"from {unit.installed} to {upgrade.wanted}"
            if unit.installed == upgrade.wanted:
                yield Step(
                    host,
                    "upgrade",
                    f"bring {unit.name} up with {upgrade.wanted}",
                    "its upgrade was cut short",
                )
            else:
                yield Step(
                    host, "upgrade", f"upgrade {unit.name} {way}", _reason(unit, hosts, replicants)
                )


def _reason(unit: Unit, batch: Texts, replicants: t.Sequence[str]) -> str:
    if not unit.ready:
        return "it is not ready, so that nobody is served there"
    if unit.role != _CORE:
        return "replicants before the last core of their version"
    return f"together: {', '.join(batch)} share a server" if len(batch) > 1 else ""


def _impact(upgrade: Upgrade, units: Units) -> t.Iterator[str]:
    """Yield what clients will notice."""
    serving = [host for host in upgrade.pending if units[host].ready]
    if not serving:
        return
    alone = any({h for h, u in units.items() if u.ready} <= set(b) for b in upgrade.batches)
    if alone:
        yield f"all clients are cut off while {', '.join(serving)} is upgraded"
    else:
        after = ", one node after the other" if len(serving) > 1 else ""
        yield f"clients of {', '.join(serving)} have to reconnect{after}"


def _cut_off(upgrade: Upgrade, units: Units) -> t.Iterator[Finding]:
    """Yield the batches that leave no core that is ready."""
    cores = {host for host, unit in units.items() if unit.role == _CORE and unit.ready}
    for batch in upgrade.batches:
        gone = cores & set(batch)
        if gone and gone == cores:
            yield Finding(
                "last_core",
                "another core that serves clients while this one is upgraded",
                f"{', '.join(sorted(gone))} alone",
                "set emqx_allow_full_restart to true (clients are cut off meanwhile, data is kept)",
                hosts=tuple(sorted(gone)),
                subject="emqx_allow_full_restart",
            )
