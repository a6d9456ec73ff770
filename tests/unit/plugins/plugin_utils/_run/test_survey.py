# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What hosts and nodes answered, put together, and the verdicts on it."""

from __future__ import annotations

import time
import typing as t

import pytest
from scenes import Scene
from schemas import check

from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import (
    deployment,
    survey,
    verdicts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import INSPECT
from ansible_collections.mqttops.emqx.tests.unit.runs import Run, codes

UNREACHABLE = {"unreachable": True, "msg": "Connection timed out"}


def inspected(scene: Scene, **variables: t.Any) -> Run:
    """Return a run of a playbook that looks at a cluster, asked for everything just now."""
    run = Run(len(scene.hosts), **variables)
    run.converge()
    run.purpose = INSPECT
    for host in run.hosts:
        if "evidence" in scene.evidence[host]["host"]:
            scene.on_host(host, time=time.time())
    run.survey(scene)
    return run


def views(run: Run) -> dict[str, t.Any]:
    given = run.input()
    return dict(survey.views(given, deployment.model(given)))


# -- views -----------------------------------------------------------------------------------------


def test_a_node_speaks_for_the_others() -> None:
    run, scene = Run(3), Scene(3)
    others = {scene.names[host]: scene.evidence[host]["view"]["emqx"] for host in ("n2", "n3")}
    run.answers["n1"]["survey"] = {
        "cluster_info": {**scene.evidence["n1"]["view"], "others": others}
    }
    for host in ("n2", "n3"):
        run.answers[host]["survey"] = {"evidence_info": scene.evidence[host]["host"]}
    found = views(run)
    assert {host: view.node for host, view in found.items()} == scene.names
    assert all(view.is_ready for view in found.values())
    assert run.result()["speaker"] == "n1"


def test_a_node_that_nobody_speaks_for_is_unheard() -> None:
    run, scene = Run(2), Scene(2)
    run.answers["n1"]["survey"] = {"cluster_info": scene.evidence["n1"]["view"]}
    run.answers["n2"]["survey"] = {"evidence_info": scene.evidence["n2"]["host"]}
    result = run.result()
    assert {host: own["without_view"] for host, own in result["hosts"].items()} == {
        "n1": False,
        "n2": True,
    }
    assert result["again"] is True
    run.answers["n2"]["view"] = scene.evidence["n2"]["view"]
    assert views(run)["n2"].is_ready
    assert run.result()["hosts"]["n2"]["without_view"] is False


def test_the_own_answer_of_a_node_comes_first() -> None:
    run, scene = Run(1), Scene(1)
    run.views(scene)
    run.answers["n1"]["view"] = {"emqx": {**scene.evidence["n1"]["view"]["emqx"], "state": "down"}}
    assert views(run)["n1"].state == "down"


def test_a_host_out_of_reach_gives_one_answer_to_everything() -> None:
    run, scene = Run(2), Scene(2)
    run.survey(scene)
    run.answers["n2"]["survey"] = UNREACHABLE
    given = run.input()
    cluster = deployment.model(given)
    assert views(run)["n2"].state == "unreachable"
    found = survey.evidence(given, cluster, {})["n2"]
    assert found["view"] == found["host"] == found["links"] == UNREACHABLE
    assert survey.without_view("n2", given, cluster) is False


def test_without_answers_there_are_no_views() -> None:
    run = Run(2)
    given = run.input()
    assert views(run) == {}
    assert (survey.examined(given), survey.missed(given)) == (False, False)


@pytest.mark.parametrize(
    ("answers", "missed"),
    [
        ({"all_open": True, "stand_in": {"listening": {}}}, False),
        ({"all_open": False, "stand_in": {"listening": {}}}, True),
        ({"stand_in": {"listening": {}}}, True),
        ({}, False),
    ],
)
def test_links_that_were_tried_before_others_listened(
    answers: dict[str, t.Any], missed: bool
) -> None:
    run = Run(2)
    run.survey(Scene(2), **answers)
    assert survey.missed(run.input()) is missed
    result = run.result()
    assert result["missed"] is missed
    assert result["hosts"]["n1"]["listens"] is ("stand_in" in answers)


# -- verdicts --------------------------------------------------------------------------------------


def test_preflight_of_a_healthy_cluster() -> None:
    found = verdicts.preflight(inspected(Scene(3)).input())
    check("preflight", found["data"])
    assert found["passed"] is True
    assert found["text"][-1].endswith("the cluster can form, 18 of 18 connections are open.")


def test_preflight_names_all_that_is_wrong() -> None:
    scene = Scene(3)
    scene.cut("n1", "n2")
    run = inspected(scene, min_free_mb=99999999)
    found = verdicts.preflight(run.input())
    check("preflight", found["data"])
    assert found["passed"] is False
    assert {"disk", "closed_port"} <= {finding["code"] for finding in found["data"]["findings"]}


def test_preflight_of_empty_hosts_needs_no_answers() -> None:
    run = Run(3)
    run.purpose = INSPECT
    found = verdicts.preflight(run.input())
    check("preflight", found["data"])
    assert (found["passed"], found["data"]["links"]) == (True, [])


def test_the_doctor_of_a_healthy_cluster() -> None:
    found = verdicts.doctor(inspected(Scene(3)).input())
    check("doctor", found["data"])
    assert found["passed"] is True
    assert found["text"][0].startswith("HOST")
    assert "EMQX cluster plant" in found["page"]
    assert set(found["evidence"]) == {"n1", "n2", "n3"}


def test_the_doctor_of_an_ill_one() -> None:
    scene = Scene(3)
    scene.down("n3", active="inactive")
    found = verdicts.doctor(inspected(scene).input())
    check("doctor", found["data"])
    assert found["passed"] is False
    assert {"n3"} <= {host for item in found["data"]["findings"] for host in item["hosts"]}


def test_the_doctor_of_hosts_that_give_no_answer() -> None:
    run = Run(2)
    run.purpose = INSPECT
    for host in run.hosts:
        run.states[host] = None
        run.answers[host]["survey"] = UNREACHABLE
    found = verdicts.doctor(run.input())
    check("doctor", found["data"])
    lost = [one["hosts"] for one in found["data"]["findings"] if one["code"] == "unreachable"]
    assert lost == [["n1"], ["n2"]]


def test_status_reads_views_alone() -> None:
    run, scene = Run(3), Scene(3)
    run.states = dict.fromkeys(run.hosts)
    run.purpose = INSPECT
    run.views(scene)
    found = verdicts.cluster_status(run.input())
    check("status", found["data"])
    assert (found["passed"], found["settings"]["status_format"]) == (True, "table")
    scene.down("n2")
    run.views(scene)
    found = verdicts.cluster_status(run.input())
    check("status", found["data"])
    assert found["passed"] is False
    assert found["data"]["stopped_nodes"] == ["emqx@10.0.0.2"]


def test_status_of_a_part_says_whom_it_did_not_ask() -> None:
    run = Run(3)
    run.limit("n1")
    run.views(Scene(3))
    found = verdicts.cluster_status(run.input())
    check("status", found["data"])
    assert [row["host"] for row in found["data"]["nodes"]] == ["n1", "n2", "n3"]


# -- before nodes start or join --------------------------------------------------------------------


def joining(scene: Scene, **variables: t.Any) -> Run:
    run = Run(len(scene.hosts), discovery_strategy="manual", **variables)
    for host in run.hosts:
        run.answers[host]["view"] = scene.evidence[host]["view"]
    return run


def alone(size: int, **records: int) -> Scene:
    """Return nodes that do not know one another; those named hold so many users."""
    scene = Scene(size)
    for host in scene.hosts:
        scene.sees(host, host)
        scene.view(host, data={"dashboard_users": records.get(host, 1)})
    return scene


def test_fresh_nodes_join_the_first() -> None:
    found = verdicts.seed(joining(alone(3)).input())
    check("preflight", found["data"])
    assert (found["seed"], found["joiners"], found["complete"]) == ("n1", ["n2", "n3"], False)
    assert found["passed"] is True


def test_fresh_nodes_join_the_one_with_data() -> None:
    found = verdicts.seed(joining(alone(3, n2=7)).input())
    assert (found["seed"], found["joiners"]) == ("n2", ["n1", "n3"])


def test_nobody_joins_where_two_have_data() -> None:
    run = joining(alone(3, n2=7, n3=5))
    found = verdicts.seed(run.input())
    check("preflight", found["data"])
    assert found["passed"] is False
    assert found["text"][0] == "No node joined another one."
    run.on("n3", allow_data_loss=True)
    found = verdicts.seed(run.input())
    assert (found["passed"], found["seed"]) == (True, "n2")


def test_text_is_no_consent() -> None:
    run = joining(alone(2, n1=7, n2=5))
    run.on("n2", allow_data_loss="false")
    assert verdicts.seed(run.input())["passed"] is False


def test_members_that_are_together_are_complete() -> None:
    found = verdicts.seed(joining(Scene(3)).input())
    assert (found["joiners"], found["complete"]) == ([], True)


ETCD: dict[str, t.Any] = {
    "discovery_strategy": "etcd",
    "etcd_servers": ["http://10.0.0.9:2379"],
}
ASKED: dict[str, t.Any] = {
    "strategy": "etcd",
    "source": "etcd",
    "asked": "http://10.0.0.9:2379",
    "failure": "",
    "names": [],
    "entries": [],
    "findings": [],
}


def test_nodes_start_where_their_service_answers() -> None:
    run = Run(2, **ETCD)
    for host in run.hosts:
        run.answers[host]["discovery"] = {"discovery": ASKED}
    found = verdicts.before_start(run.input())
    check("preflight", found["data"])
    assert found["passed"] is True


def test_nodes_do_not_start_where_it_gives_no_answer() -> None:
    run = Run(2, **ETCD)
    words = {"expected": "an answer", "found": "none", "remedy": "start etcd"}
    failure = {"failure": "refused", "findings": [{"code": "etcd_refused", "hosts": [], **words}]}
    run.answers["n2"]["discovery"] = {"discovery": {**ASKED, **failure}}
    found = verdicts.before_start(run.input())
    check("preflight", found["data"])
    assert found["passed"] is False
    assert found["text"][:2] == ["The nodes were left as they are:", "ERROR [etcd_refused] Host n2"]


def test_a_deployment_stops_for_what_the_survey_shows() -> None:
    run, scene = Run(3), Scene(3)
    scene.cut("n1", "n3")
    run.survey(scene, all_open=True)
    plan = run.plan()
    assert "closed_port" in codes(plan.findings)
    assert (plan.look, plan.again) == ("", True)
