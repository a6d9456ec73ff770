# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import UNKNOWN_BOOT
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.restart import (
    NodeRun,
    Restarts,
    plan,
)

State = t.Optional[t.List[str]]
DOWN: State = None
FRESH: State = []
STALE: State = ["mqtt.max_packet_size"]
COOKIE: State = ["mqtt.max_packet_size", "node.cookie"]
PORT: State = ["rpc.server_port"]


def states_of(hosts: t.Mapping[str, State]) -> dict[str, NodeRun]:
    """Return states by what the node does not know; names of replicants start with r."""
    return {
        host: NodeRun(
            name=f"emqx@{host}",
            role="replicant" if host.startswith("r") else "core",
            active=stale is not DOWN,
            stale=tuple(stale or ()),
        )
        for host, stale in hosts.items()
    }


@pytest.mark.parametrize(
    ("states", "start", "restart", "full", "keys"),
    [
        ({}, [], [], False, []),
        ({"a": FRESH, "b": FRESH, "c": FRESH}, [], [], False, []),
        ({"a": DOWN, "b": DOWN, "c": DOWN}, ["a", "b", "c"], [], False, []),
        ({"a": FRESH, "b": DOWN, "c": FRESH}, ["b"], [], False, []),
        ({"a": FRESH, "b": STALE, "c": FRESH}, [], ["b"], False, []),
        ({"a": STALE, "b": STALE, "c": STALE}, [], ["a", "b", "c"], False, []),
        ({"a": STALE, "b": DOWN, "c": FRESH}, ["b"], ["a"], False, []),
        ({"a": [UNKNOWN_BOOT], "b": FRESH}, [], ["a"], False, []),
        # No running node has the new value: together.
        ({"a": COOKIE, "b": COOKIE, "c": COOKIE}, [], ["a", "b", "c"], True, ["node.cookie"]),
        ({"a": COOKIE, "b": PORT}, [], ["a", "b"], True, ["node.cookie", "rpc.server_port"]),
        ({"a": COOKIE, "b": COOKIE, "c": DOWN}, ["c"], ["a", "b"], True, ["node.cookie"]),
        # Those that are down would start with the new value, so the running one has to stop first.
        ({"a": COOKIE, "b": DOWN, "c": DOWN}, ["b", "c"], ["a"], True, ["node.cookie"]),
        # A run was cut short: the others follow the one that has the new value.
        ({"a": FRESH, "b": COOKIE, "c": COOKIE}, [], ["b", "c"], False, ["node.cookie"]),
        ({"a": STALE, "b": COOKIE}, [], ["a", "b"], False, ["node.cookie"]),
        # A node alone agrees with itself.
        ({"a": COOKIE}, [], ["a"], False, ["node.cookie"]),
        ({"a": STALE}, [], ["a"], False, []),
        ({"a": DOWN}, ["a"], [], False, []),
    ],
)
def test_plan(
    states: dict[str, State], start: list[str], restart: list[str], full: bool, keys: list[str]
) -> None:
    found = plan(states_of(states))
    assert (found.start, found.restart) == (tuple(start), tuple(restart))
    assert found.stop == (tuple(restart) if full else ())
    assert (found.last, found.replicants) == ((), ())
    assert found.cores_start == (bool(start) or full)
    assert (found.full, found.keys) == (full, tuple(keys))
    assert found.hosts == {*start, *restart}


@pytest.mark.parametrize(
    ("states", "last", "stop", "start", "restart", "full"),
    [
        # A node with data gets a new configuration, fresh ones come to it.
        ({"a": STALE, "b": DOWN, "c": DOWN}, ["b", "c"], [], [], ["a"], False),
        ({"a": COOKIE, "b": DOWN}, ["b"], ["a"], [], ["a"], True),
        # A running one that may lose what it has goes down first, also with the right values.
        ({"a": FRESH, "b": STALE}, ["a"], ["a"], [], ["b"], False),
        ({"a": STALE, "b": STALE, "c": DOWN}, ["b"], ["b"], ["c"], ["a"], False),
        ({"a": COOKIE, "b": COOKIE}, ["b"], ["a", "b"], [], ["a"], True),
    ],
)
def test_who_starts_last(
    states: dict[str, State],
    last: list[str],
    stop: list[str],
    start: list[str],
    restart: list[str],
    full: bool,
) -> None:
    known = states_of(states)
    found = plan(known, last)
    assert found.stop == tuple(stop)
    assert found.start == tuple(start)
    assert found.restart == tuple(restart)
    assert (found.last, found.full) == (tuple(last), full)


def test_what_a_stopped_node_does_not_know_is_of_no_interest() -> None:
    states = {"a": NodeRun("a", stale=("node.cookie",)), "b": NodeRun("b", active=True)}
    found = plan(states)
    assert (found.start, found.restart, found.keys) == (("a",), (), ())


def test_the_order_of_the_members_is_kept() -> None:
    states = dict.fromkeys(("n3", "n1", "n2"), STALE)
    assert plan(states_of(states)).restart == ("n3", "n1", "n2")


def two_of_each(stale: State, **others: State) -> Restarts:
    """Return the plan for replicants r1 and r2 among cores c1 and c2."""
    return plan(states_of({host: others.get(host, stale) for host in ("r1", "c1", "r2", "c2")}))


