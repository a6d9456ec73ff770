# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._node import (
    decide,
    describe,
    waiting,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import Peer, View
from ansible_collections.mqttops.emqx.tests.unit.scripted import (
    JOINED,
    LEFT,
    N1,
    N2,
    N3,
    NODE_DOWN,
)

N4 = "emqx4@127.0.0.1"
FRESH = {"dashboard_users": 1, "retained_messages": 0}


def sees(
    running: t.Iterable[str], stopped: t.Iterable[str] = (), ready: bool = True, **more: t.Any
) -> Peer:
    values: dict[str, t.Any] = {"role": "core", "config": {}, **more}
    return Peer(True, tuple(running), tuple(stopped), ready=ready, **values)


def me(
    running: t.Iterable[str] = (N2,),
    stopped: t.Iterable[str] = (),
    peers: t.Mapping[str, Peer] | None = None,
    **more: t.Any,
) -> View:
    """Return the view of node 2, by default fresh, ready and alone."""
    values: dict[str, t.Any] = {
        "state": "ready",
        "node": N2,
        "role": "core",
        "discovery": "manual",
        "data": FRESH,
        "config": {},
        **more,
    }
    return View(running=tuple(running), stopped=tuple(stopped), peers=dict(peers or {}), **values)


SILENT = Peer(reachable=False)
SEED_ALONE = {N1: sees([N1])}
PAIR = {N1: sees([N1, N2])}
DOWN = View(state="down", reason="not responding to pings")
ABSENT = View(state="down", reason="no such file", installed=False)
BOOTING = me(state="booting", reason="its database is not up yet", running=())

# (view, decision, what its reason says)
JOIN: list[tuple[View, str, str]] = [
    # fresh joiners
    (me(peers=SEED_ALONE), "join", f"this node is alone and {N1} is ready"),
    (me(peers={N1: sees([N1, N3])}), "join", "alone"),
    (me(peers={N1: sees([N1], [N3])}), "join", "alone"),
    (me(peers=SEED_ALONE, data={}), "join", "alone"),
    (me(peers=SEED_ALONE, role=None), "join", "alone"),
    (me(peers=SEED_ALONE, discovery="static"), "join", "alone"),
    # members
    (me([N1, N2], peers=PAIR), "nothing", f"this node and {N1} list each other"),
    (me([N1, N2, N3], peers={N1: sees([N1, N2]), N3: SILENT}), "nothing", "list each other"),
    (me([N1, N2], peers=PAIR, role="replicant"), "nothing", "list each other"),
    (me([N1, N2], peers=PAIR, data={"api_keys": 3}), "nothing", "list each other"),
    # not ready
    (DOWN, "wait", "this node is down: not responding to pings"),
    (BOOTING, "wait", "this node is booting: its database is not up yet"),
    (ABSENT, "refuse", "EMQX is not installed here: no such file"),
    (me(peers={N1: SILENT}), "wait", f"{N1} does not answer"),
    (me(), "wait", f"{N1} does not answer"),
    (
        me(peers={N1: sees([], ready=False)}),
        "wait",
        f"{N1} is booting; it sees nobody running",
    ),
    (me(peers={N1: sees([N1], ready=False)}), "wait", f"{N1} is booting; it sees {N1} running"),
    # another cluster
    (me([N2, N3]), "refuse", f"in another cluster, with {N3}, of which {N1} is not a member"),
    (me([N2], [N3]), "refuse", "let it leave first (state: left)"),
    (me([N2, N3], [N4]), "refuse", f"with {N3}, {N4}, of which"),
    # roles and strategies
    (me(peers=SEED_ALONE, role="replicant"), "refuse", "a replicant is not joined by hand"),
    (me(running=(), role="replicant", state="booting"), "refuse", "configure a discovery strategy"),
    (me(peers={N1: sees([N1], role="replicant")}), "refuse", "only a core can be joined"),
    (me(peers=SEED_ALONE, discovery="singleton"), "refuse", "discovery_strategy is singleton"),
    # data
    (me(peers=SEED_ALONE, data={"dashboard_users": 3}), "refuse", ": 2 dashboard users; set"),
    (me(peers=SEED_ALONE, data={"api_keys": 1}), "refuse", "1 api keys; set allow_data_loss"),
    (me(peers=SEED_ALONE, data={"retained_messages": 9}), "refuse", "9 retained messages"),
    (me(peers={N1: SILENT}, data={"mqtt_users": 4}), "refuse", "'emqx ctl data export'"),
    (
        me(peers=SEED_ALONE, config={"rule_engine": "1", "actions": "2"}),
        "refuse",
        "run-time configuration of actions, rule_engine (cluster.hocon)",
    ),
    (
        me(peers={N1: sees([N1], config={"dashboard": "8"})}, config={"dashboard": "9"}),
        "refuse",
        "run-time configuration of dashboard",
    ),
    (
        me(peers={N1: sees([N1], config=None)}, config={"dashboard": "9"}),
        "refuse",
        "run-time configuration of dashboard",
    ),
    (me(peers=SEED_ALONE, config=None), "refuse", "cluster.hocon, which could not be read"),
    (me(peers={N1: SILENT}, config={"dashboard": "9"}), "wait", f"{N1} does not answer"),
    (
        me(peers={N1: sees([N1], config={"dashboard": "9", "mqtt": "1"})}, config={"mqtt": "1"}),
        "join",
        "alone",
    ),
    # views that do not agree
    (
        me(peers={N1: sees([N1], [N2])}),
        "refuse",
        f"still lists {N2} as a stopped member, but this node is empty (was its data removed?): "
        f"run state: evicted for {N2} on {N1} first",
    ),
    (
        me(peers={N1: sees([N1, N2])}),
        "wait",
        f"the views differ: {N1} sees {N1}, {N2} running, this node sees itself only",
    ),
    (
        me([N1, N2], peers=SEED_ALONE),
        "wait",
        f"the views differ: this node sees {N1}, {N2} running, {N1} sees {N1} running",
    ),
    (me([N1, N2], peers={N1: SILENT}), "wait", f"lists {N1} as running, but {N1} does not answer"),
    (me([N2], [N1], peers={N1: SILENT}), "wait", f"lists {N1} as stopped, but {N1} does not"),
    (
        me([N2], [N1], peers={N1: sees([N1], [N2])}),
        "wait",
        f"(split brain): this node sees {N2} running and {N1} stopped, "
        f"{N1} sees {N1} running and {N2} stopped",
    ),
]


