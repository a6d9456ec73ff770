# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The plan for people and for programs."""

from __future__ import annotations

from schemas import check, validator

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show import plan

STEPS = [
    Step("n1", "configure", "write /etc/emqx/emqx.conf"),
    Step("n2", "restart", "restart emqx@n2", "changed since it started: mqtt"),
    Step("n1", "restart", "restart emqx@n1"),
]
FINDING = Finding("disk", "1024 MB free", "7 MB", "make room", hosts=("n1",))


def test_each_host_has_its_steps_and_the_order_follows() -> None:
    assert plan.lines(["n1", "n2", "n3"], STEPS, ["n1 is cut off"]) == [
        "n1:",
        "   1. write /etc/emqx/emqx.conf",
        "   2. restart emqx@n1",
        "n2:",
        "   1. restart emqx@n2 (changed since it started: mqtt)",
        "n3: nothing to do",
        "Order of stops and starts:",
        "   1. n2: restart emqx@n2",
        "   2. n1: restart emqx@n1",
        "Clients: n1 is cut off",
    ]


def test_findings_come_last() -> None:
    shown = plan.lines(["n1"], [], [], [FINDING])
    assert shown[:3] == ["n1: nothing to do", "Clients: notice nothing", "ERROR [disk] Host n1"]


def test_steps_that_must_not_change_places_are_known_to_the_schema() -> None:
    kinds = validator("plan").schema["$defs"]["step"]["properties"]["kind"]["enum"]
    assert set(kinds) > plan.ORDERED


def test_its_form_for_programs() -> None:
    made = plan.as_dict(STEPS, ["n1 is cut off"], [FINDING])
    check("plan", made)
    assert made["steps"][1]["reason"] == "changed since it started: mqtt"
    assert made["findings"] == [FINDING.as_dict()]
