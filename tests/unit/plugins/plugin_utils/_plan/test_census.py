# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.census import (
    census,
    common_sight,
    newcomers,
    view_of,
)

NAMES = {f"n{i}": f"emqx@10.0.0.{i}" for i in (1, 2, 3)}
FRESH = {"dashboard_users": 1, "retained_messages": 0}
ABSENT = {"emqx": {"state": "down", "installed": False, "reason": "no such user"}}
DOWN = {"emqx": {"state": "down", "installed": True, "reason": "not responding to pings"}}
GONE = {"unreachable": True, "msg": "Connection timed out"}


def node(host: str, *others: str, stopped: t.Sequence[str] = (), **more: t.Any) -> dict[str, t.Any]:
    """Return the answer of a ready node that lists these others."""
    view = {
        "state": "ready",
        "installed": True,
        "node": NAMES.get(host, host),
        "role": "core",
        "running_nodes": sorted(NAMES.get(h, h) for h in (host, *others)),
        "stopped_nodes": sorted(NAMES.get(h, h) for h in stopped),
        "data": FRESH,
        "config_changed": [],
        **more,
    }
    return {"emqx": view}


def data(users: int) -> dict[str, int]:
    return {"dashboard_users": users, "retained_messages": 2}


@pytest.mark.parametrize(
    ("answers", "seed", "joiners"),
    [
        ({}, "n1", ["n2", "n3"]),
        ({"n1": ABSENT, "n2": ABSENT, "n3": ABSENT}, "n1", ["n2", "n3"]),
        ({"n1": node("n1"), "n2": node("n2"), "n3": node("n3")}, "n1", ["n2", "n3"]),
        ({"n1": ABSENT, "n2": node("n2"), "n3": ABSENT}, "n2", ["n1", "n3"]),
        ({"n1": node("n1"), "n2": node("n2"), "n3": node("n3", data=data(2))}, "n3", ["n1", "n2"]),
        ({"n1": node("n1"), "n2": node("n2", config_changed=["mqtt"])}, "n2", ["n1", "n3"]),
        ({"n1": node("n1"), "n2": node("n2", "n3"), "n3": node("n3", "n2")}, "n2", ["n1"]),
        ({"n1": ABSENT, "n2": node("n2", stopped=["n3"]), "n3": DOWN}, "n2", ["n1"]),
        ({"n1": DOWN, "n2": node("n2", "n3", stopped=["n1"]), "n3": node("n3", "n2")}, "n2", []),
        ({h: node(h, *(set(NAMES) - {h})) for h in NAMES}, "n1", []),
    ],
)
def test_the_seed_keeps_what_there_is_to_keep(
    answers: dict[str, t.Any], seed: str, joiners: list[str]
) -> None:
    found = census(NAMES, answers)
    assert found["errors"] == []
    assert (found["seed"], found["joiners"]) == (seed, joiners)
    assert found["members"] == [host for host in NAMES if host not in joiners]


def test_a_replicant_is_no_seed() -> None:
    answers = {"n1": node("n1", "n2", role="replicant"), "n2": node("n2", "n1")}
    assert census(NAMES, answers)["seed"] == "n2"


def test_the_order_of_preference_is_the_given_one() -> None:
    names = {host: NAMES[host] for host in ("n3", "n1", "n2")}
    assert census(names, {host: node(host) for host in names})["seed"] == "n3"


@pytest.mark.parametrize(
    ("change", "complete"),
    [({}, True), ({"stopped_nodes": ["emqx@10.0.0.9"]}, False), ({"state": "booting"}, False)],
)
def test_complete_is_what_all_see(change: dict[str, t.Any], complete: bool) -> None:
    answers = {host: node(host, *(set(NAMES) - {host})) for host in NAMES}
    answers["n2"]["emqx"].update(change)
    assert census(NAMES, answers)["complete"] is complete


def test_two_holders_of_data_are_a_question() -> None:
    answers = {
        "n1": node("n1", data=data(3)),
        "n2": node("n2"),
        "n3": node("n3", data={"dashboard_users": 1, "retained_messages": 5}),
    }
    (error,) = census(NAMES, answers)["errors"]
    for part in (
        "n1 (emqx@10.0.0.1) holds 2 dashboard users, 2 retained messages",
        "n3 (emqx@10.0.0.3) holds 5 retained messages",
        "emqx_allow_data_loss: true",
        "(n1, n3)",
        "data export",
    ):
        assert part in error
    assert "n2" not in error