@pytest.mark.parametrize(("view", "do", "reason"), JOIN)
def test_join(view: View, do: str, reason: str) -> None:
    decision = decide.plan_join(view, N1)
    assert (decision.do, reason in decision.reason) == (do, True), decision


def test_the_seed_itself_has_nothing_to_do() -> None:
    assert decide.plan_join(me(), N2).do == "nothing"
    assert decide.plan_join(BOOTING, N2).do == "wait"


def test_consent_to_data_loss_is_told_as_a_warning() -> None:
    view = me(peers=SEED_ALONE, data={"api_keys": 2, "banned": 1}, config={"mqtt": "1"})
    decision = decide.plan_join(view, N1, allow_data_loss=True)
    assert decision.do == "join"
    assert decision.warnings == (
        "deleted by the join: 2 api keys, 1 banned, run-time configuration of mqtt (cluster.hocon)",
    )


@pytest.mark.parametrize(
    ("view", "likely", "unreachable"),
    [
        (me(), True, N1),
        (me(peers={N1: sees([N1], ready=False)}), True, ""),
        (me([N1, N2], peers={N1: SILENT}), False, N1),
        (BOOTING, False, ""),
    ],
)
def test_what_a_wait_promises(view: View, likely: bool, unreachable: str) -> None:
    decision = decide.plan_join(view, N1)
    assert (decision.do, decision.likely, decision.unreachable) == ("wait", likely, unreachable)


def test_members_that_see_another_cluster_are_named() -> None:
    peers = {N1: sees([N1, N2, N3]), N3: sees([N1, N3], [N2]), N4: SILENT}
    decision = decide.plan_join(me([N1, N2, N3], peers=peers), N1)
    assert decision.do == "nothing"
    assert decision.warnings == (
        f"the views differ: this node sees {N1}, {N2}, {N3} running, "
        f"{N3} sees {N1}, {N3} running and {N2} stopped",
    )


