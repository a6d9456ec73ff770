# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Waiting for a state, up to a monotonic deadline."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import WaitTimeout

State = t.TypeVar("State")

# The longest pause between two looks, in seconds.
MAX_PAUSE = 10.0

# The least time a look gets, in seconds: one cut short by the deadline would only tell that.
MIN_LOOK = 15.0


class Deadline:
    """A point in time, ``seconds`` from now."""

    def __init__(
        self,
        seconds: float,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds

    @property
    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._end - self._clock())

    def pause(self, seconds: float) -> None:
        """Sleep, but not past the deadline."""
        self._sleep(min(seconds, self.left))


def wait_for(
    read: t.Callable[[float], State],
    is_ready: t.Callable[[State], bool],
    deadline: Deadline,
    interval: float,
    backoff: float = 1.0,
) -> State:
    """Return the first state that is ready; raise WaitTimeout with the last one seen.

    ``read`` gets the seconds left, but at least MIN_LOOK, and is called at least once. The
    pause after a look starts at ``interval`` seconds and grows by the factor ``backoff`` up to
    MAX_PAUSE.
    """
    pause = interval
    while True:
        state = read(max(MIN_LOOK, deadline.left))
        if is_ready(state):
            return state
        if not deadline.left:
            raise WaitTimeout(f"not reached within {deadline.seconds:g} s", last=state)
        deadline.pause(pause)
        pause = max(interval, min(pause * backoff, MAX_PAUSE))
