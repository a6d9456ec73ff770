# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the action cluster_verdict says of a play's hosts."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleActionFail
from scenes import Scene
from schemas import check

from ansible_collections.mqttops.emqx.plugins.action import cluster_verdict, host_state
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import verdicts
from ansible_collections.mqttops.emqx.tests.unit.actions import Play
from ansible_collections.mqttops.emqx.tests.unit.runs import COOKIE

FORMS = {"doctor": "doctor", "status": "status"}


@pytest.fixture
def play() -> Play:
    """A play whose hosts were asked for everything, and have a healthy cluster."""
    found, scene = Play(3), Scene(3)
    found.read(host_state)
    for host, answers in scene.evidence.items():
        found.hostvars[host]["__emqx_survey"] = {
            "survey": {
                "cluster_info": answers["view"],
                "evidence_info": answers["host"],
                "cluster_probe": answers["links"],
            }
        }
    return found


@pytest.mark.parametrize("about", verdicts.ABOUT)
def test_a_verdict(play: Play, about: str) -> None:
    found = play.run(cluster_verdict, about=about)
    assert found["changed"] is False
    check(FORMS.get(about, "preflight"), found["data"])
    assert all(isinstance(line, str) for line in found["text"])
    assert COOKIE not in json.dumps(found)


def test_a_later_answer_counts_more(play: Play) -> None:
    scene = Scene(3)
    scene.down("n2")
    for host in play.hosts:
        play.hostvars[host]["__emqx_view"] = scene.evidence[host]["view"]
    found = play.run(cluster_verdict, about="status")
    assert found["data"]["stopped_nodes"] == ["emqx@10.0.0.2"]


def test_a_host_out_of_reach_is_a_row(play: Play) -> None:
    play.hostvars["n3"]["__emqx_survey"] = {"survey": {"unreachable": True, "msg": "timed out"}}
    found = play.run(cluster_verdict, about="status")
    rows = {row["host"]: row["state"] for row in found["data"]["nodes"]}
    assert (rows["n1"], rows["n3"]) == ("ready", "unreachable")
    assert found["passed"] is False


def test_nothing_is_said_of_hosts_that_were_not_read() -> None:
    with pytest.raises(AnsibleActionFail, match="expected the answer of host_state"):
        Play().run(cluster_verdict, about="status")


def test_what_is_asked_about_has_to_be_said(play: Play) -> None:
    with pytest.raises(Exception, match="about"):
        play.run(cluster_verdict)