LEAVE: list[tuple[View, str, str]] = [
    (me(), "nothing", "this node is alone"),
    (me(peers={N1: sees([N1])}), "nothing", "this node is alone"),
    (me(peers={N1: SILENT}), "nothing", "this node is alone"),
    (me(role="replicant"), "nothing", "this node is alone"),
    (me([N1, N2]), "leave", f"this node is in a cluster with {N1}"),
    (me([N1, N2], [N3]), "leave", f"with {N1}, {N3}"),
    (me([N1, N2], data={"api_keys": 9}), "leave", "in a cluster"),
    (
        me([N2], [N1]),
        "refuse",
        f"this node is the last running member; {N1} would be lost to it: start one of them first",
    ),
    (me([N1, N2], role="replicant"), "refuse", "a replicant does not leave: stop its service"),
    (BOOTING, "wait", "this node is booting"),
    (DOWN, "refuse", "only a running node can leave, remove this one from a surviving member"),
    (ABSENT, "refuse", "EMQX is not installed here"),
    (me(peers={N1: sees([N1, N2])}), "wait", f"this node is alone but {N1} still list it"),
    (me(peers={N1: sees([N1], [N2]), N3: sees([N3, N2])}), "wait", f"{N1}, {N3} still list it"),
]


@pytest.mark.parametrize(("view", "do", "reason"), LEAVE)
def test_leave(view: View, do: str, reason: str) -> None:
    decision = decide.plan_leave(view)
    assert (decision.do, reason in decision.reason) == (do, True), decision


@pytest.mark.parametrize("strategy", ["static", "dns", "etcd", "k8s", "mcast"])
def test_leave_warns_of_discovery(strategy: str) -> None:
    decision = decide.plan_leave(me([N1, N2], discovery=strategy))
    assert decision.warnings == (
        f"cluster.discovery_strategy is {strategy}: this node will come back at its next restart "
        "unless its service stays stopped or its seeds change",
    )


@pytest.mark.parametrize("strategy", ["manual", None])
def test_leave_does_not_warn_without_discovery(strategy: str | None) -> None:
    assert decide.plan_leave(me([N1, N2], discovery=strategy)).warnings == ()


def test_leave_names_who_could_not_confirm() -> None:
    decision = decide.plan_leave(me(peers={N1: SILENT, N3: sees([N3])}))
    assert decision.warnings == (f"not asked, because they did not answer: {N1}",)


EVICT: list[tuple[View, bool, str, str]] = [
    (me([N1, N2], [N3], {N1: sees([N1, N2], [N3])}), False, "evict", f"{N3} is a member"),
    (me([N2], [N3]), False, "evict", "is a member"),
    (me([N1, N2], peers={N1: SILENT}, stopped=[N3]), False, "evict", "is a member"),
    (me([N1, N2]), False, "nothing", f"{N3} is not a member"),
    (me([N2]), True, "nothing", "is not a member"),
    (
        me([N2, N3], peers={N3: sees([N2, N3])}),
        False,
        "refuse",
        f"{N3} is running as seen by {N2}: use state: left on it, or force",
    ),
    (me([N2, N3]), True, "evict", "is a member"),
    (
        me([N1, N2], [N3], {N1: sees([N1, N2, N3])}),
        False,
        "refuse",
        f"{N3} is running as seen by {N1}:",
    ),
    (me([N1, N2], [N3], {N1: sees([N1, N2, N3])}), True, "evict", "is a member"),
    (me([N1, N2], peers={N1: sees([N1, N2], [N3])}), False, "wait", f"but {N1} still do"),
    (DOWN, False, "refuse", "this node is down"),
    (BOOTING, False, "wait", "this node is booting"),
    (ABSENT, False, "refuse", "EMQX is not installed here"),
]


@pytest.mark.parametrize(("view", "force", "do", "reason"), EVICT)
def test_evict(view: View, force: bool, do: str, reason: str) -> None:
    decision = decide.plan_evict(view, N3, force)
    assert (decision.do, reason in decision.reason) == (do, True), decision


def test_evict_never_itself() -> None:
    decision = decide.plan_evict(me([N1, N2]), N2, force=True)
    assert (decision.do, decision.reason) == (
        "refuse",
        "a node cannot evict itself: use state: left on it",
    )


def test_evict_warns_of_what_comes_later() -> None:
    stopped = decide.plan_evict(me([N2], [N3]), N3)
    assert f"remove <data_dir>/mnesia/{N3} there" in stopped.warnings[0]
    running = decide.plan_evict(me([N2, N3], discovery="static"), N3, force=True)
    assert "discovery_strategy is static: it will come back" in running.warnings[0]
    assert decide.plan_evict(me([N2, N3]), N3, force=True).warnings == ()


