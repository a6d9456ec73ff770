# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.gate import (
    Whole,
    gate_expression,
    least,
    look,
    read_load,
)
from ansible_collections.mqttops.emqx.tests.unit.scripted import (
    N1,
    N2,
    N3,
    UNREACHABLE,
    Answer,
    ScriptedRunner,
    peer,
    view,
)

ALL = (N1, N2, N3)


def answer(*lines: str, running: t.Sequence[str] = ALL, **values: t.Any) -> Answer:
    """Return what a node of three answers, as a healthy one at first."""
    values.setdefault("peers", {N2: peer(ALL), N3: peer(ALL)})
    rc, out, err = view(N1, running, **values)
    return rc, out + "".join(f"mqttops {line}\n" for line in lines), err


def seen(reply: Answer, **wanted: t.Any) -> list[str]:
    whole = Whole(**{"members": ALL, **wanted})
    return list(look(Ctl(ScriptedRunner(("eval", reply)), as_root=False), whole, 9).missing)


def test_a_whole_cluster_opens_the_gate_by_one_call() -> None:
    reply = answer(f"gate_clients {N1} 3", f"gate_clients {N2} 4", f"gate_alarm {N2} high_cpu")
    ctl = Ctl(ScriptedRunner(("eval", reply)), as_root=False)
    assert look(ctl, Whole(ALL), 9).as_dict() == {
        "reached": True,
        "reason": "the cluster is whole",
        "clients": 7,
        "alarms": [f"{N2} high_cpu"],
    }


def test_the_node_runs_the_version_that_it_is_to_have() -> None:
    reply = answer(version="5.8.8")
    assert seen(reply, version="5.8.8") == seen(reply) == []
    assert seen(reply, version="5.8.9") == ["this node runs 5.8.8, not 5.8.9"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"ready": "false"}, "this node is booting"),
        ({"running": (N1, N2)}, f"{N3} not running, as {N1} sees it"),
        ({"peers": {N2: peer(ALL), N3: UNREACHABLE}}, f"{N3} does not answer"),
        ({"peers": {N2: peer(ALL)}}, f"{N3} does not answer"),
        ({"peers": {N2: peer(ALL, ready=False), N3: peer(ALL)}}, f"{N2} is not ready"),
        ({"peers": {N2: peer((N1, N2)), N3: peer(ALL)}}, f"{N2} does not see {N3}"),
        ({"waiting_tables": "emqx_acl"}, f"{N1} has not loaded table(s) emqx_acl"),
        (
            {"others": [view(N2, ALL, copying_tables="emqx_psk")]},
            f"{N2} has not loaded table(s) emqx_psk",
        ),
        (
            {"sync": f"{N1}=4 {N2}=4 {N3}=3"},
            f"the configuration is not in sync (last change that a node followed: {N1}: 4, "
            f"{N2}: 4, {N3}: 3)",
        ),
    ],
)
def test_what_keeps_it_closed(values: dict[str, t.Any], reason: str) -> None:
    (found,) = seen(answer(**values))
    assert found.startswith(reason)


def test_no_change_of_the_configuration_at_run_time_is_in_sync() -> None:
    assert seen(answer(sync="unknown")) == seen(answer(sync="")) == []


def test_alarms_that_were_not_there_before() -> None:
    reply = answer(f"gate_alarm {N1} old", f"gate_alarm {N2} new", f"gate_alarm {N3} old")
    assert seen(reply) == []
    before = frozenset({f"{N1} old", f"{N3} old"})
    assert seen(reply, alarms=before) == [f"new alarm(s): {N2} new"]


def test_alarms_of_one_client_are_none_of_the_cluster() -> None:
    assert read_load(f"mqttops gate_alarm {N1} conn_congestion/c1/user").alarms == frozenset()


@pytest.mark.parametrize(("clients", "closed"), [(9, True), (10, False)])
def test_clients_that_are_not_back(clients: int, closed: bool) -> None:
    found = seen(answer(f"gate_clients {N1} {clients}"), clients=10)
    assert found == (["9 client(s) are connected, of at least 10"] if closed else [])


@pytest.mark.parametrize(
    ("clients", "share", "enough"), [(0, 90, 0), (1, 90, 0), (200, 90, 180), (3, 100, 3), (7, 0, 0)]
)
def test_the_share_of_clients(clients: int, share: int, enough: int) -> None:
    assert least(clients, share) == enough


@pytest.mark.parametrize(
    "line", ["gate_clients", f"gate_clients {N1} x", f"gate_alarm {N1}", "gate_alarm", "x"]
)
def test_what_is_no_answer_is_left_out(line: str) -> None:
    load = read_load(f"mqttops {line}\n{line}\n")
    assert (load.total, load.alarms) == (0, frozenset())


def test_a_node_that_does_not_run_is_not_asked() -> None:
    ctl = Ctl(ScriptedRunner(), as_root=False, is_down=lambda: True)
    assert "down" in look(ctl, Whole(ALL), 9).missing[0]


def test_a_node_that_gives_no_answer_is_waited_for() -> None:
    ctl = Ctl(ScriptedRunner(("eval", (124, "", ""))), as_root=False)
    assert "gave no answer" in look(ctl, Whole(ALL), 9).missing[0]


def test_the_expression_reaches_erlang_through_any_shell() -> None:
    text = gate_expression()
    assert not set(text) & set('"$\\`\n')
    assert text.endswith("#{name := A} <- As]")
