# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import WaitTimeout
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for


class Clock:
    """A clock that only moves when somebody sleeps, or works for ``cost`` seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, self, self.sleep)


def test_ready_at_once_never_sleeps() -> None:
    clock = Clock()
    assert wait_for(lambda left: "up", lambda s: s == "up", clock.deadline(5), 1) == "up"
    assert clock.pauses == []


def test_looks_again_after_each_interval_with_the_time_left() -> None:
    clock, states, lefts = Clock(), iter(["down", "booting", "ready"]), []

    def read(left: float) -> str:
        lefts.append(left)
        return next(states)

    assert wait_for(read, lambda s: s == "ready", clock.deadline(50), 20) == "ready"
    assert clock.pauses == [20, 20]
    assert lefts == [50, 30, 15]


def test_backoff_grows_to_the_longest_pause() -> None:
    clock = Clock()
    with pytest.raises(WaitTimeout):
        wait_for(lambda left: 0, bool, clock.deadline(60), 1, backoff=2)
    assert clock.pauses == [1, 2, 4, 8, 10, 10, 10, 10, 5]


def test_an_interval_longer_than_the_longest_pause_is_kept() -> None:
    clock = Clock()
    with pytest.raises(WaitTimeout):
        wait_for(lambda left: 0, bool, clock.deadline(40), 15)
    assert clock.pauses == [15, 15, 10]


def test_timeout_says_how_long_and_carries_the_last_state() -> None:
    clock, states = Clock(), iter(["a", "b", "c"])
    with pytest.raises(WaitTimeout, match=r"^not reached within 3 s$") as caught:
        wait_for(lambda left: next(states), lambda s: False, clock.deadline(3), 2)
    assert caught.value.last == "c"
    assert clock.pauses == [2, 1]


def test_time_spent_reading_counts() -> None:
    clock, reads = Clock(), []

    def slow(left: float) -> str:
        reads.append(left)
        clock.now += 7
        return "no"

    with pytest.raises(WaitTimeout):
        wait_for(slow, lambda s: False, clock.deadline(10), 2)
    assert reads == [15, 15]
    assert clock.pauses == [2]


def test_errors_of_the_reader_pass_through() -> None:
    def broken(left: float) -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        wait_for(broken, lambda s: True, Clock().deadline(1), 1)
