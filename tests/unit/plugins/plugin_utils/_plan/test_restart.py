# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import UNKNOWN_BOOT
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.restart import plan

State = t.Optional[t.List[str]]
DOWN: State = None
FRESH: State = []
STALE: State = ["mqtt.max_packet_size"]
COOKIE: State = ["mqtt.max_packet_size", "node.cookie"]
PORT: State = ["rpc.server_port"]


def states_of(hosts: t.Mapping[str, State]) -> dict[str, dict[str, t.Any]]:
    """Return states by what the node does not know; names of replicants start with r."""
    return {
        host: {
            "role": "replicant" if host.startswith("r") else "core",
            "active": stale is not DOWN,
            "stale": stale or [],
        }
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
    known = states_of(states)
    assert plan(known) == {
        "stop": restart if full else [],
        "start": start,
        "restart": restart,
        "last": [],
        "replicants": [],
        "cores_start": bool(start) or full,
        "full": full,
        "keys": keys,
    }


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
    assert (found["stop"], found["start"], found["restart"]) == (stop, start, restart)
    assert (found["last"], found["full"]) == (last, full)


def test_what_a_stopped_node_does_not_know_is_of_no_interest() -> None:
    states: dict[str, dict[str, t.Any]] = {
        "a": {"role": "core", "active": False, "stale": COOKIE},
        "b": {"role": "core", "active": True, "stale": []},
    }
    found = plan(states)
    assert (found["start"], found["restart"], found["keys"]) == (["a"], [], [])


def test_the_order_of_the_members_is_kept() -> None:
    states = dict.fromkeys(("n3", "n1", "n2"), STALE)
    assert plan(states_of(states))["restart"] == ["n3", "n1", "n2"]


def two_of_each(stale: State, **others: State) -> dict[str, t.Any]:
    """Return the plan for replicants r1 and r2 among cores c1 and c2."""
    return plan(states_of({host: others.get(host, stale) for host in ("r1", "c1", "r2", "c2")}))


def test_replicants_restart_after_the_cores() -> None:
    found = two_of_each(STALE)
    assert found["restart"] == ["c1", "c2", "r1", "r2"]
    assert (found["replicants"], found["cores_start"]) == ([], False)


def test_replicants_start_after_the_cores() -> None:
    found = two_of_each(DOWN)
    assert (found["start"], found["replicants"]) == (["c1", "c2"], ["r1", "r2"])
    assert found["cores_start"]


def test_replicants_start_after_the_cores_when_all_were_stopped() -> None:
    found = two_of_each(COOKIE)
    assert (found["full"], found["stop"]) == (True, ["c1", "c2", "r1", "r2"])
    assert (found["replicants"], found["cores_start"]) == (["r1", "r2"], True)


def test_replicants_that_start_alone_wait_for_nobody() -> None:
    found = two_of_each(FRESH, r1=DOWN)
    assert (found["start"], found["replicants"], found["cores_start"]) == ([], ["r1"], False)
    assert two_of_each(FRESH, c2=DOWN)["replicants"] == []


def test_replicants_start_after_cores_that_start_last() -> None:
    found = plan(states_of({"c1": STALE, "c2": DOWN, "r1": DOWN}), ["c2"])
    assert (found["start"], found["restart"], found["last"]) == ([], ["c1"], ["c2"])
    assert (found["replicants"], found["cores_start"]) == (["r1"], True)
