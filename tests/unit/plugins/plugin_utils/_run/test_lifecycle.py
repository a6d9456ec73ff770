# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Runs that restart nodes as they are."""

from __future__ import annotations

import datetime as dt

from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import is_error
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.checks_values import MOMENT
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    DRAIN,
    RESTART,
    START,
    STOP,
)
from ansible_collections.mqttops.emqx.tests.unit.runs import Run, empty


def restarting(found: Scene | None = None, size: int = 3, **variables: object) -> Run:
    run = Run(size)
    run.converge()
    run.everywhere(**variables)
    run.purpose = RESTART
    run.views(found or Scene(size))
    return run


def errors(plan: Deployment) -> list[str]:
    return [finding.code for finding in plan.findings if is_error(finding)]


def ago(seconds: int) -> str:
    moment = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=seconds)
    return moment.strftime(MOMENT)


def test_all_restart_one_after_the_other_behind_gates() -> None:
    run = restarting()
    plan, result = run.plan(), run.result()
    assert errors(plan) == []
    assert result["restarts"]["one_by_one"] == ["n1", "n2", "n3"]
    gate = result["hosts"]["n2"]["gate"]
    assert set(gate["members"]) == {f"emqx@10.0.0.{number}" for number in (1, 2, 3)}
    assert (gate["serves"], gate["evacuates"]) == (True, False)
    assert [step["text"] for step in result["data"]["steps"]] == [
        "restart emqx@10.0.0.1",
        "restart emqx@10.0.0.2",
        "restart emqx@10.0.0.3",
    ]
    assert "   1. restart emqx@10.0.0.1 (as asked)" in result["text"]
    assert all(own["todo"]["service"] for own in result["hosts"].values())
    assert dt.datetime.strptime(result["resume"], MOMENT)


def test_nothing_is_said_of_what_only_a_deployment_changes() -> None:
    run = restarting()
    run.everywhere(config={"mqtt.max_packet_size": "3MB"}, version="5.8.8")
    plan = run.plan()
    assert errors(plan) == []
    assert {step["kind"] for step in run.result()["data"]["steps"]} == {"restart"}
    assert not run.result()["learns"]


def test_a_node_that_is_not_ready_comes_first_and_needs_no_gate_before() -> None:
    found = Scene(3)
    found.view("n3", state="booting", running_nodes=[], uptime_seconds=5)
    run = restarting(found)
    result = run.result()
    assert result["restarts"]["one_by_one"] == ["n3", "n1", "n2"]
    assert result["hosts"]["n3"]["gate"]["serves"] is False
    assert result["data"]["steps"][0]["reason"] == "it is not ready"


def test_a_node_that_is_down_is_started_and_the_others_restart_then() -> None:
    found = Scene(3)
    found.down("n2")
    run = restarting(found)
    run.stop("n2")
    steps = [(step["host"], step["kind"]) for step in run.result()["data"]["steps"]]
    assert steps == [("n2", "start"), ("n1", "restart"), ("n3", "restart")]


def test_a_run_goes_on_with_those_that_did_not_restart_yet() -> None:
    found = Scene(3)
    for host, uptime in (("n1", 100), ("n2", 9000), ("n3", 9000)):
        found.view(host, uptime_seconds=uptime)
    since = ago(600)
    run = restarting(found, restart_since=since)
    assert run.result()["restarts"]["one_by_one"] == ["n2", "n3"]
    # The next run goes on with the same.
    assert run.result()["resume"] == since
    assert restarting(found).result()["restarts"]["one_by_one"] == ["n1", "n2", "n3"]


def test_a_time_that_is_none() -> None:
    run = restarting(restart_since="yesterday")
    assert "bad_value" in errors(run.plan())


def test_no_node_goes_down_while_another_one_is_out_of_the_run() -> None:
    found = Scene(3)
    found.down("n3")
    run = restarting(found)
    run.limit("n1", "n2")
    (finding,) = [one for one in run.plan().findings if one.code == "member_down"]
    assert finding.hosts == ("n3",)


