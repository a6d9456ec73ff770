# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import threading
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.waits import SLICE, aloud, wait

Answer = t.Dict[str, t.Any]
LATE: Answer = {"failed": True, "failure": {"code": "timeout"}, "reason": "n3 is missing"}


class Host:
    """A host on which a module waits: each answer takes the time that it was given."""

    def __init__(self, *answers: Answer) -> None:
        self.now = 0.0
        self.answers = list(answers)
        self.slices: list[int] = []
        self.said: list[str] = []

    def ask(self, seconds: int) -> Answer:
        self.slices.append(seconds)
        self.now += seconds
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait(self, seconds: int) -> Answer:
        return wait(self.ask, seconds, self.said.append, lambda: self.now)


def test_what_is_there_already_takes_one_step_and_no_word() -> None:
    host = Host({"reached": True})
    assert host.wait(100) == {"reached": True}
    assert (host.slices, host.said) == ([SLICE], [])


def test_a_long_wait_says_for_what_and_for_how_long_yet() -> None:
    host = Host(LATE, LATE, {"reached": True})
    assert host.wait(100) == {"reached": True}
    assert host.said == [
        "n3 is missing (for up to 88 s more)",
        "n3 is missing (for up to 76 s more)",
    ]


def test_the_time_is_that_of_the_whole_wait() -> None:
    host = Host(LATE)
    result = host.wait(30)
    assert (result["failed"], result["msg"]) == (True, "not reached within 30 s: n3 is missing")
    assert host.slices == [12, 12, 6]


def test_other_failures_end_it_at_once() -> None:
    refused = {"failed": True, "failure": {"code": "refused"}, "msg": "no"}
    assert Host(refused).wait(100) == refused
    assert Host({"failed": True, "msg": "boom"}).wait(100)["msg"] == "boom"


def test_what_is_hopeless_for_half_a_minute_is_ended() -> None:
    host = Host({**LATE, "hopeless": "nothing starts n1"})
    result = host.wait(360)
    assert (result["msg"], result["failure"]["code"]) == ("nothing starts n1", "refused")
    assert host.now < 50


def test_hope_in_between_begins_it_anew() -> None:
    vain = {**LATE, "hopeless": "nothing starts n1"}
    host = Host(vain, vain, LATE, vain, vain, vain, {"reached": True})
    assert host.wait(360) == {"reached": True}


def test_what_one_slice_changed_the_whole_has_changed() -> None:
    host = Host({**LATE, "changed": True}, {"reached": True, "changed": False})
    assert host.wait(100)["changed"] is True


def test_what_must_not_be_cut_short_is_told_of_while_it_lasts() -> None:
    said: list[str] = []
    told = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    def call() -> Answer:
        assert told.wait(30)
        return {"changed": True}

    assert aloud(call, 100, say, every=0.01) == {"changed": True}
    assert said[0] == "(for up to 100 s more)"
    assert aloud(lambda: {"changed": False}, 100, said.append, every=30) == {"changed": False}


def test_a_call_that_fails_ends_the_telling() -> None:
    def call() -> Answer:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        aloud(call, 100, lambda _text: None)
