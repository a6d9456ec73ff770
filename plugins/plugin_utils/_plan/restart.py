# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which nodes have to be started or restarted, and whether one by one or all together."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import (
    UNKNOWN_BOOT,
    cluster_wide,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

_REPLICANT = "replicant"


@dataclass(frozen=True)
class NodeRun:
    """How the node of a host runs now.

    ``name`` is its own, ``role`` core or replicant; ``stale`` are the keys and files that the
    running node does not know yet. ``sees`` are the names that it lists as running, None where it
    was not asked or is not ready. ``asked`` tells that the user wants it restarted.
    """

    name: str
    role: str = "core"
    active: bool = False
    stale: Texts = ()
    sees: Texts | None = None
    asked: bool = False


@dataclass(frozen=True)
class Restarts:
    """Who stops, starts and restarts, in this order.

    ``stop``: hosts whose node stops before any other starts.
    ``start``: cores that are started, all together (after a full stop a node waits for the
    others).
    ``restart``: hosts whose node runs with old values, or that were asked for: those that are not
    ready, as nobody is served there, then replicants after cores; ``gates`` has for each of them
    the names that have to run and see one another before the next one restarts.
    ``unready``: those of ``restart`` whose node serves nobody, as far as it was asked.
    ``last``: cores that start after all that.
    ``replicants``: those that start in the end, as they do not boot without a core;
    ``cores_start`` tells whether any core starts, so that they have to wait for it.
    ``full``: whether those of ``restart`` stop and start together, because no running node has the
    new value of ``keys``, in which nodes must agree.
    """

    stop: Texts = ()
    start: Texts = ()
    restart: Texts = ()
    unready: Texts = ()
    last: Texts = ()
    replicants: Texts = ()
    cores_start: bool = False
    full: bool = False
    keys: Texts = ()
    gates: t.Mapping[str, Texts] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    impact: Texts = ()

    @property
    def hosts(self) -> frozenset[str]:
        """All hosts whose node is started, stopped or restarted."""
        return frozenset(self.stop + self.start + self.restart + self.last + self.replicants)

    def as_dict(self) -> Json:
        steps = [asdict(step) for step in self.steps]
        return {**vars(self), "gates": dict(self.gates), "steps": steps}


def plan(
    states: t.Mapping[str, NodeRun], last: t.Collection[str] = (), whole: Texts = ()
) -> Restarts:
    """Return the plan for the members of a cluster.

    ``states`` are those of the hosts of this run; ``last`` are cores that must not be up before
    the others are. ``whole`` names the members that have to run before and after each restart, by
    default those that the node saw before.
    """
    cores = [host for host, state in states.items() if state.role != _REPLICANT]
    # In this order they restart, too.
    ordered = [*cores, *(host for host in states if states[host].role == _REPLICANT)]
    running = [host for host in ordered if states[host].active]
    late, up = frozenset(last), frozenset(running)
    restart = [host for host in running if states[host].stale or states[host].asked]
    restart.sort(key=lambda host: states[host].sees is not None)
    was_asked = any(state.sees is not None for state in states.values())
    disagreeing = [host for host in running if cluster_wide(states[host].stale)]
    keys = {key for host in disagreeing for key in cluster_wide(states[host].stale)}
    full = len(states) > 1 and bool(running) and disagreeing == running
    stopped = frozenset(restart) if full else frozenset()
    down = [host for host in ordered if host not in up or host in stopped]
    found = Restarts(
        stop=tuple(host for host in running if host in late or host in stopped),
        start=tuple(host for host in cores if host not in up and host not in late),
        restart=tuple(host for host in restart if host not in late),
        unready=tuple(h for h in restart if states[h].sees is None and was_asked),
        last=tuple(host for host in states if host in late),
        replicants=tuple(host for host in down if states[host].role == _REPLICANT),
        cores_start=any(states[host].role != _REPLICANT for host in [*down, *last]),
        full=full,
        keys=tuple(sorted(keys)),
    )
    return Restarts(
        **{
            **vars(found),
            "gates": {} if full else _gates(found, states, whole),
            "steps": tuple(_steps(found, states)),
            "impact": tuple(_impact(found, running)),
        }
    )


def _gates(found: Restarts, states: t.Mapping[str, NodeRun], whole: Texts) -> dict[str, Texts]:
    """Return who has to run, and see one another, after the restart of each node, itself first.

    That is whom it saw before, but for those that this run stops. Where it was not asked, it is
    all that ran all the time.
    """
    stopped = {states[host].name for host in found.stop}
    active = tuple(state.name for state in states.values() if state.active)
    gates = {}
    for host in found.restart:
        state = states[host]
        others = whole or (active if state.sees is None else state.sees)
        again = [state.name, *(name for name in others if name not in stopped)]
        gates[host] = tuple(dict.fromkeys(again))
    return gates


def _steps(found: Restarts, states: t.Mapping[str, NodeRun]) -> t.Iterator[Step]:
    for host in found.stop:
        yield Step(host, "stop", f"stop {states[host].name}", _reason_to_stop(found, states, host))
    for host in found.start:
        yield Step(host, "start", f"start {states[host].name}", "it is down")
    for host in found.restart:
        if not found.full:
            yield Step(host, "restart", f"restart {states[host].name}", _changed(states[host]))
        elif host not in found.replicants:
            yield Step(host, "start", f"start {states[host].name}", "it was stopped for this")
    for host in found.last:
        reason = "what it holds may go, so that it joins the others"
        yield Step(host, "start", f"start {states[host].name} after the others", reason)
    for host in found.replicants:
        reason = "a replicant does not boot without a core"
        yield Step(host, "start", f"start {states[host].name} after the cores", reason)


def _changed(state: NodeRun) -> str:
    if not state.stale:
        return "as asked" if state.sees is not None else "it is not ready"
    if UNKNOWN_BOOT in state.stale:
        return "what it was started with is not recorded"
    return f"changed since it started: {', '.join(state.stale)}"


def _reason_to_stop(found: Restarts, states: t.Mapping[str, NodeRun], host: str) -> str:
    if found.full and host in found.restart + found.replicants:
        return f"all nodes have to agree in {', '.join(found.keys)}"
    return "discovery has a node join the one that has been up the longest"


def _impact(found: Restarts, running: t.Sequence[str]) -> t.Iterator[str]:
    """Yield what clients will notice."""
    stopped = [host for host in running if host in found.stop]
    if stopped and stopped == list(running):
        again = "runs again" if len(stopped) == 1 else "run again"
        yield f"all clients are cut off until {_names(stopped)} {again}"
        return
    if stopped:
        again = "it runs again" if len(stopped) == 1 else "they run again"
        yield f"clients of {_names(stopped)} are cut off until {again}"
    if found.restart and len(running) == 1 and not found.start:
        yield f"all clients are cut off until {found.restart[0]} is back"
    elif found.restart:
        after = ", one node after the other" if len(found.restart) > 1 else ""
        yield f"clients of {_names(found.restart)} have to reconnect{after}"


def _names(hosts: t.Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(hosts[:-1]), hosts[-1]]))
