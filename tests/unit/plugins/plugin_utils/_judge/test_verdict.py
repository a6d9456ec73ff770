# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import Link
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import (
    Diagnosis,
    diagnose,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.verdict import (
    DOCTOR,
    PREFLIGHT,
    REFUSAL,
    explain_failure,
    verdict,
)

OPEN = [Link("n1", "n2", "rpc", 5370, "open"), Link("n2", "n1", "rpc", 5370, "open")]


def finding(code: str, *hosts: str, severity: str = "error", **more: t.Any) -> Finding:
    return Finding(code, "a version", "none", "set one", hosts, severity=severity, **more)


def test_nothing_is_wrong() -> None:
    found = verdict([], OPEN, PREFLIGHT)
    assert found.passed
    assert found.lines() == [
        "Found no errors and no warnings: the cluster can form, 2 of 2 connections are open."
    ]
    assert verdict([], OPEN, DOCTOR).lines() == ["No finding: the cluster is well."]


def test_errors_of_all_sources_come_before_warnings() -> None:
    given = [
        finding("old", severity="warning"),
        finding("names", subject="emqx_version"),
        finding("clock", "n2", severity="warning"),
        finding("cookie", "n3", evidence=("a line",)),
        finding("names", subject="emqx_version"),
    ]
    found = verdict(given, OPEN, PREFLIGHT)
    assert not found.passed
    assert [each.code for each in found.findings] == ["names", "cookie", "old", "clock"]
    assert [each.code for each in found.errors] == ["names", "cookie"]
    assert found.lines()[:4] == [
        "ERROR [names] Cluster, emqx_version",
        "   expected: a version",
        "   found: none",
        "   remedy: set one",
    ]
    assert "   seen: a line" in found.lines()
    assert found.lines()[-1] == (
        "Expected no error, found 2 errors and 2 warnings: mend the errors before a deployment."
    )
    assert found.as_dict()["findings"][1] == {
        "code": "cookie",
        "severity": "error",
        "hosts": ["n3"],
        "subject": "",
        "expected": "a version",
        "found": "none",
        "remedy": "set one",
        "evidence": ["a line"],
    }


def test_a_lost_host_is_named_once() -> None:
    given = [
        finding("unreachable", "n1", subject="ansible_host"),
        finding("unreachable", "n1"),
        finding("unreachable", "n2"),
    ]
    assert [each.hosts for each in verdict(given).errors] == [("n1",), ("n2",)]


@pytest.mark.parametrize("code", ["not_examined", "unread", "discovery_unasked"])
def test_what_was_not_looked_at_keeps_a_verdict_from_speaking_of_all(code: str) -> None:
    gap = finding(code, "n3", severity="warning")
    assert "the cluster is well" not in verdict([gap], OPEN, DOCTOR).lines()[-1]
    summary = verdict([gap], OPEN, PREFLIGHT).summary()
    assert "the cluster can form" not in summary
    assert f"not all was looked at ({code})" in summary


def test_the_purpose_names_the_judgement() -> None:
    given = [finding("cookie")]
    assert verdict(given, OPEN, DOCTOR).as_dict()["healthy"] is False
    assert verdict(given, OPEN, PREFLIGHT).as_dict()["passed"] is False
    assert verdict(given, OPEN, REFUSAL).as_dict()["passed"] is False


def test_a_failed_run_ends_on_its_causes() -> None:
    scene = Scene()
    scene.down("n3", active="activating", sub="auto-restart")
    for host in ("n1", "n2"):
        scene.sees(host, "n1 n2")
    scene.config("n1", keys={"mqtt.max_packet_size": "bb"})
    lines = explain_failure(diagnose(scene.nodes, scene.evidence))
    assert lines[0] == "This run failed. 1 cause found on its hosts:"
    assert lines[1] == "ERROR [expelled] Host n3"
    assert any("add_node" in line for line in lines)
    # What is no reason for a failure would only hide one that is.
    assert not any("config_drift" in line for line in lines)


def test_a_failed_run_without_a_cause_says_so() -> None:
    assert "nothing on its hosts shows why" in explain_failure(Diagnosis(()))[0]
    lines = explain_failure(Diagnosis((finding("clock", "n1", severity="warning"),)))
    assert lines[0].startswith("This run failed. No cause of it shows on the hosts")
    assert lines[1] == "WARNING [clock] Host n1"
