# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime as dt
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import DNSName
from scenes import node

from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import duration, status
from tests.support.certificates import Authority

A, B, C = (f"emqx@10.0.0.{i}" for i in (1, 2, 3))
NODES = {f"n{i + 1}": node(name, f"n{i + 1}") for i, name in enumerate((A, B, C))}


def ready(name: str, running: t.Sequence[str] = (A, B, C), **more: t.Any) -> dict[str, t.Any]:
    view = {
        "state": "ready",
        "installed": True,
        "reason": "",
        "node": name,
        "role": "core",
        "version": "5.8.9",
        "uptime_seconds": 3700,
        "running_nodes": list(running),
        "stopped_nodes": [],
        "config_sync": {"tnx_ids": {}, "in_sync": True},
        **more,
    }
    return {"emqx": view}


def found_of(state: dict[str, t.Any]) -> list[str]:
    """Return what was found, with the host in front."""
    return [": ".join([*found["hosts"], found["found"]]) for found in state["findings"]]


def codes(state: dict[str, t.Any]) -> list[tuple[str, str]]:
    return [(found["severity"], found["code"]) for found in state["findings"]]


def healthy() -> dict[str, t.Any]:
    return {"n1": ready(A), "n2": ready(B), "n3": ready(C)}


def test_a_healthy_cluster() -> None:
    found = status(NODES, healthy())
    assert found["healthy"]
    assert found["findings"] == [] and found["text"] == []
    assert found["running_nodes"] == [A, B, C]
    assert found["table"] == [
        "HOST  NODE           STATE  ROLE  VERSION  UPTIME  SEES RUNNING  AGREES",
        "n1    emqx@10.0.0.1  ready  core  5.8.9    1h 1m   3 of 3        yes",
        "n2    emqx@10.0.0.2  ready  core  5.8.9    1h 1m   3 of 3        yes",
        "n3    emqx@10.0.0.3  ready  core  5.8.9    1h 1m   3 of 3        yes",
    ]


@pytest.mark.parametrize(
    ("answer", "state", "problem"),
    [
        (
            {"unreachable": True, "msg": "Failed to connect: timed out."},
            "unreachable",
            "n3: unreachable: Failed to connect: timed out",
        ),
        ({"failed": True, "msg": "emqx hangs"}, "unknown", "n3: unknown: emqx hangs"),
        (
            {"emqx": {"state": "down", "installed": True, "reason": "not responding to pings."}},
            "down",
            "n3: down: not responding to pings",
        ),
        (
            {"emqx": {"state": "down", "installed": False, "reason": "no such file"}},
            "absent",
            "n3: EMQX is not installed",
        ),
    ],
)
def test_a_host_that_is_not_ready_is_a_row(
    answer: dict[str, t.Any], state: str, problem: str
) -> None:
    seen = [A, B]
    answers = {
        "n1": ready(A, seen, stopped_nodes=[C]),
        "n2": ready(B, seen, stopped_nodes=[C]),
        "n3": answer,
    }
    found = status(NODES, answers)
    assert not found["healthy"]
    assert found_of(found) == [problem, f"{C} is a stopped member"]
    row = found["nodes"][2]
    assert (row["host"], row["node"], row["state"], row["agrees"]) == ("n3", C, state, None)
    assert f"n3    {C}  {state}" in found["table"][3]
    assert "2 of 3, 1 stopped" in found["table"][1]


def test_the_view_of_a_minority_differs() -> None:
    answers = {"n1": ready(A, [A, B]), "n2": ready(B, [A, B]), "n3": ready(C, [C])}
    found = status(NODES, answers)
    assert [row["agrees"] for row in found["nodes"]] == [True, True, False]
    assert found_of(found) == [
        f"n3: its view differs from the others': it sees {C} running",
        f"{C} is in the inventory but no member",
    ]


def test_strangers_are_named() -> None:
    answers = {h: ready(n.name, [A, B, C, "x@h.i"]) for h, n in NODES.items()}
    for answer in answers.values():
        answer["emqx"]["stopped_nodes"] = ["y@h.i"]
    found = status(NODES, answers)
    assert found_of(found) == [
        "x@h.i is a running member but not in the inventory",
        "y@h.i is a stopped member and not in the inventory",
    ]
    assert codes(found) == [("error", "came_back"), ("error", "stale_member")]
    assert found["text"][0] == "ERROR [came_back] Cluster, x@h.i"
    assert found["text"][-1].endswith("remove_node removes it")