def test_consent_takes_a_lone_node_out_of_the_question() -> None:
    answers = {"n1": node("n1", data=data(3)), "n2": ABSENT, "n3": node("n3", data=data(2))}
    found = census(NAMES, answers, consent=["n1"])
    assert (found["errors"], found["seed"], found["joiners"]) == ([], "n3", ["n1", "n2"])


def test_consent_does_not_break_up_a_cluster() -> None:
    answers = {
        "n1": node("n1", data=data(3)),
        "n2": node("n2", "n3"),
        "n3": node("n3", "n2"),
    }
    assert census(NAMES, answers, consent=["n1"])["errors"] == []
    (error,) = census(NAMES, answers, consent=["n2", "n3"])["errors"]
    assert "n2 (emqx@10.0.0.2) is in a cluster with emqx@10.0.0.3" in error
    assert "leave" in error
    assert "(n1)" in error


@pytest.mark.parametrize("place", ["running", "stopped"])
def test_nobody_joins_a_cluster_with_strangers(place: str) -> None:
    stranger = "emqx@10.0.0.9"
    others = [stranger] if place == "running" else []
    stopped = [stranger] if place == "stopped" else []
    answers = {"n1": node("n1", *others, stopped=stopped), "n2": node("n2"), "n3": node("n3")}
    (error,) = census(NAMES, answers)["errors"]
    assert "Found emqx@10.0.0.9 in the cluster of n1" in error
    assert "-e emqx_remove_hosts=emqx@10.0.0.9" in error


def test_a_node_under_its_old_name_is_no_stranger() -> None:
    old = "emqx9@10.0.0.3"
    answers = {
        "n1": node("n1", "n2", old),
        "n2": node("n2", "n1", old),
        "n3": node(old, "n1", "n2"),
    }
    found = census(NAMES, answers)
    assert (found["errors"], found["members"]) == ([], ["n1", "n2", "n3"])


def test_common_sight_is_that_of_most() -> None:
    views = [view_of(a) for a in (node("n1"), node("n2", "n3"), node("n3", "n2"), DOWN, GONE)]
    assert common_sight(views) == (("emqx@10.0.0.2", "emqx@10.0.0.3"), ())
    assert common_sight([view_of(DOWN)]) == ((), ())


def test_a_host_without_an_answer_has_a_view_that_says_why() -> None:
    assert view_of(GONE)["state"] == "unreachable"
    assert view_of({"failed": True, "msg": "emqx hangs"}) == {
        "state": "unknown",
        "installed": None,
        "reason": "emqx hangs",
    }


# --- hosts that were left out of the run


@pytest.mark.parametrize(
    ("answers", "seed", "complete"),
    [
        ({"n2": node("n2", "n1", "n3")}, "n2", True),
        ({"n2": node("n2", "n1", stopped=["n3"])}, "n2", True),
        ({"n1": node("n1", "n2"), "n2": node("n2", "n1")}, "n1", False),
        ({"n1": node("n1", stopped=["n2", "n3"]), "n2": DOWN}, "n1", False),
        # Nobody knows whether the first one runs; cluster_member will see it.
        ({"n2": node("n2")}, "n1", False),
        ({"n2": ABSENT, "n3": ABSENT}, "n1", False),
        ({"n1": node("n1"), "n2": node("n2")}, "n1", False),
    ],
)
def test_hosts_that_were_left_out(answers: dict[str, t.Any], seed: str, complete: bool) -> None:
    found = census(NAMES, answers)
    assert found["errors"] == []
    assert (found["seed"], found["complete"]) == (seed, complete)


def test_a_lone_node_with_data_needs_all_hosts_or_consent() -> None:
    answers = {"n2": node("n2", data=data(3))}
    (error,) = census(NAMES, answers)["errors"]
    assert error == (
        "Host n2: expected all hosts of the cluster in this run, as emqx@10.0.0.2 is alone and "
        "holds 2 dashboard users, 2 retained messages, which joining deletes; found n1, n3 left "
        "out: run this without --limit, or set emqx_allow_data_loss: true for n2 if it may go"
    )
    assert census(NAMES, answers, consent=["n2"])["errors"] == []


