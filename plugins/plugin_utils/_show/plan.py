# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The plan of a run on one screen: per host its steps and why, then what clients will notice."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, text
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step


def lines(
    hosts: t.Iterable[str],
    steps: t.Sequence[Step],
    impact: t.Sequence[str],
    findings: t.Sequence[Finding] = (),
) -> list[str]:
    """Return the lines for people: ``steps`` are in the order in which they are done."""
    shown: list[str] = []
    for host in hosts:
        own = [step for step in steps if step.host == host]
        shown.append(f"{host}: {'nothing to do' if not own else ''}".rstrip())
        shown += [f"   {number}. {_step(step)}" for number, step in enumerate(own, start=1)]
    order = [step for step in steps if step.kind in ORDERED]
    if order:
        shown.append("Order of stops and starts:")
        shown += [f"   {number}. {step.host}: {step.text}" for number, step in enumerate(order, 1)]
    shown += [f"Clients: {line}" for line in impact or ["notice nothing"]]
    return [*shown, *text(findings)]


# Steps whose order among hosts matters.
ORDERED = frozenset(
    {
        *("stop", "start", "restart", "evacuate", "force_load", "upgrade"),
        *("join", "leave", "force_leave", "certificates"),
    }
)


def _step(step: Step) -> str:
    return f"{step.text} ({step.reason})" if step.reason else step.text


def as_dict(
    steps: t.Sequence[Step], impact: t.Sequence[str], findings: t.Sequence[Finding]
) -> Json:
    """Return the plan for programs; docs/schema/plan.schema.json describes it."""
    return {
        "steps": [
            {"host": step.host, "kind": step.kind, "text": step.text, "reason": step.reason}
            for step in steps
        ],
        "clients": list(impact),
        "findings": [finding.as_dict() for finding in findings],
    }
