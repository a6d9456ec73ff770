# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a deployment does on hosts in any state, and where it stops before it has begun."""

from __future__ import annotations

import dataclasses

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import SURVEY, VIEW
from ansible_collections.mqttops.emqx.tests.unit.runs import STOPPED, Run, codes, empty, todo

CONF = "/etc/emqx/emqx.conf"
HOST_PHASES = {"install", "tuning", "firewall", "configure", "service", "membership"}


# -- hosts with nothing on them --------------------------------------------------------------------


def test_fresh_hosts_get_everything() -> None:
    run = Run(3)
    plan = run.plan()
    assert plan.findings == ()
    assert todo(run) == {host: HOST_PHASES for host in run.hosts}
    assert (plan.look, plan.again) == (SURVEY, False)
    assert plan.restarts.start == ("n1", "n2", "n3")
    assert (plan.restarts.stop, plan.restarts.restart) == ((), ())
    assert run.result()["learns"] is True


def test_fresh_hosts_get_the_files_of_their_node() -> None:
    plan = Run(2).plan()
    files = {file.path: file for file in plan.hosts["n2"].files}
    assert 'name = "emqx@10.0.0.2"' in files[CONF].content
    assert '"emqx@10.0.0.1"' in files[CONF].content
    assert (files[CONF].mode, files[CONF].secret) == ("0640", False)
    assert "/etc/mqttops-emqx/emqx.env" in files
    assert [one.path for one in plan.hosts["n2"].directories] == ["/var/lib/emqx"]


@pytest.mark.parametrize(("backend", "waits"), [("auto", True), ("none", False)])
def test_a_node_waits_for_the_rules_of_the_firewall_at_work(backend: str, waits: bool) -> None:
    plan = Run(1, firewall_backend=backend).plan()
    (drop_in,) = [f for f in plan.hosts["n1"].files if f.path.endswith("50-mqttops.conf")]
    assert ("mqttops-emqx-firewall.service" in drop_in.content) is waits


def test_the_steps_of_fresh_hosts_are_in_order() -> None:
    data = Run(2).result()["data"]
    kinds = ["install", "tuning", "firewall", "configure"]
    first = [step["kind"] for step in data["steps"] if step["host"] == "n1"]
    assert list(dict.fromkeys(first)) == [*kinds, "start"]
    assert data["steps"][-1]["text"] == "start emqx@10.0.0.2"
    assert data["clients"] == []


def test_a_package_of_this_machine_is_looked_for() -> None:
    run = Run(1, package="/srv/emqx-5.8.9-debian12-amd64.deb", package_source="controller")
    run.more["packages"] = {"/srv/emqx-5.8.9-debian12-amd64.deb": {"exists": False}}
    plan = run.plan()
    (finding,) = [one for one in plan.findings if one.subject == "emqx_package"]
    assert (finding.hosts, plan.passed) == (("n1",), False)


def test_a_node_alone_needs_no_survey_where_it_is_not_wanted() -> None:
    run = Run(3, preflight_probe=False)
    assert run.plan().look == ""


# -- hosts that are as they are to be --------------------------------------------------------------


def test_nothing_is_done_on_converged_hosts(built: Run) -> None:
    plan = built.plan()
    assert plan.findings == ()
    assert todo(built) == {host: {"membership"} for host in built.hosts}
    assert (plan.look, plan.again, plan.restarts.hosts) == ("", False, frozenset())
    result = built.result()
    assert (result["learns"], result["data"]["steps"], result["cautions"]) == (False, [], [])
    assert result["text"][0] == "n1: nothing to do"
    assert result["text"][-1] == "Clients: notice nothing"


def test_a_file_of_another_mode_is_written_again(built: Run) -> None:
    files = dict(built.state("n2").files)
    files[CONF] = type(files[CONF])(**{**vars(files[CONF]), "mode": "0644"})
    built.found("n2", files=files)
    assert "configure" in todo(built)["n2"]
    assert "configure" not in todo(built)["n1"]


def test_a_unit_that_systemd_has_not_read_is_the_services_work(built: Run) -> None:
    built.found("n2", service=type(built.state("n2").service)(True, True, True, outdated=True))
    assert todo(built)["n2"] == {"service", "membership"}


def test_a_stopped_node_with_data_is_started(built: Run) -> None:
    built.stop("n2")
    plan = built.plan()
    assert plan.findings == ()
    assert (plan.restarts.start, plan.restarts.restart) == (("n2",), ())
    assert todo(built)["n2"] == {"service", "membership"}
    # It may find others, and may not be able to.
    assert plan.look == SURVEY


def test_a_fresh_node_starts_after_those_with_data(built: Run) -> None:
    built.states["n3"] = empty()
    built.stop("n1")
    plan = built.plan()
    assert plan.order.last == ("n3",)
    assert (plan.restarts.start, plan.restarts.last) == (("n1",), ("n3",))


def test_who_starts_first_is_asked_where_nodes_have_data(built: Run) -> None:
    built.everywhere(preflight_probe=False)
    built.states["n3"] = empty()
    assert built.plan().look == VIEW
    built.views(Scene(3))
    assert built.plan().look == ""


def test_members_that_restart_are_asked_whom_they_see_also_where_they_are_joined_by_hand() -> None:
    run = Run(3, discovery_strategy="manual", preflight_probe=False)
    run.converge()
    assert run.plan().look == ""
    run.on("n3", config={"node.process_limit": 2097152})
    assert run.plan().look == VIEW


