# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from member_views import NAMES, data, node
from model_builders import ABSENT, BOOTING, DOWN

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import Views
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.start_order import (
    StartOrder,
    start_order,
)

HOSTS = list(NAMES)


@pytest.mark.parametrize(
    ("fresh", "views", "last"),
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
def test_who_starts_last(fresh: list[str], views: Views, last: list[str]) -> None:
    assert start_order(NAMES, HOSTS, fresh, views) == StartOrder(tuple(last))


def test_two_holders_of_data_never_find_one_another() -> None:
    views = {"n1": node("n1", data=data(3)), "n2": node("n2", data=data(2)), "n3": ABSENT}
    (finding,) = start_order(NAMES, HOSTS, ["n3"], views).findings
    assert finding.code == "seed_undecided"
    agreed = start_order(NAMES, HOSTS, ["n3"], views, consent=["n1"])
    assert agreed == StartOrder(("n1", "n3"))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (DOWN, "a database of emqx@10.0.0.3, whose node is down (not responding to pings)"),
        (
            BOOTING,
            "a database of emqx@10.0.0.3, whose node is booting (starting)",
        ),
        (
            node("n3", config_changed=("mqtt", "rule_engine")),
            "run-time configuration of mqtt, rule_engine (cluster.hocon)",
        ),
    ],
)
def test_what_else_would_be_lost(answer: NodeView, found: str) -> None:
    views = {"n1": node("n1", "n2"), "n2": node("n2", "n1"), "n3": answer}
    (finding,) = start_order(NAMES, HOSTS, [], views).findings
    assert finding.sentence() == (
        "Host n3, emqx_allow_data_loss: expected nothing that the cluster of n1, n2 does not "
        f"have, found {found}, which is deleted when it joins: set emqx_allow_data_loss: true for "
        "n3 if it may go."
    )
    agreed = start_order(NAMES, HOSTS, [], views, consent=["n3"])
    assert agreed == StartOrder(("n3",))


def test_replicants_hold_nothing_of_their_own() -> None:
    views = {"n1": node("n1", "n2"), "n2": node("n2", "n1"), "n3": DOWN}
    assert start_order(NAMES, ["n1", "n2"], [], views) == StartOrder()