def test_another_name_version_or_config_is_a_problem() -> None:
    answers = healthy()
    sync = {"tnx_ids": {A: 3, B: 2}, "in_sync": False}
    answers["n1"]["emqx"].update(config_sync=sync, version="5.8.8")
    answers["n2"]["emqx"].update(node="emqx2@10.0.0.2")
    problems = found_of(status(NODES, answers))
    assert problems[0] == "n2: its node is called emqx2@10.0.0.2, expected emqx@10.0.0.2"
    assert f"as seen by n1 ({A}: 3, {B}: 2)" in problems[1]
    # Right during an upgrade, so a warning.
    assert problems[2] == "the nodes run different versions: 5.8.8, 5.8.9"


def test_nobody_answers() -> None:
    found = status(NODES, {})
    assert (found["running_nodes"], found["healthy"]) == ([], False)
    assert [row["state"] for row in found["nodes"]] == ["unknown"] * 3
    assert codes(found) == [("error", "not_examined")]


def test_hosts_that_were_left_out_are_a_warning() -> None:
    answers = healthy()
    del answers["n3"]
    found = status(NODES, answers)
    assert codes(found) == [("warning", "not_examined")]
    assert found["findings"][0]["hosts"] == ["n3"]
    assert found["nodes"][2]["problem"] == "unknown: left out of this run"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m 0s"),
        (3700, "1h 1m"),
        (86400, "1d 0h"),
        (864000, "10d 0h"),
    ],
)
def test_duration(seconds: int | None, text: str) -> None:
    assert duration(seconds) == text


def pem(ca: Authority, host: str, days: int) -> dict[str, str]:
    """Return what cluster_info reads of a certificate."""
    files = ca.issue(host, DNSName(NODES[host].host), days=days)
    key = serialization.load_pem_private_key(files.key.read_bytes(), None).public_key()
    public = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    texts = {"certificate": files.cert.read_text(), "ca": files.ca.read_text()}
    return {**texts, "public_key": public.decode()}


def test_certificates_have_a_column_and_their_findings(tmp_path: Path) -> None:
    answers, ca = healthy(), Authority(tmp_path, "ca")
    days = {"n1": 100, "n2": -1, "n3": 10}
    for host, number in days.items():
        answers[host]["tls"] = pem(ca, host, number)
    found = status(NODES, answers, 30)
    today = dt.datetime.now(dt.timezone.utc)
    ends = [f"{today + dt.timedelta(days=number):%Y-%m-%d}" for number in days.values()]
    assert [row["certificate_ends"] for row in found["nodes"]] == ends
    assert found["table"][0].endswith("AGREES  CERTIFICATE ENDS")
    assert [line[-10:] for line in found["table"][1:]] == ends
    assert codes(found) == [("error", "certificate_refused"), ("warning", "certificate_ends")]
    assert [each["hosts"] for each in found["findings"]] == [["n2"], ["n3"]]
    assert "expected the certificate to be valid" in found["findings"][0]["found"]
    del answers["n3"]["tls"]
    assert [row["certificate_ends"] for row in status(NODES, answers)["nodes"]][2] is None


def test_a_replicant_is_shown_with_its_core() -> None:
    nodes = {**NODES, "n3": node(C, "n3", role="replicant")}
    answers = {**healthy(), "n3": ready(C, role="replicant", upstream_nodes=[B])}
    found = status(nodes, answers)
    assert found["healthy"]
    assert found["nodes"][2]["upstream_nodes"] == [B]
    assert "  replicant of emqx@10.0.0.2  " in found["table"][3]


def test_a_replicant_without_a_core_is_a_problem() -> None:
    answers = {**healthy(), "n3": ready(C, role="replicant", upstream_nodes=[])}
    assert found_of(status(NODES, answers)) == [
        "n3: it has lost its core and shows old data until it finds one of its own version"
    ]