# -- a changed configuration -----------------------------------------------------------------------


def test_a_changed_key_is_tried_before_it_is_written(built: Run) -> None:
    built.everywhere(config={"mqtt.max_packet_size": "2MB"})
    result = built.result()
    assert todo(built) == {host: {"configure", "membership"} for host in built.hosts}
    assert [own["tries"] for own in result["hosts"].values()] == [True] * 3
    assert (result["look"], result["learns"]) == (SURVEY, True)
    assert result["restarts"]["one_by_one"] == []


def test_what_was_tried_is_planned_and_not_tried_again(built: Run) -> None:
    built.everywhere(config={"node.process_limit": 2097152})
    for host in built.hosts:
        built.trial(host, "node.process_limit")
    result = built.result()
    assert [own["tries"] for own in result["hosts"].values()] == [False] * 3
    assert result["restarts"]["one_by_one"] == ["n1", "n2", "n3"]
    assert "   1. write /etc/emqx/emqx.conf: 1 key (node.process_limit)" in result["text"]
    assert (
        "Clients: clients of n1, n2 and n3 have to reconnect, one node after the other"
        in (result["text"])
    )


def test_nodes_restart_one_by_one_behind_gates(built: Run) -> None:
    built.views(Scene(3))
    for host in built.hosts:
        built.written(host, "node.process_limit")
    plan = built.plan()
    assert (plan.restarts.restart, plan.restarts.full) == (("n1", "n2", "n3"), False)
    every = {f"emqx@10.0.0.{number}" for number in (1, 2, 3)}
    assert {host: set(names) for host, names in plan.restarts.gates.items()} == dict.fromkeys(
        built.hosts, every
    )
    assert plan.restarts.gates["n2"][0] == "emqx@10.0.0.2"
    assert plan.stale["n3"] == ("node.process_limit",)


def test_what_was_written_counts_more_than_what_was_tried(built: Run) -> None:
    built.trial("n1", "node.process_limit")
    built.written("n1")
    assert built.plan().restarts.restart == ()


def test_what_a_node_did_not_take_in_earlier_restarts_it(built: Run) -> None:
    built.found("n3", stale=("node.process_limit",))
    assert built.plan().restarts.restart == ("n3",)


@pytest.mark.parametrize("phase", ["trial", "written"])
def test_a_cookie_needs_consent_to_stop_all(built: Run, phase: str) -> None:
    for host in built.hosts:
        getattr(built, phase)(host, "node.cookie")
    plan = built.plan()
    assert codes(plan.findings) == ["full_restart"]
    assert (plan.restarts.full, plan.restarts.keys, plan.passed) == (True, ("node.cookie",), False)


def test_with_consent_all_stop_and_start_together(built: Run) -> None:
    built.everywhere(allow_full_restart=True)
    for host in built.hosts:
        built.trial(host, "node.cookie")
    plan, result = built.plan(), built.result()
    assert (plan.findings, plan.restarts.stop) == ((), ("n1", "n2", "n3"))
    assert plan.restarts.gates == {}
    assert result["restarts"]["one_by_one"] == []
    assert "Clients: all clients are cut off until n1, n2 and n3 run again" in result["text"]


def test_a_role_does_not_change_in_place(built: Run) -> None:
    built.on("n3", node_role="replicant")
    built.trial("n3", "node.role")
    finding = next(f for f in built.plan().findings if f.code == "role_change")
    assert finding.hosts == ("n3",)
    assert "remove_node -e emqx_remove_hosts=n3" in finding.remedy


# -- what is found twice ---------------------------------------------------------------------------


def test_a_member_that_the_inventory_does_not_have_is_named_once(built: Run) -> None:
    scene = Scene(3)
    for host in ("n1", "n2"):
        scene.sees(host, "n1 n2", "n3")
    built.outside("n3")
    built.hosts = ["n1", "n2"]
    built.survey(scene)
    found = codes(built.plan().findings)
    assert "stale_member" in found
    assert "strangers" not in found


def test_who_joins_whom_is_no_matter_where_no_node_starts(built: Run) -> None:
    """As a preflight of a cluster in operation has all views."""
    scene = Scene(3)
    scene.sees("n1", "n1")
    scene.sees("n2", "n2")
    scene.sees("n3", "n3")
    for view in (scene.evidence[host]["view"]["emqx"] for host in built.hosts):
        view["data"] = {"retained": 1}
    built.views(scene)
    assert built.plan().order.findings == ()
    built.stop("n3")
    assert built.plan().order.findings != ()


def test_a_node_that_is_no_member_any_more_is_named_once(built: Run) -> None:
    scene = Scene(3)
    for host in ("n1", "n2"):
        scene.sees(host, "n1 n2")
    scene.down("n3", active="activating", sub="auto-restart")
    built.found("n3", service=dataclasses.replace(STOPPED, state="activating"))
    built.survey(scene)
    found = codes(built.plan().findings)
    assert "expelled" in found
    assert "data_outside_cluster" not in found


def test_a_phase_alone_has_nothing_learnt_for_others(built: Run) -> None:
    built.stop("n3")
    built.found("n2", files={})
    built.everywhere(phases=["membership"])
    assert built.plan().look == ""
    built.everywhere(phases=["configure"])
    assert built.plan().look == SURVEY
