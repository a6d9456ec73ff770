# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    InputError,
    RefusedError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._module.node_evacuation import (
    check_input,
    run,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.evacuation import (
    Status,
    read_status,
    start_arguments,
)
from ansible_collections.mqttops.emqx.tests.unit.scripted import Answer, ScriptedRunner

STATUS, STOP, START = "ctl rebalance node-status", "ctl rebalance stop", "ctl rebalance start"
OFF: Answer = (0, "Rebalance disabled\n", "")
SAID: Answer = (1, "Rebalance(evacuation) started\n", "")
OPTIONS: dict[str, t.Any] = {
    "rate": 200,
    "wait_health_check": 5,
    "wait_takeover": 7,
    "redirect_to": [],
    "may_be_down": False,
    "timeout": 1,
    "interval": 1,
}


def status(state: str, clients: int = 0, sessions: int = 0) -> Answer:
    return (
        0,
        f"Rebalance type: evacuation\nRebalance state: {state}\n"
        "Connection eviction rate: 200 connections/second\nChannel statistics:\n"
        f"  current_connected: {clients}\n  current_sessions: {sessions}\n"
        "  initial_connected: 9\n",
        "",
    )


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def evacuation(state: str, *script: tuple[str, Answer], **more: t.Any) -> dict[str, t.Any]:
    runner = ScriptedRunner(*script)
    down = more.pop("down", False)
    ctl = Ctl(runner, as_root=False, is_down=lambda: down)
    check_mode = more.pop("check_mode", False)
    result = run(ctl, {**OPTIONS, "state": state, **more}, check_mode)
    runner.finish()
    return result


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (OFF[1], Status("disabled")),
        (status("evicting_conns", 4, 6)[1], Status("evicting_conns", "evacuation", 4, 6)),
        ("Node 'x' not responding to pings.", Status("", text="Node 'x' not responding to pings.")),
        ("", Status("", text="no answer")),
    ],
)
def test_the_status_is_read_from_the_text(text: str, found: Status) -> None:
    assert read_status(text) == found


def test_a_node_is_evacuated_until_nobody_is_left() -> None:
    result = evacuation(
        "evacuated",
        (STATUS, OFF),
        (START, SAID),
        (STATUS, status("evicting_conns", 4, 6)),
        (STATUS, status("prohibiting")),
    )
    assert (result["changed"], result["reached"]) == (True, True)


def test_one_that_is_evacuated_is_left_alone() -> None:
    assert evacuation("evacuated", (STATUS, status("prohibiting")))["changed"] is False


def test_one_that_was_begun_by_another_run_goes_on() -> None:
    script = [(STATUS, status("evicting_conns", 1)), (STATUS, status("prohibiting"))]
    assert evacuation("evacuated", *script)["changed"] is False


def test_a_start_that_starts_nothing() -> None:
    refused: Answer = (1, "Rebalance start error: invalid --wait-takeover value\n", "")
    with pytest.raises(RefusedError, match="invalid --wait-takeover value"):
        evacuation("evacuated", (STATUS, OFF), (START, refused), (STATUS, OFF))


def test_clients_that_stay() -> None:
    script = [(STATUS, OFF), (START, SAID), (STATUS, status("evicting_conns", 4, 6))]
    with pytest.raises(WaitTimeout) as caught:
        evacuation("evacuated", *script, timeout=0)
    assert caught.value.last.sentence == "evicting_conns, 4 client(s) and 6 session(s) are left"
    assert caught.value.details["changed"] is True


def test_an_evacuation_is_ended_and_that_is_seen() -> None:
    script = [(STATUS, status("prohibiting")), (STOP, SAID), (STATUS, OFF)]
    assert evacuation("serving", *script)["changed"] is True
    assert evacuation("serving", (STATUS, OFF))["changed"] is False


def test_a_node_that_starts_is_waited_for() -> None:
    down: Answer = (1, "", "Node 'x' not responding to pings.\n")
    script = [(STATUS, down), (STATUS, status("prohibiting")), (STOP, SAID), (STATUS, OFF)]
    assert evacuation("serving", *script, down=True)["changed"] is True


def test_one_that_was_empty_is_not_waited_for() -> None:
    script = [(STATUS, OFF), (START, SAID), (STATUS, status("waiting_health_check"))]
    assert evacuation("evacuated", *script, (STATUS, status("waiting_takeover")))["reached"]
    busy = [(STATUS, status("waiting_takeover", 0, 2)), (STATUS, status("prohibiting"))]
    assert evacuation("evacuated", *busy)["reached"]


def test_of_a_node_that_may_be_down_nothing_is_asked() -> None:
    assert evacuation("serving", down=True, may_be_down=True) == {
        "changed": False,
        "reached": True,
        "reason": "the node does not run",
    }


@pytest.mark.parametrize(
    ("state", "said", "changed"),
    [
        ("evacuated", OFF, True),
        ("evacuated", status("prohibiting"), False),
        ("serving", OFF, False),
        ("serving", status("evicting_conns"), True),
    ],
)
def test_check_mode_only_looks(state: str, said: Answer, changed: bool) -> None:
    assert evacuation(state, (STATUS, said), check_mode=True)["changed"] is changed


def test_arguments() -> None:
    assert start_arguments({**OPTIONS, "redirect_to": ["a:1883", "b:1883"]}) == [
        "--evacuation",
        *("--wait-health-check", "5"),
        *("--redirect-to", "a:1883 b:1883"),
        *("--conn-evict-rate", "200"),
        *("--wait-takeover", "7"),
        *("--sess-evict-rate", "200"),
    ]


def test_emqx_takes_no_zero() -> None:
    with pytest.raises(InputError, match="wait_takeover is 0"):
        check_input({**OPTIONS, "wait_takeover": 0})
