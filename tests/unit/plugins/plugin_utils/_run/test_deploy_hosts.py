# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A deployment to a part of the hosts, to nodes of all kinds, and of a part of the phases."""

from __future__ import annotations

import typing as t

from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import PHASES
from ansible_collections.mqttops.emqx.tests.unit.runs import Run, codes, empty, phases, todo

HOST_PHASES = {"install", "tuning", "firewall", "configure", "service", "membership"}


# -- a part of the hosts ---------------------------------------------------------------------------


def test_a_limited_run_leaves_the_others_as_they_are(built: Run) -> None:
    built.limit("n2")
    result = built.result()
    assert (list(result["hosts"]), result["in_run"]) == (["n2"], ["n2"])
    assert result["absent"] == ["emqx@10.0.0.1", "emqx@10.0.0.3"]
    assert result["cluster"]["members"] == [f"emqx@10.0.0.{number}" for number in (1, 2, 3)]
    assert result["speaker"] == "n2"
    assert result["passed"] is True


def test_a_limited_run_changes_nothing_that_all_must_have(built: Run) -> None:
    built.limit("n1", "n2")
    built.everywhere(allow_full_restart=True)
    for host in built.hosts:
        built.trial(host, "node.cookie")
    (finding,) = built.plan().findings
    assert (finding.code, finding.found) == ("full_restart_limited", "a run without n3")


def test_a_host_that_nobody_knows_is_a_finding() -> None:
    run = Run(2)
    run.everywhere(cluster_hosts=["n1", "n2", "n9"])
    assert codes(run.plan().findings) == ["unknown_host", "even_cores"]


def test_a_host_out_of_reach_is_a_finding(built: Run) -> None:
    built.states["n2"] = type(built.state("n2"))(unreachable="Connection timed out")
    plan = built.plan()
    assert [(f.code, f.hosts) for f in plan.findings] == [("unreachable", ("n2",))]
    assert set(plan.hosts) == {"n1", "n3"}
    lost = built.result()["hosts"]["n2"]
    assert phases(lost["todo"]) == set()


def test_a_host_that_was_not_read_is_planned_by_its_variables() -> None:
    run = Run(2)
    run.states = dict.fromkeys(run.hosts)
    result = run.result()
    assert result["passed"] is True
    assert result["cluster"]["names"] == {"n1": "emqx@10.0.0.1", "n2": "emqx@10.0.0.2"}
    assert result["hosts"]["n1"]["layout"]["unit"] == "emqx.service"


# -- who is what -----------------------------------------------------------------------------------


def test_replicants_start_after_the_cores() -> None:
    run = Run(3, version="6.0.0", license="evaluation")
    run.on("n3", node_role="replicant")
    plan = run.plan()
    assert plan.restarts.start == ("n1", "n2")
    assert (plan.restarts.replicants, plan.restarts.cores_start) == (("n3",), True)
    assert plan.cluster.seeds == ("emqx@10.0.0.1", "emqx@10.0.0.2")
    assert plan.hosts["n3"].node.role == "replicant"


def test_nodes_that_are_joined_have_no_order() -> None:
    run = Run(3, discovery_strategy="manual")
    run.converge("n1")
    run.stop("n1")
    result = run.result()
    assert all(own["joins"] for own in result["hosts"].values())
    assert run.plan().order.last == ()
    assert run.plan().restarts.start == ("n1", "n2", "n3")


def test_a_service_of_discovery_is_asked_by_members() -> None:
    run = Run(2, discovery_strategy="dns", dns_name="mq.example")
    own = run.result()["hosts"]["n1"]
    assert (own["asks_service"], own["joins"]) == (True, False)
    assert own["discovery"]["strategy"] == "dns"
    assert own["discovery"]["node"] == "emqx@10.0.0.1"
    run.survey(Scene(2), all_open=True)
    assert run.plan().again is True


def test_instances_of_one_server_share_its_work() -> None:
    run = Run(2, server="rack1")
    for number, host in enumerate(run.hosts, start=1):
        run.on(host, instance=number, node_address="10.0.0.1")
    plan = run.plan()
    assert [one.leads for one in plan.hosts.values()] == [True, False]
    assert [one.unit_away for one in plan.hosts.values()] == [True, True]
    assert all(one.lays_out for one in plan.hosts.values())
    assert todo(run)["n1"] == HOST_PHASES
    assert todo(run)["n2"] == {"configure", "service", "membership"}
    own = run.result()["hosts"]["n2"]
    assert own["layout"]["unit"] == "emqx@2.service"
    assert {file["path"] for file in own["instance_files"]} == {
        own["layout"]["instance_vars"],
        own["layout"]["instance_script"],
        own["layout"]["instance_command"],
    }


def test_instances_that_run_leave_nothing_to_do() -> None:
    run = Run(2, server="rack1")
    for number, host in enumerate(run.hosts, start=1):
        run.on(host, instance=number, node_address="10.0.0.1")
    run.converge()
    assert todo(run) == {"n1": {"membership"}, "n2": {"membership"}}


def test_the_next_host_does_the_work_of_a_server_whose_first_is_left_out() -> None:
    run = Run(2, server="rack1")
    for number, host in enumerate(run.hosts, start=1):
        run.on(host, instance=number, node_address="10.0.0.1")
    run.limit("n2")
    assert run.plan().hosts["n2"].leads is True