def test_one_node_alone_with_the_others_running() -> None:
    run = restarting()
    run.limit("n2")
    assert errors(run.plan()) == []
    assert run.result()["restarts"]["one_by_one"] == ["n2"]


def test_the_only_core_restarts_with_consent() -> None:
    assert "last_core" in errors(restarting(size=1).plan())
    assert errors(restarting(size=1, allow_full_restart=True).plan()) == []


def test_a_host_without_a_node_is_refused() -> None:
    run = restarting()
    run.states["n2"] = empty()
    assert "no_node" in errors(run.plan())


def test_a_host_out_of_reach_is_refused() -> None:
    run = restarting()
    run.found("n2", unreachable="timed out")
    assert "unreachable" in errors(run.plan())


def test_the_enterprise_edition_hands_over_its_clients_first() -> None:
    run = restarting(edition="enterprise", evacuate_rate=50, evacuate_takeover=3)
    gate = run.result()["hosts"]["n1"]["gate"]
    assert (gate["evacuates"], gate["ends_evacuation"]) == (True, True)
    assert (gate["evacuation"]["rate"], gate["evacuation"]["wait_takeover"]) == (50, 3)
    run.everywhere(evacuate=False)
    assert run.result()["hosts"]["n1"]["gate"]["evacuates"] is False


def test_a_new_cookie_that_no_node_runs_with_stops_them_all_with_consent() -> None:
    run = restarting()
    for host in run.hosts:
        run.found(host, stale=("node.cookie",))
    assert "full_restart" in errors(run.plan())
    run.everywhere(allow_full_restart=True)
    assert errors(run.plan()) == []
    assert run.result()["restarts"]["one_by_one"] == []


def test_a_stop_has_its_order() -> None:
    run = restarting()
    run.purpose = STOP
    result = run.result()
    assert (result["stop"]["cores"], result["restarts"]["one_by_one"]) == (["n3", "n2", "n1"], [])
    assert result["text"][-4:] == [
        "   1. n3: stop emqx@10.0.0.3",
        "   2. n2: stop emqx@10.0.0.2",
        "   3. n1: stop emqx@10.0.0.1",
        "Clients: all clients are cut off until the playbook start has run",
    ]
    run.limit("n1")
    (finding,) = run.plan().findings
    assert (finding.code, finding.severity) == ("stop_limited", "warning")


def test_a_start_starts_together_what_is_down_and_restarts_nothing() -> None:
    found = Scene(3)
    for host in ("n1", "n2"):
        found.down(host)
    run = restarting(found)
    run.purpose = START
    for host in ("n1", "n2"):
        run.stop(host)
    run.found("n3", stale=("node.process_limit",))
    result = run.result()
    assert result["restarts"]["start"] == ["n1", "n2"]
    assert result["restarts"]["one_by_one"] == []
    assert {step["kind"] for step in result["data"]["steps"]} == {"start"}


def test_a_start_of_some_is_a_warning() -> None:
    run = restarting()
    run.purpose = START
    for host in run.hosts:
        run.stop(host)
    run.limit("n1", "n2")
    assert [finding.code for finding in run.plan().findings] == ["start_limited"]
    assert run.plan().passed


def test_a_node_is_drained_behind_the_gate_of_another_one() -> None:
    run = restarting(drain_host="n1", edition="enterprise")
    run.purpose = DRAIN
    result = run.result()
    assert (result["drain"]["witness"], result["drain"]["evacuates"]) == ("n2", True)
    assert [step["kind"] for step in result["data"]["steps"]] == ["evacuate", "stop"]
    assert len(result["hosts"]["n2"]["gate"]["members"]) == 3
    assert errors(restarting(drain_host="n9").plan()) == []
    run.everywhere(drain_host="n9")
    assert "no_member" in errors(run.plan())