WAIT: list[tuple[View, list[str], str, str]] = [
    (me(), [], "nothing", f"this node is ready and sees {N2} running"),
    (me([N2], [N1]), [], "nothing", f"sees {N2} running and {N1} stopped"),
    (me([N1, N2]), [N2, N1], "nothing", "ready"),
    (DOWN, [], "wait", "this node is down: not responding to pings"),
    (BOOTING, [N2], "wait", "this node is booting: its database is not up yet"),
    (ABSENT, [], "refuse", "EMQX is not installed here"),
    (me(), [N1, N2], "wait", f"{N1} missing (not started, not joined, or joining)"),
    (me([N2], [N1]), [N1, N2], "wait", f"{N1} stopped or cut off (service, ports"),
    (me([N1, N2]), [N2], "wait", f"{N1} not expected (state: left on them, or add them)"),
    (me([N2], [N3]), [N2], "wait", f"{N3} stopped and not expected (state: evicted)"),
    (me([N2, N4], [N3]), [N1, N2], "wait", f"{N1} missing (not started, not joined, or joining); "),
]


@pytest.mark.parametrize(("view", "wanted", "do", "reason"), WAIT)
def test_wait(view: View, wanted: list[str], do: str, reason: str) -> None:
    decision = waiting.plan_wait(view, wanted)
    assert (decision.do, reason in decision.reason) == (do, True), decision


@pytest.mark.parametrize(
    ("view", "do"),
    [
        (me([N1, N2, N3]), "nothing"),
        (me([N1, N2], [N3]), "nothing"),
        (me([N2, N3], [N1]), "wait"),
        (me([N1, N2]), "wait"),
        (me([N1, N2], [N3, N4]), "wait"),
    ],
)
def test_wait_for_members_of_which_one_may_be_stopped(view: View, do: str) -> None:
    decision = waiting.plan_wait(view, [N1, N2, N3], may_be_stopped=[N3])
    assert decision.do == do, decision


@pytest.mark.parametrize(
    ("view", "do"),
    [
        (me([N1, N2]), "nothing"),
        (me([N1, N2, N4]), "nothing"),
        (me([N1, N2], [N4]), "nothing"),
        (me([N2, N4], [N1]), "wait"),
        (me([N2, N4]), "wait"),
    ],
)
def test_wait_for_members_besides_whom_there_may_be_others(view: View, do: str) -> None:
    decision = waiting.plan_wait(view, [N1, N2], others=True)
    assert decision.do == do, decision


@pytest.mark.parametrize(
    ("text", "final"),
    [
        (JOINED[1], ""),
        (LEFT[1], ""),
        (NODE_DOWN[1], ""),
        ("Failed to join the cluster: {already_in_cluster,'a@b'}", ""),
        ("Command table is initializing.", ""),
        ("Failed to leave the cluster: node_not_in_cluster", ""),
        (
            f'Failed to join the cluster: "Node {N1} has a single node license"',
            f'EMQX answered: Failed to join the cluster: "Node {N1} has a single node license": '
            "set license.key on all nodes before joining",
        ),
        (
            "Failed to join the cluster: {cannot_join_to_replicant,'a@b'}",
            "EMQX answered: Failed to join the cluster: {cannot_join_to_replicant,'a@b'}: "
            "name a core as the seed",
        ),
        (
            "Failed to join the cluster: singleton",
            "EMQX answered: Failed to join the cluster: singleton: cluster.discovery_strategy "
            "singleton forbids clustering, on either side",
        ),
        (
            "Failed to join the cluster: #{reason => illegal_target}",
            "EMQX answered: Failed to join the cluster: #{reason => illegal_target}: "
            "check the seed's name, role and version",
        ),
        (
            "Operation is unsafe: Node is still responsible for one or more DS shard replicas.",
            "EMQX answered: Operation is unsafe: Node is still responsible for one or more DS "
            "shard replicas.: move its shards first: 'emqx ctl ds info', 'emqx ctl ds leave'",
        ),
    ],
)
def test_final_answers(text: str, final: str) -> None:
    assert decide.final_answer(text) == final


