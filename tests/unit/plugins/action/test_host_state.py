# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the action host_state asks of a host, and what it makes of the answer."""

from __future__ import annotations

from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.mqttops.emqx.plugins.action import cluster_plan, host_state
from ansible_collections.mqttops.emqx.tests.unit.actions import Play, Result, answer_of, template


def test_variables_alone_ask_nobody() -> None:
    play = Play(emqx_cluster_name="plant", other_variable="x")
    found = play.run(host_state)
    assert (found["changed"], found["management"], play.asked) == (False, "10.0.0.1", [])
    assert found["variables"]["emqx_cluster_name"] == "plant"
    assert "other_variable" not in found["variables"]
    assert "host" not in found


def test_templates_are_filled_in_for_the_host() -> None:
    play = Play(emqx_node_name=template("emqx@{{ inventory_hostname }}.example"))
    play.hostvars["n1"]["ansible_host"] = template("{{ inventory_hostname }}.lan")
    found = play.run(host_state)
    assert found["variables"]["emqx_node_name"] == "emqx@n1.example"
    assert found["management"] == "n1.lan"


def test_a_template_that_cannot_be_filled_in_is_a_finding() -> None:
    play = Play(emqx_node_name=template("emqx@{{ nobody_set_this }}"))
    found = play.run(host_state, parts=["host"])
    assert "emqx_node_name" not in found["variables"]
    (finding,) = found["findings"]
    assert (finding["code"], finding["subject"]) == ("template", "emqx_node_name")
    assert "nobody_set_this" in finding["found"]
    assert found["host"]["addresses"] == ["10.0.0.1"]


def test_text_from_a_host_is_no_template() -> None:
    found = Play(emqx_node_name="{{ lookup('pipe', 'id') }}").run(host_state)
    assert found["variables"]["emqx_node_name"] == "{{ lookup('pipe', 'id') }}"


def test_the_host_is_read_by_one_module() -> None:
    play = Play(emqx_package="/srv/emqx.deb", emqx_package_source="host")
    found = play.run(host_state, parts=["host"])
    ((name, options),) = play.asked
    assert name == "host_info"
    assert (options["service"], options["package_file"]) == ("emqx.service", "/srv/emqx.deb")
    assert "/etc/emqx/emqx.conf" in options["files"]
    assert found["host"]["platform"]["format"] == "deb"


def test_host_and_view_are_asked_at_once() -> None:
    play = Play()
    play.answer = lambda _name, _arguments: {
        "host_info": {"host": answer_of()},
        "cluster_info": {"emqx": {"state": "ready"}},
    }
    found = play.run(host_state, parts=["host", "view"])
    ((name, options),) = play.asked
    assert (name, set(options)) == ("survey_info", {"host_info", "cluster_info"})
    assert options["cluster_info"]["command"] == ["/usr/bin/emqx"]
    assert found["survey"]["cluster_info"]["emqx"]["state"] == "ready"
    assert found["host"]["data_nodes"] == []


@pytest.mark.parametrize(
    "answer", [{"failed": True, "msg": "no Python"}, {"unreachable": True, "msg": "no Python"}]
)
def test_a_host_that_cannot_be_read_says_why(answer: Result) -> None:
    play = Play()
    play.answer = lambda _name, _arguments: answer
    found = play.run(host_state, parts=["host"])
    assert found["host"] == {"unreachable": "no Python"}
    assert "failed" not in found
    assert "unreachable" not in found


def test_a_connection_that_fails_is_an_answer() -> None:
    play = Play()

    def refuse(_name: str, _arguments: Result) -> Result:
        raise AnsibleConnectionFailure("Connection timed out")

    play.answer = refuse
    found = play.run(host_state, parts=["host", "view"])
    assert found["host"] == {"unreachable": "Connection timed out"}
    assert found["survey"]["unreachable"] is True


def test_links_are_those_of_the_plan() -> None:
    play = Play()
    play.read(host_state)
    play.planned(play.run(cluster_plan))
    play.asked.clear()
    play.run(host_state, "n2", parts=["view", "evidence", "links"], before_deployment=True)
    ((name, options),) = play.asked
    assert name == "survey_info"
    assert options["cluster_probe"]["node"] == "emqx@10.0.0.2"
    assert [node["name"] for node in options["cluster_probe"]["nodes"]] == [
        "emqx@10.0.0.1",
        "emqx@10.0.0.2",
    ]
    assert options["cluster_probe"]["expected_peers"] == 2
    assert (options["stand_in"], options["speaks_for_others"]) == (True, False)
    assert {1883, 4370, 5370, 18083} <= set(options["evidence_info"]["ports"])
    assert len(options["evidence_info"]["salt"]) == 32


def test_without_a_plan_there_are_no_links() -> None:
    with pytest.raises(AnsibleActionFail, match="expected a plan of the cluster with n1 in it"):
        Play().run(host_state, parts=["links"])


@pytest.mark.parametrize("parts", [["host"], ["host", "view"]])
def test_a_module_that_ends_in_an_error_says_why(parts: list[str]) -> None:
    # As ansible-core hands it to action plugins: without a message beside.
    error = mock.Mock(event=mock.Mock(msg="no attribute"))
    play = Play()
    play.answer = lambda _name, _arguments: {"failed": True, "exception": error}
    found = play.run(host_state, parts=parts)
    assert found["host"] == {"unreachable": "Reading the host failed: no attribute"}
    assert "failed" not in found
