# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import duration
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import status as status_of

A, B, C = (f"emqx@10.0.0.{i}" for i in (1, 2, 3))
NODES = {f"n{i + 1}": {"name": name, "role": "core"} for i, name in enumerate((A, B, C))}


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


def status(nodes: dict[str, t.Any], answers: dict[str, t.Any]) -> dict[str, t.Any]:
    return status_of(nodes, answers, {})


def healthy() -> dict[str, t.Any]:
    return {"n1": ready(A), "n2": ready(B), "n3": ready(C)}


def test_a_healthy_cluster() -> None:
    found = status(NODES, healthy())
    assert found["healthy"]
    assert found["problems"] == []
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
    assert found["problems"] == [problem, f"{C} is a stopped member"]
    row = found["nodes"][2]
    assert (row["host"], row["node"], row["state"], row["agrees"]) == ("n3", C, state, None)
    assert f"n3    {C}  {state}" in found["table"][3]
    assert "2 of 3, 1 stopped" in found["table"][1]


def test_the_view_of_a_minority_differs() -> None:
    answers = {"n1": ready(A, [A, B]), "n2": ready(B, [A, B]), "n3": ready(C, [C])}
    found = status(NODES, answers)
    assert [row["agrees"] for row in found["nodes"]] == [True, True, False]
    assert found["problems"] == [
        f"n3: its view differs from the others': it sees {C} running",
        f"{C} is in the inventory but no member: add_node, or site, makes it one",
    ]


def test_strangers_are_named() -> None:
    answers = {h: ready(n["name"], [A, B, C, "x@h.i"]) for h, n in NODES.items()}
    for answer in answers.values():
        answer["emqx"]["stopped_nodes"] = ["y@h.i"]
    assert status(NODES, answers)["problems"] == [
        "x@h.i is a running member but not in the inventory",
        "y@h.i is a stopped member and not in the inventory: remove_node removes it",
    ]


def test_another_name_version_or_config_is_a_problem() -> None:
    answers = healthy()
    sync = {"tnx_ids": {A: 3, B: 2}, "in_sync": False}
    answers["n1"]["emqx"].update(config_sync=sync, version="5.8.8")
    answers["n2"]["emqx"].update(node="emqx2@10.0.0.2")
    problems = status(NODES, answers)["problems"]
    assert problems[0] == "n2: its node is called emqx2@10.0.0.2, expected emqx@10.0.0.2"
    assert problems[1] == "the nodes run different versions: 5.8.8, 5.8.9"
    assert f"as seen by n1 ({A}: 3, {B}: 2)" in problems[2]


def test_nobody_answers() -> None:
    found = status(NODES, {})
    assert (found["running_nodes"], found["healthy"]) == ([], False)
    assert [row["state"] for row in found["nodes"]] == ["unknown"] * 3


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


def test_certificates_have_a_column_and_their_problems() -> None:
    judged = {
        "n1": {"ends": "2030-01-31", "problem": ""},
        "n2": {
            "ends": "2026-01-31",
            "problem": "expected the certificate to be valid, found it not",
        },
    }
    found = status_of(NODES, healthy(), judged)
    assert [line.partition("AGREES")[2] or line[-10:] for line in found["table"]] == [
        "  CERTIFICATE ENDS",
        "2030-01-31",
        "2026-01-31",
        " yes     -",
    ]
    assert found["problems"] == [
        "n2: its certificate: expected the certificate to be valid, found it not"
    ]
    assert [row["certificate_ends"] for row in found["nodes"]] == ["2030-01-31", "2026-01-31", None]


def test_a_replicant_is_shown_with_its_core() -> None:
    nodes = {**NODES, "n3": {"name": C, "role": "replicant"}}
    answers = {**healthy(), "n3": ready(C, role="replicant", upstream_nodes=[B])}
    found = status(nodes, answers)
    assert found["healthy"]
    assert found["nodes"][2]["upstream_nodes"] == [B]
    assert "  replicant of emqx@10.0.0.2  " in found["table"][3]


def test_a_replicant_without_a_core_is_a_problem() -> None:
    answers = {**healthy(), "n3": ready(C, role="replicant", upstream_nodes=[])}
    assert status(NODES, answers)["problems"] == [
        "n3: it has lost its core and shows old data until it finds one of its own version"
    ]
