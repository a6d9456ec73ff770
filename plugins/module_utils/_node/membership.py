# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Carry out a desired membership: look, decide, act, and look again until both ends agree.

Costs one CLI call where nothing is to be done, else the bare command and two more.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.ports import node_ports
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    CommandError,
    RefusedError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.decide import (
    ACTIONS,
    final_answer,
    plan_evict,
    plan_join,
    plan_leave,
    predict,
    silence,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.decision import Decision
from ansible_collections.mqttops.emqx.plugins.module_utils._node.dial import dial
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View, members
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for

Dial = t.Callable[[str, int], str]
Seen = t.Tuple[View, Decision]

# Seconds before the second look or try; later pauses grow by half.
FIRST_PAUSE = 1.0
BACKOFF = 1.5


@dataclass(frozen=True)
class Desired:
    """What is wanted: ``joined`` to, ``left`` or ``evicted`` the target, with consent to harm."""

    state: str
    target: str = ""
    consent: bool = False


@dataclass(frozen=True)
class Outcome:
    """What was done or would be; ``action`` is ``none``, ``join``, ``leave`` or ``evict``."""

    action: str
    reason: str
    before: dict[str, list[str]]
    after: dict[str, list[str]]
    warnings: tuple[str, ...] = ()


def fulfil(ctl: Ctl, desired: Desired, deadline: Deadline, dialler: Dial = dial) -> Outcome:
    """Bring it about; raise RefusedError, WaitTimeout or ParseError where it cannot be."""
    first, decision = _settle(ctl, desired, (), deadline, dialler)
    view, action, reason, answer = first, "none", decision.reason, ""
    warnings: tuple[str, ...] = decision.warnings
    pause = FIRST_PAUSE
    while decision.do in ACTIONS:
        if action != "none":
            if not deadline.left:
                raise WaitTimeout(
                    f"{action} had no effect within {deadline.seconds:g} s: {decision.reason}; "
                    f"EMQX answered last: {answer}",
                    last=members(view),
                )
            deadline.pause(pause)
            pause *= BACKOFF
        action, reason, warnings = decision.do, decision.reason, decision.warnings
        answer = _act(ctl, action, desired, deadline)
        view, decision = _settle(ctl, desired, first.known, deadline, dialler, answer)
        warnings += decision.warnings
    if action == "evict" and "cluster_rpc" in answer:
        warnings += (f"EMQX answered: {answer}; see 'emqx ctl conf cluster_sync status'",)
    return Outcome(action, reason, members(first), members(view), warnings)


def foresee(ctl: Ctl, desired: Desired, timeout: float, dialler: Dial = dial) -> Outcome:
    """Tell what fulfil would do, from one look; raise RefusedError where it would refuse."""
    view, decision = _look(ctl, desired, (), timeout)
    before = members(view)
    if not view.installed:
        if desired.state != "joined":
            return Outcome("none", "EMQX is not installed here", before, before)
        after = {"running_nodes": [desired.target], "stopped_nodes": []}
        return Outcome("join", "EMQX is not installed here yet", before, after)
    _raise_refusal(view, decision)
    if decision.do == "wait":
        why = f"prediction only: {_explain(view, decision, dialler)}"
        if not decision.likely:
            return Outcome("none", decision.reason, before, before, (why,))
        after = predict(view, "join", desired.target)
        return Outcome("join", decision.reason, before, after, (why,))
    if decision.do == "nothing":
        return Outcome("none", decision.reason, before, before, decision.warnings)
    after = predict(view, decision.do, desired.target)
    return Outcome(decision.do, decision.reason, before, after, decision.warnings)


def _settle(
    ctl: Ctl,
    desired: Desired,
    former: t.Iterable[str],
    deadline: Deadline,
    dialler: Dial,
    answer: str = "",
) -> Seen:
    """Look until there is something else to do than to wait."""
    try:
        view, decision = wait_for(
            lambda left: _look(ctl, desired, former, left),
            lambda seen: seen[1].do != "wait",
            deadline,
            FIRST_PAUSE,
            BACKOFF,
        )
    except WaitTimeout as error:
        view, decision = error.last
        said = f"; EMQX answered: {answer}" if answer else ""
        why = _explain(view, decision, dialler)
        raise WaitTimeout(
            f"not {desired.state} within {deadline.seconds:g} s: {why}{said}",
            last=members(view),
        ) from None
    _raise_refusal(view, decision)
    return view, decision


def _look(ctl: Ctl, desired: Desired, former: t.Iterable[str], timeout: float) -> Seen:
    seed = desired.target if desired.state == "joined" else ""
    try:
        view = ctl.view(ask=former, seed=seed, timeout=timeout)
    except CommandError as error:
        return View(state="down", reason=error.message), Decision("wait", error.message)
    if desired.state == "joined":
        return view, plan_join(view, desired.target, desired.consent)
    if desired.state == "left":
        return view, plan_leave(view)
    return view, plan_evict(view, desired.target, desired.consent)


def _act(ctl: Ctl, action: str, desired: Desired, deadline: Deadline) -> str:
    """Run the bare command and return its answer; raise RefusedError if it is a final no.

    A call that is cut off at the deadline is no answer: EMQX may carry it out all the same.
    """
    argv = {
        "join": ["join", desired.target],
        "leave": ["leave"],
        "evict": ["force-leave", desired.target],
    }
    try:
        answer = ctl.cluster(*argv[action], timeout=max(1.0, deadline.left))
    except CommandError as error:
        return error.message
    final = final_answer(answer)
    if final:
        raise RefusedError(final, answer=answer)
    return answer


def _raise_refusal(view: View, decision: Decision) -> None:
    if decision.do == "refuse":
        raise RefusedError(decision.reason, seen=members(view))


def _explain(view: View, decision: Decision, dialler: Dial) -> str:
    if not decision.unreachable:
        return decision.reason
    host = decision.unreachable.partition("@")[2]
    port = node_ports(decision.unreachable)["distribution"]
    cause = silence(decision.unreachable, port, dialler(host, port), view.proto_dist)
    return f"{decision.reason}: {cause}"