@pytest.mark.parametrize(
    ("dialled", "cause"),
    [
        ("open", "the cookies differ (its log then says 'Invalid challenge reply')"),
        ("tls", "speaks TLS, as this node does, so one of them does not accept"),
        ("refused", "refuses connections: EMQX is down there, or runs under another name"),
        ("filtered", "a firewall drops it, or the host is down"),
        ("unresolved", "127.0.0.1 does not resolve on this host"),
    ],
)
def test_silence_has_a_cause(dialled: str, cause: str) -> None:
    assert cause in decide.silence(N1, 4371, dialled)


@pytest.mark.parametrize(
    ("dialled", "own", "cause"),
    [
        ("tls", "inet_tcp", "speaks TLS, but this node does not (cluster.proto_dist is inet_tcp)"),
        ("open", "inet6_tls", "does not speak TLS, but this node does"),
        ("tls", "inet_tls", "speaks TLS, as this node does"),
        ("open", "inet_tcp", "the cookies differ"),
        ("refused", "inet_tls", "refuses connections"),
    ],
)
def test_silence_of_who_speaks_otherwise(dialled: str, own: str, cause: str) -> None:
    assert cause in decide.silence(N1, 4371, dialled, own)


@pytest.mark.parametrize(
    ("sync", "running", "expected"),
    [
        (None, [N1, N2], None),
        ({}, [N1, N2], True),
        ({N1: 4, N2: 4}, [N1, N2], True),
        ({N1: 4, N2: 3}, [N1, N2], False),
        ({N1: 4}, [N1, N2], False),
        ({N1: 4, N2: 4, N3: 1}, [N1, N2], True),
    ],
)
def test_config_sync(
    sync: dict[str, int] | None, running: list[str], expected: bool | None
) -> None:
    assert describe.in_sync(me(running, sync=sync)) is expected


def test_describe_a_ready_node() -> None:
    view = me(
        [N2, N1],
        [N3],
        PAIR,
        version="5.8.9",
        edition="opensource",
        uptime_ms=61740,
        rpc_port_discovery="stateless",
        rpc_protocol="tcp",
        proto_dist="inet_tcp",
        cookie_fingerprint="ba7816bf8f01",
        default_login=False,
        config={"mqtt": "1"},
        sync={},
        data_dir="/var/lib/emqx",
    )
    assert describe.describe(view) == {
        "node": N2,
        "version": "5.8.9",
        "edition": "opensource",
        "role": "core",
        "upstream_nodes": [],
        "copying_tables": [],
        "waiting_for_tables": [],
        "waiting_for_nodes": [],
        "state": "ready",
        "reason": "",
        "installed": True,
        "running_nodes": [N1, N2],
        "stopped_nodes": [N3],
        "uptime_seconds": 61,
        "ports": {"distribution": 4372, "rpc": 5372},
        "proto_dist": "inet_tcp",
        "rpc_protocol": "tcp",
        "rpc_port_discovery": "stateless",
        "discovery_strategy": "manual",
        "data_dir": "/var/lib/emqx",
        "config_sync": {"tnx_ids": {}, "in_sync": True},
        "config_changed": ["mqtt"],
        "cookie_fingerprint": "ba7816bf8f01",
        "default_login": False,
        "data": FRESH,
        "peers": {
            N1: {
                "reachable": True,
                "ready": True,
                "running_nodes": [N1, N2],
                "stopped_nodes": [],
            }
        },
    }


def test_describe_manual_rpc_ports_and_a_node_that_is_down() -> None:
    manual = me(rpc_port_discovery="manual", rpc_server_port=5999)
    assert describe.describe(manual)["ports"] == {"distribution": 4372, "rpc": 5999}
    down = describe.describe(DOWN)
    assert (down["state"], down["reason"]) == ("down", "not responding to pings")
    assert {down["node"], down["ports"], down["uptime_seconds"], down["version"]} == {None}


def test_predictions() -> None:
    alone = me(peers={N1: sees([N1, N3], [N4])})
    assert decide.predict(alone, "join", N1) == {
        "running_nodes": [N1, N2, N3],
        "stopped_nodes": [N4],
    }
    assert decide.predict(me(), "join", N1)["running_nodes"] == [N1, N2]
    member = me([N1, N2], [N3])
    assert decide.predict(member, "leave", "") == {"running_nodes": [N2], "stopped_nodes": []}
    assert decide.predict(member, "evict", N3) == {
        "running_nodes": [N1, N2],
        "stopped_nodes": [],
    }
    running = replace(member, running=(N2, N3), stopped=())
    assert decide.predict(running, "evict", N3)["running_nodes"] == [N2]
