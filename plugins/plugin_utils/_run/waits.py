# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Waits on a host as people see them: a module waits in slices, and after each it is said what is
still missing, and for how long it will be waited yet."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

# Seconds: nobody waits much longer without a word.
SLICE = 12
# Seconds for which a wait must look hopeless. A node that was the last to stop shows the same while
# it loads its tables from its own disk.
HOPELESS_AFTER = 30.0


def wait(
    ask: t.Callable[[int], Json],
    seconds: int,
    say: t.Callable[[str], None],
    clock: t.Callable[[], float],
) -> Json:
    """Return the result of a module that is asked in slices until it has what it waits for.

    ``ask`` runs it for some seconds. A result is final unless it ``failed`` with the code timeout;
    one that is ``hopeless`` ends the wait once it has been so for a while.
    """
    begin = clock()
    since: float | None = None
    changed = False
    while True:
        answer = ask(max(1, min(SLICE, round(seconds - (clock() - begin)))))
        changed = changed or bool(answer.get("changed"))
        if not _goes_on(answer):
            return {**answer, "changed": changed} if changed else answer
        left = round(seconds - (clock() - begin))
        hopeless, reason = answer.get("hopeless") or "", answer.get("reason") or "no answer"
        since = (clock() if since is None else since) if hopeless else None
        if since is not None and clock() - since >= HOPELESS_AFTER:
            failure = {"code": "refused", "details": {}}
            return {**answer, "changed": changed, "msg": hopeless, "failure": failure}
        if left <= 0:
            text = f"not reached within {seconds} s: {reason}"
            return {**answer, "changed": changed, "msg": text}
        say(f"{reason} {_more(left)}")


def aloud(
    call: t.Callable[[], Json], seconds: int, say: t.Callable[[str], None], every: float = SLICE
) -> Json:
    """Return the result of a call that must not be cut short, and say while it lasts how much
    longer it may."""
    done = threading.Event()

    def tell() -> None:
        waited = 0.0
        while not done.wait(every):
            waited += every
            say(_more(max(0, round(seconds - waited))))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        return call()
    finally:
        done.set()
        teller.join()


def _more(left: int) -> str:
    return f"(for up to {left} s more)"


def _goes_on(answer: Json) -> bool:
    failure = answer.get("failure") or {}
    return bool(answer.get("failed")) and failure.get("code") == "timeout"
