# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether a cluster is whole: what one node of it says of itself and of all others.

The gate before and after a node of a running cluster goes down. One call of the command line
tells all of it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import CommandError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.decision import names, not_ready
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import (
    PREFIX,
    view_expression,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View

# Goes on from the view, of which it takes M, P and Alive. Names of alarms may hold what clients
# call themselves: what is no plain character becomes a line, so that none ends a line of ours.
_LOAD = """,
Members = [node() | Alive],
Text = fun(A) -> case is_binary(A) of true -> A;
    _ -> iolist_to_binary(io_lib:format('~0p', [A])) end end,
Plain = fun(A) -> lists:sublist(
    [case C > 32 andalso C < 127 of true -> C; _ -> 95 end || <<C>> <= Text(A)], 200) end,
[P(gate_clients, fun() -> [N, V] end) ||
    {N, {ok, V}} <- M(Members, emqx_cm, get_connected_client_count, [])],
[io:format('mqttops gate_alarm ~ts ~ts~n', [N, Plain(A)]) ||
    {N, {ok, As}} <- M(Members, emqx_alarm, get_alarms, [activated]), #{name := A} <- As]
"""

# Alarms that tell of one client.
_OF_CLIENTS = "conn_congestion/"
_SHOWN = 5


@dataclass(frozen=True)
class Load:
    """What the members carry: ``clients`` by node, and active ``alarms`` as "NODE NAME"."""

    clients: t.Mapping[str, int] = field(default_factory=dict)
    alarms: frozenset[str] = frozenset()

    @property
    def total(self) -> int:
        return sum(self.clients.values())


@dataclass(frozen=True)
class Whole:
    """What there has to be: ``members`` that run and see one another, at least so many
    ``clients``, no alarm but those ``alarms`` (None: any), and this node of a ``version`` (""
    for any)."""

    members: tuple[str, ...]
    clients: int = 0
    alarms: frozenset[str] | None = None
    version: str = ""


@dataclass(frozen=True)
class Glance:
    """One look through the gate: what is ``missing``, nothing if it is open."""

    missing: tuple[str, ...]
    load: Load = Load()

    def as_dict(self) -> Json:
        reason = "; ".join(self.missing) or "the cluster is whole"
        return {
            "reached": not self.missing,
            "reason": reason,
            "clients": self.load.total,
            "alarms": sorted(self.load.alarms),
        }


def gate_expression() -> str:
    return f"{view_expression(others=True)}{' '.join(_LOAD.split())}"


def least(clients: int, share: int) -> int:
    """Return how many of so many clients have to be there, by a share in percent."""
    return clients * share // 100


def read_load(out: str) -> Load:
    """Return what an answer says of the load; what is no number or name is left out."""
    clients: dict[str, int] = {}
    alarms = set()
    for line in out.splitlines():
        key, _blank, rest = line[len(PREFIX) :].partition(" ")
        node, _blank, value = rest.partition(" ")
        if not line.startswith(PREFIX):
            continue
        if key == "gate_clients" and value.isdecimal():
            clients[node] = int(value[:18])
        elif key == "gate_alarm" and value and not value.startswith(_OF_CLIENTS):
            alarms.add(f"{node} {value}")
    return Load(clients, frozenset(alarms))


def missing(view: View, load: Load, whole: Whole) -> t.Iterator[str]:
    """Yield what keeps the gate closed."""
    if view.state != "ready":
        yield not_ready(view, "wait").reason
        return
    if whole.version and whole.version != view.version:
        yield f"this node runs {view.version or 'an unknown version'}, not {whole.version}"
    yield from _unseen(view, set(whole.members))
    yield from _tables(view)
    sync = view.sync or {}
    changes = {name: sync.get(name, 0) for name in view.running}
    if sync and len(set(changes.values())) > 1:
        shown = ", ".join(f"{name}: {number}" for name, number in sorted(changes.items()))
        yield f"the configuration is not in sync (last change that a node followed: {shown})"
    if whole.alarms is not None:
        new = sorted(load.alarms - whole.alarms)
        if new:
            yield f"new alarm(s): {', '.join(new[:_SHOWN])}"
    if load.total < whole.clients:
        yield f"{load.total} client(s) are connected, of at least {whole.clients}"


def _unseen(view: View, members: set[str]) -> t.Iterator[str]:
    """Yield who does not run, or does not see the others run."""
    absent = members - set(view.running)
    if absent:
        yield f"{names(absent)} not running, as {view.node} sees it"
    for name in sorted(members & set(view.running) - {view.node or ""}):
        peer = view.peers.get(name)
        if peer is None or not peer.reachable:
            yield f"{name} does not answer"
        elif not peer.ready:
            yield f"{name} is not ready"
        elif members - set(peer.running):
            yield f"{name} does not see {names(members - set(peer.running))}"


def _tables(view: View) -> t.Iterator[str]:
    """Yield the tables that a member has not loaded. One of another release of Erlang/OTP does
    not say."""
    for name, said in [(view.node or "", view), *sorted(view.others.items())]:
        tables = [*said.copying_tables, *said.waiting_for_tables]
        if tables:
            yield f"{name} has not loaded table(s) {', '.join(tables[:_SHOWN])}"


def look(ctl: Ctl, whole: Whole, timeout: float) -> Glance:
    """Ask a node once whether its cluster is whole."""
    try:
        view, out = ctl.question(gate_expression(), timeout)
    except CommandError as error:
        return Glance((error.message,))
    load = read_load(out)
    return Glance(tuple(missing(view, load, whole)), load)