def test_the_packages_unit_goes_only_where_it_has_no_node() -> None:
    run = Run(1, instance=1)
    wants = "/etc/systemd/system/multi-user.target.wants/emqx.service"
    there = type(empty().file(wants))(exists=True)
    run.found("n1", files={wants: there})
    own = run.plan().hosts["n1"]
    assert (own.unit_away, own.unit_at_boot) == (True, True)
    run.found("n1", files={wants: there}, package_nodes=("emqx@10.0.0.1",))
    plan = run.plan()
    assert (plan.hosts["n1"].unit_away, plan.hosts["n1"].unit_at_boot) == (False, False)
    assert "package_node" in codes(plan.findings)


def test_containers_run_from_an_image() -> None:
    run = Run(2, deployment="container")
    own = run.result()["hosts"]["n1"]
    assert own["container"]["check"]["image"] == "docker.io/emqx/emqx:5.8.9"
    assert (own["release"]["format"], own["validates"], own["bridged"]) == ("image", False, False)
    assert "install" in phases(own["todo"])
    run.converge()
    assert todo(run) == {"n1": {"membership"}, "n2": {"membership"}}
    assert run.result()["hosts"]["n1"]["validates"] is True


def test_links_of_containers_on_a_network_of_their_own_are_not_tried() -> None:
    run = Run(2, deployment="container", container_network="mq")
    for host in run.hosts:
        run.on(host, node_addresses=[f"10.213.0.{host[1:]}"])
    assert run.plan().look == ""
    assert run.result()["hosts"]["n1"]["bridged"] is True


def test_published_ports_are_said_once_to_pass_by_a_firewall() -> None:
    run = Run(1, deployment="container", container_network="mq", firewall_backend="ufw")
    assert codes(run.plan().findings).count("published_ports") == 1


# -- what a run is asked to do ---------------------------------------------------------------------


def test_phases_that_were_not_chosen_have_nothing_to_do() -> None:
    run = Run(2, phases=["configure", "membership"])
    assert todo(run) == {host: {"configure", "membership"} for host in run.hosts}
    assert set(PHASES) - {"preflight"} == set(run.result()["hosts"]["n1"]["todo"])
    shown = run.result()["text"]
    assert any("create /etc/emqx/emqx.conf" in line for line in shown)
    assert not [line for line in shown if "install" in line or "start" in line]
    # Files that are not written are no reason to look at anything else.
    run = Run(2, phases=["tuning"], tuning_enabled=False)
    plan = run.plan()
    assert (todo(run)["n1"], plan.look, plan.hosts["n1"].touches) == (set(), "", False)


def test_no_firewall_shows_its_rules_and_changes_nothing() -> None:
    run = Run(2, firewall_backend="none")
    run.converge()
    assert todo(run)["n1"] == {"firewall", "membership"}
    plan = run.plan()
    # Rules that are shown in every run are no reason to survey the cluster.
    assert (plan.hosts["n1"].firewall.changes_host, plan.look) == (False, "")


def test_check_mode_foresees_and_does_not_stop() -> None:
    run = Run(3)
    scene = Scene(3)
    scene.cut("n1", "n2")
    run.survey(scene, stand_in={"listening": True}, all_open=True)
    plan = run.plan()
    assert "closed_port" in codes(plan.findings)
    assert plan.passed is False
    run.more["check_mode"] = True
    plan = run.plan()
    assert (plan.findings, plan.passed) == ((), True)
    assert "closed_port" in codes(plan.foreseen)
    assert any("closed_port" in line for line in run.result()["cautions"])


def test_check_mode_waits_for_no_members_on_empty_hosts() -> None:
    run = Run(2)
    run.more["check_mode"] = True
    assert todo(run)["n1"] == HOST_PHASES - {"membership"}
    run.converge()
    assert todo(run)["n1"] == {"membership"}


def test_errors_end_a_run_with_all_of_them() -> None:
    run = Run(2, cluster_name="not a name")
    run.on("n2", node_name="emqx")
    result = run.result()
    assert result["passed"] is False
    count = sum(finding["severity"] == "error" for finding in result["findings"])
    assert result["refusal"][0] == f"Nothing was changed: {count} findings are in the way."
    assert len([line for line in result["refusal"] if line.startswith("ERROR")]) == count > 1


def test_hosts_of_different_strategies_are_refused() -> None:
    run = Run(2, discovery_strategy="dns", dns_name="mq.example")
    run.on("n2", discovery_strategy="static")
    found = [f for f in run.result()["findings"] if f["code"] == "differing_settings"]
    assert [(f["subject"], f["severity"]) for f in found] == [("emqx_discovery_strategy", "error")]


def test_a_missing_file_of_this_machine_is_named(tmp_path: t.Any) -> None:
    etcd = {"discovery_strategy": "etcd", "etcd_servers": ["https://10.0.0.9:2379"]}
    run = Run(1, **etcd, etcd_ca=str(tmp_path / "no.pem"))
    (finding,) = [f for f in run.plan().findings if f.subject == "emqx_etcd_ca"]
    assert "no.pem" in finding.found


def test_files_by_which_a_node_asks_its_service_are_about_to_be_replaced() -> None:
    etcd = {"discovery_strategy": "etcd", "etcd_servers": ["https://10.0.0.9:2379"]}
    run = Run(2, **etcd, etcd_ca="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")
    run.answers = {
        host: {"texts": {"emqx_etcd_ca": run.variables[host]["etcd_ca"]}} for host in run.hosts
    }
    assert run.plan().hosts["n1"].intends()["replaces"] is True
    run.converge()
    assert run.plan().hosts["n1"].intends()["replaces"] is False