def test_nobody_joins_while_a_member_is_down_and_stays_so() -> None:
    answers = {"n1": node("n1", stopped=["n3"]), "n2": ABSENT}
    (error,) = census(NAMES, answers)["errors"]
    assert error == (
        "Host n3: expected all members to run before a node joins, found emqx@10.0.0.3 stopped "
        "and its host left out: start it with this run, or have its place taken with the playbook "
        "replace_node"
    )
    assert newcomers(NAMES, ["n1", "n2"], ["n2"], answers)["errors"] == [error]
    assert census(NAMES, {**answers, "n3": DOWN})["errors"] == []


# --- discovery: the oldest keeps its data


HOSTS = list(NAMES)


@pytest.mark.parametrize(
    ("fresh", "answers", "last"),
    [
        # Nobody was asked, as nothing is configured or nobody holds a database.
        ([], {}, []),
        (["n1", "n2", "n3"], {}, []),
        (["n3"], {}, ["n3"]),
        # One cluster, and new nodes.
        (["n3"], {"n1": node("n1", "n2"), "n2": node("n2", "n1"), "n3": ABSENT}, ["n3"]),
        # A node with data, in front of fresh ones and of one that runs.
        (["n1", "n2"], {"n1": ABSENT, "n2": ABSENT, "n3": node("n3", data=data(2))}, ["n1", "n2"]),
        (["n1"], {"n1": ABSENT, "n2": node("n2"), "n3": node("n3", data=data(2))}, ["n1", "n2"]),
        # Nothing to lose: in any order.
        ([], {h: node(h) for h in NAMES}, []),
        ([], {h: node(h, *(set(NAMES) - {h})) for h in NAMES}, []),
        # After an outage all that have a database start together, and a fresh one after them.
        ([], {h: DOWN for h in NAMES}, []),
        (["n2"], {"n1": DOWN, "n2": ABSENT, "n3": DOWN}, ["n2"]),
        # A member that is down comes back as one.
        ([], {"n1": node("n1", "n2", stopped=["n3"]), "n2": node("n2", "n1"), "n3": DOWN}, []),
        # Who knows what the one holds that is down; the others hold nothing.
        ([], {"n1": node("n1"), "n2": DOWN, "n3": node("n3")}, ["n1", "n3"]),
    ],
)
def test_who_starts_last(fresh: list[str], answers: dict[str, t.Any], last: list[str]) -> None:
    assert newcomers(NAMES, HOSTS, fresh, answers) == {"last": last, "errors": []}


def test_two_holders_of_data_never_find_one_another() -> None:
    answers = {"n1": node("n1", data=data(3)), "n2": node("n2", data=data(2)), "n3": ABSENT}
    (error,) = newcomers(NAMES, HOSTS, ["n3"], answers)["errors"]
    assert error.startswith("Expected one cluster, or one node with data")
    agreed = newcomers(NAMES, HOSTS, ["n3"], answers, consent=["n1"])
    assert agreed == {"last": ["n1", "n3"], "errors": []}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (DOWN, "a database of emqx@10.0.0.3, whose node is down (not responding to pings)"),
        (
            {"emqx": {**DOWN["emqx"], "state": "booting", "reason": "starting"}},
            "a database of emqx@10.0.0.3, whose node is booting (starting)",
        ),
        (
            node("n3", config_changed=["mqtt", "rule_engine"]),
            "run-time configuration of mqtt, rule_engine (cluster.hocon)",
        ),
    ],
)
def test_what_else_would_be_lost(answer: dict[str, t.Any], found: str) -> None:
    answers = {"n1": node("n1", "n2"), "n2": node("n2", "n1"), "n3": answer}
    assert newcomers(NAMES, HOSTS, [], answers)["errors"] == [
        f"Host n3: expected nothing that the cluster of n1, n2 does not have, found {found}, which "
        "is deleted when it joins: set emqx_allow_data_loss: true for n3 if it may go"
    ]
    agreed = newcomers(NAMES, HOSTS, [], answers, consent=["n3"])
    assert agreed == {"last": ["n3"], "errors": []}


def test_replicants_hold_nothing_of_their_own() -> None:
    answers = {"n1": node("n1", "n2"), "n2": node("n2", "n1"), "n3": DOWN}
    assert newcomers(NAMES, ["n1", "n2"], [], answers) == {"last": [], "errors": []}
