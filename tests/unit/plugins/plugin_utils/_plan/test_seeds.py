# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from member_views import NAMES, data, node
from model_builders import ABSENT, DOWN

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import (
    Views,
    held,
    seed_choice,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.start_order import start_order


@pytest.mark.parametrize(
    ("views", "seed", "joiners"),
    [
        ({}, "n1", ["n2", "n3"]),
        ({"n1": ABSENT, "n2": ABSENT, "n3": ABSENT}, "n1", ["n2", "n3"]),
        ({"n1": node("n1"), "n2": node("n2"), "n3": node("n3")}, "n1", ["n2", "n3"]),
        ({"n1": ABSENT, "n2": node("n2"), "n3": ABSENT}, "n2", ["n1", "n3"]),
        ({"n1": node("n1"), "n2": node("n2"), "n3": node("n3", data=data(2))}, "n3", ["n1", "n2"]),
        ({"n1": node("n1"), "n2": node("n2", config_changed=("mqtt",))}, "n2", ["n1", "n3"]),
        ({"n1": node("n1"), "n2": node("n2", "n3"), "n3": node("n3", "n2")}, "n2", ["n1"]),
        ({"n1": ABSENT, "n2": node("n2", stopped=["n3"]), "n3": DOWN}, "n2", ["n1"]),
        ({"n1": DOWN, "n2": node("n2", "n3", stopped=["n1"]), "n3": node("n3", "n2")}, "n2", []),
        ({h: node(h, *(set(NAMES) - {h})) for h in NAMES}, "n1", []),
    ],
)
def test_the_seed_keeps_what_there_is_to_keep(views: Views, seed: str, joiners: list[str]) -> None:
    found = seed_choice(NAMES, views)
    assert found.findings == ()
    assert (found.seed, found.joiners) == (seed, tuple(joiners))
    assert found.members == tuple(host for host in NAMES if host not in joiners)


def test_a_replicant_is_no_seed() -> None:
    views = {"n1": node("n1", "n2", role="replicant"), "n2": node("n2", "n1")}
    assert seed_choice(NAMES, views).seed == "n2"


def test_the_order_of_preference_is_the_given_one() -> None:
    names = {host: NAMES[host] for host in ("n3", "n1", "n2")}
    assert seed_choice(names, {host: node(host) for host in names}).seed == "n3"


@pytest.mark.parametrize(
    ("change", "complete"),
    [({}, True), ({"stopped": ("emqx@10.0.0.9",)}, False), ({"state": "booting"}, False)],
)
def test_complete_is_what_all_see(change: dict[str, t.Any], complete: bool) -> None:
    views = {host: node(host, *(set(NAMES) - {host})) for host in NAMES}
    views["n2"] = dataclasses.replace(views["n2"], **change)
    assert seed_choice(NAMES, views).complete is complete


def test_two_holders_of_data_are_a_question() -> None:
    views = {
        "n1": node("n1", data=data(3)),
        "n2": node("n2"),
        "n3": node("n3", data={"dashboard_users": 1, "retained_messages": 5}),
    }
    (finding,) = seed_choice(NAMES, views).findings
    assert finding.code == "seed_undecided"
    text = "\n".join(finding.lines())
    for part in (
        "n1 (emqx@10.0.0.1) holds 2 dashboard users, 2 retained messages",
        "n3 (emqx@10.0.0.3) holds 5 retained messages",
        "emqx_allow_data_loss: true",
        "(n1, n3)",
        "data export",
    ):
        assert part in text
    assert "n2" not in text


def test_consent_takes_a_lone_node_out_of_the_question() -> None:
    views = {"n1": node("n1", data=data(3)), "n2": ABSENT, "n3": node("n3", data=data(2))}
    found = seed_choice(NAMES, views, consent=["n1"])
    assert (found.findings, found.seed, found.joiners) == ((), "n3", ("n1", "n2"))


def test_consent_does_not_break_up_a_cluster() -> None:
    views = {
        "n1": node("n1", data=data(3)),
        "n2": node("n2", "n3"),
        "n3": node("n3", "n2"),
    }
    assert seed_choice(NAMES, views, consent=["n1"]).findings == ()
    (finding,) = seed_choice(NAMES, views, consent=["n2", "n3"]).findings
    assert "n2 (emqx@10.0.0.2) is in a cluster with emqx@10.0.0.3" in finding.evidence
    assert "leave" in finding.remedy
    assert "(n1)" in finding.remedy


@pytest.mark.parametrize("place", ["running", "stopped"])
def test_nobody_joins_a_cluster_with_strangers(place: str) -> None:
    stranger = "emqx@10.0.0.9"
    others = [stranger] if place == "running" else []
    stopped = [stranger] if place == "stopped" else []
    views = {"n1": node("n1", *others, stopped=stopped), "n2": node("n2"), "n3": node("n3")}
    (finding,) = seed_choice(NAMES, views).findings
    assert (finding.code, finding.found) == ("strangers", "emqx@10.0.0.9 in the cluster of n1")
    assert "-e emqx_remove_hosts=emqx@10.0.0.9" in finding.remedy


def test_a_node_under_its_old_name_is_no_stranger() -> None:
    old = "emqx9@10.0.0.3"
    views = {
        "n1": node("n1", "n2", old),
        "n2": node("n2", "n1", old),
        "n3": node(old, "n1", "n2"),
    }
    found = seed_choice(NAMES, views)
    assert (found.findings, found.members) == ((), ("n1", "n2", "n3"))


# --- hosts that were left out of the run


@pytest.mark.parametrize(
    ("views", "seed", "complete"),
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
def test_hosts_that_were_left_out(views: Views, seed: str, complete: bool) -> None:
    found = seed_choice(NAMES, views)
    assert found.findings == ()
    assert (found.seed, found.complete) == (seed, complete)


def test_a_lone_node_with_data_needs_all_hosts_or_consent() -> None:
    views = {"n2": node("n2", data=data(3))}
    (finding,) = seed_choice(NAMES, views).findings
    assert finding.sentence() == (
        "Host n2, emqx_allow_data_loss: expected all hosts of the cluster in this run, as "
        "emqx@10.0.0.2 is alone and holds 2 dashboard users, 2 retained messages, which joining "
        "deletes, found n1, n3 left out: run this without --limit, or set emqx_allow_data_loss: "
        "true for n2 if it may go."
    )
    assert seed_choice(NAMES, views, consent=["n2"]).findings == ()


def test_nobody_joins_while_a_member_is_down_and_stays_so() -> None:
    views = {"n1": node("n1", stopped=["n3"]), "n2": ABSENT}
    (finding,) = seed_choice(NAMES, views).findings
    assert finding.sentence() == (
        "Host n3: expected all members to run before a node joins, found emqx@10.0.0.3 stopped "
        "and its host left out: start it with this run, or have its place taken with the playbook "
        "replace_node."
    )
    assert start_order(NAMES, ["n1", "n2"], ["n2"], views).findings == (finding,)
    assert seed_choice(NAMES, {**views, "n3": DOWN}).findings == ()


def test_what_a_node_says_that_it_holds() -> None:
    answer = {
        "emqx": {
            "state": "ready",
            "data": {"dashboard_users": 3, "banned": "many", "retained_messages": True},
            "config_changed": ["mqtt", None, 7],
        }
    }
    found = NodeView.of(answer)
    assert held(found) == "2 dashboard users"
    assert found.config_changed == ("mqtt", "7")
    assert held(NodeView.of({"emqx": {"state": "ready", "data": None}})) == ""