def test_replicants_restart_after_the_cores() -> None:
    found = two_of_each(STALE)
    assert found.restart == ("c1", "c2", "r1", "r2")
    assert (found.replicants, found.cores_start) == ((), False)


def test_replicants_start_after_the_cores() -> None:
    found = two_of_each(DOWN)
    assert (found.start, found.replicants) == (("c1", "c2"), ("r1", "r2"))
    assert found.cores_start


def test_replicants_start_after_the_cores_when_all_were_stopped() -> None:
    found = two_of_each(COOKIE)
    assert (found.full, found.stop) == (True, ("c1", "c2", "r1", "r2"))
    assert (found.replicants, found.cores_start) == (("r1", "r2"), True)


def test_replicants_that_start_alone_wait_for_nobody() -> None:
    found = two_of_each(FRESH, r1=DOWN)
    assert (found.start, found.replicants, found.cores_start) == ((), ("r1",), False)
    assert two_of_each(FRESH, c2=DOWN).replicants == ()


def test_replicants_start_after_cores_that_start_last() -> None:
    found = plan(states_of({"c1": STALE, "c2": DOWN, "r1": DOWN}), ["c2"])
    assert (found.start, found.restart, found.last) == ((), ("c1",), ("c2",))
    assert (found.replicants, found.cores_start) == (("r1",), True)


def test_a_restart_ends_when_the_node_is_back_in_its_cluster() -> None:
    found = plan(states_of({"a": STALE, "b": STALE, "c": FRESH, "d": DOWN}))
    assert found.gates == {
        "a": ("emqx@a", "emqx@b", "emqx@c"),
        "b": ("emqx@b", "emqx@a", "emqx@c"),
    }


def test_whom_a_node_saw_before_it_has_to_see_again() -> None:
    states = {
        "a": NodeRun("emqx@a", active=True, stale=("x",), sees=("emqx@a", "emqx@far")),
        "b": NodeRun("emqx@b", active=True, stale=("x",), sees=("emqx@b",)),
        "c": NodeRun("emqx@c", active=True),
    }
    # Two clusters are not one before the members are brought together.
    assert plan(states).gates == {"a": ("emqx@a", "emqx@far"), "b": ("emqx@b",)}


def test_nobody_waits_for_a_node_that_this_run_stopped() -> None:
    found = plan(states_of({"a": STALE, "b": FRESH, "c": FRESH}), ["b"])
    assert (found.stop, found.gates) == (("b",), {"a": ("emqx@a", "emqx@c")})


def test_after_a_full_stop_all_wait_for_all() -> None:
    assert plan(states_of({"a": COOKIE, "b": COOKIE})).gates == {}


def shown(found: Restarts) -> list[str]:
    return [f"{step.host}: {step.text}: {step.reason}" for step in found.steps]


def test_the_steps_of_a_rolling_restart() -> None:
    found = plan(states_of({"a": STALE, "b": DOWN, "c": [UNKNOWN_BOOT], "r": DOWN}))
    assert shown(found) == [
        "b: start emqx@b: it is down",
        "a: restart emqx@a: changed since it started: mqtt.max_packet_size",
        "c: restart emqx@c: what it was started with is not recorded",
        "r: start emqx@r after the cores: a replicant does not boot without a core",
    ]
    assert found.impact == ("clients of a and c have to reconnect, one node after the other",)


def test_the_steps_of_a_full_restart() -> None:
    found = plan(states_of({"a": COOKIE, "b": COOKIE, "r": COOKIE}))
    assert [(step.host, step.kind) for step in found.steps] == [
        ("a", "stop"),
        ("b", "stop"),
        ("r", "stop"),
        ("a", "start"),
        ("b", "start"),
        ("r", "start"),
    ]
    assert found.steps[0].reason == "all nodes have to agree in node.cookie"
    assert found.impact == ("all clients are cut off until a, b and r run again",)


def test_the_steps_where_one_joins_the_others_by_discovery() -> None:
    found = plan(states_of({"a": FRESH, "b": STALE}), ["a"])
    assert shown(found) == [
        "a: stop emqx@a: discovery has a node join the one that has been up the longest",
        "b: restart emqx@b: changed since it started: mqtt.max_packet_size",
        "a: start emqx@a after the others: what it holds may go, so that it joins the others",
    ]
    assert found.impact == (
        "clients of a are cut off until it runs again",
        "clients of b have to reconnect",
    )


@pytest.mark.parametrize(
    ("states", "impact"),
    [
        ({"a": FRESH, "b": FRESH}, ()),
        ({"a": DOWN, "b": FRESH}, ()),
        ({"a": STALE}, ("all clients are cut off until a is back",)),
        ({"a": STALE, "b": DOWN}, ("clients of a have to reconnect",)),
        ({"a": COOKIE, "b": DOWN}, ("all clients are cut off until a runs again",)),
    ],
)
def test_what_clients_notice(states: dict[str, State], impact: tuple[str, ...]) -> None:
    assert plan(states_of(states)).impact == impact


def test_the_form_for_tasks_is_data() -> None:
    found = json.loads(json.dumps(plan(states_of({"a": STALE, "b": FRESH})).as_dict()))
    assert found["restart"] == ["a"]
    assert found["gates"] == {"a": ["emqx@a", "emqx@b"]}
    assert set(found["steps"][0]) == {"host", "kind", "text", "reason"}
