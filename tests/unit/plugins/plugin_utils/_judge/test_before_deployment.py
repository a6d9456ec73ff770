# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The diagnosis of a cluster that is still to be built, or about to be changed."""

from __future__ import annotations

import typing as t

from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import matching
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose

FULL = {"free": 0, "size": 1 << 24, "free_entries": 9, "entries": 9, "read_only": False}
DNS = {"name": "mq.example", "record_type": "a"}


def planned(scene: Scene, *hosts: str) -> None:
    """Take EMQX from hosts, where listeners stand in for it."""
    for host in hosts or scene.hosts:
        scene.down(host, active="inactive", installed=False)
        scene.on_host(
            host, data_nodes=[], config={"error": "none"}, unusable=["/etc/emqx/emqx.conf"]
        )
        scene.evidence[host]["stand_in"] = {"busy": {}}
        for other in scene.hosts:
            scene.link(other, host, "open")


def codes(scene: Scene) -> list[tuple[str, str]]:
    found = diagnose(scene.nodes, scene.evidence, to_build=True).findings
    return [(each.severity, each.code) for each in found]


def test_nodes_that_never_ran_are_not_ill() -> None:
    scene = Scene()
    planned(scene)
    assert codes(scene) == []
    assert diagnose(scene.nodes, scene.evidence).findings


def test_a_node_that_is_to_join_a_running_cluster() -> None:
    scene = Scene()
    for other in ("n1", "n2"):
        scene.sees(other, "n1 n2")
    planned(scene, "n3")
    assert codes(scene) == []


def test_a_port_that_rejects_a_stand_in() -> None:
    scene = Scene()
    planned(scene)
    scene.link("n1", "n2", "refused")
    assert codes(scene) == [("error", "closed_port")]
    scene.evidence["n2"]["stand_in"] = {"busy": {"4370": "in use", "5370": "in use"}}
    assert codes(scene) == []


def test_what_the_firewall_is_about_to_open_is_no_finding() -> None:
    scene = Scene()
    planned(scene)
    scene.link("n1", "n2", "filtered")
    scene.link("n2", "n1", "filtered")
    scene.evidence["n2"]["plan"] = {"opens_ports": True}
    found = diagnose(scene.nodes, scene.evidence, to_build=True).findings
    assert [each.code for each in found] == ["closed_port"]
    assert found[0].found.startswith("n2 gets no answer from n1")


def test_names_and_taken_ports_are_found_before_emqx_is_there() -> None:
    scene = Scene()
    planned(scene)
    scene.resolve("n2", "n1", "127.0.1.1")
    scene.on_host("n3", listening={"4370": {"process": "nc", "pid": 7, "unit": ""}})
    assert codes(scene) == [("error", "port_in_use"), ("error", "name_loopback")]


def test_what_a_deployment_does_is_a_warning_and_what_it_does_not_an_error() -> None:
    scene = Scene()
    scene.down("n3", active="inactive")
    assert codes(scene) == [("warning", "stopped")]
    scene = Scene()
    scene.down("n3", active="failed")
    assert codes(scene) == [("warning", "crashed")]
    scene = Scene()
    scene.alone("n3")
    assert codes(scene) == [("warning", "not_joined")]
    scene = Scene()
    scene.on_host("n3", disks={"/var/lib/emqx": FULL})
    scene.down("n3", active="failed")
    assert codes(scene) == [("error", "disk_full")]


# What a service answers nodes that are not up yet


def answered(scene: Scene, strategy: str, settings: dict[str, t.Any], **answer: t.Any) -> None:
    """Have a service give all hosts an answer, as discovery_info returns it."""
    nodes = [
        {"inventory_host": host, "name": node.name, "role": "core"}
        for host, node in scene.nodes.items()
    ]
    whole = {"entries": [], "asked": "10.0.0.53", "failure": "", "detail": "", **answer}
    for host in scene.hosts:
        found = matching.report(strategy, settings, scene.names[host], nodes, whole)
        scene.evidence[host]["discovery"] = {"discovery": found}


def to_start(strategy: str, settings: dict[str, t.Any], **answer: t.Any) -> list[Finding]:
    scene = Scene()
    planned(scene)
    answered(scene, strategy, settings, **answer)
    found = diagnose(scene.nodes, scene.evidence, to_build=True).findings
    # A cluster that runs will need it at the next start.
    scene = Scene()
    answered(scene, strategy, settings, **answer)
    assert codes(scene) == [("warning", each.code) for each in found]
    return list(found)


def addresses(*numbers: int) -> list[dict[str, str]]:
    return [{"address": f"10.0.0.{number}"} for number in numbers]


def test_records_of_all_members() -> None:
    assert to_start("dns", DNS, entries=addresses(1, 2, 3)) == []


def test_records_that_are_still_to_be_made() -> None:
    (found,) = to_start("dns", DNS, entries=addresses(1, 2))
    assert (found.severity, found.code) == ("warning", "discovery_nobody")
    assert found.hosts == ("n1", "n2", "n3")
    assert "to include 10.0.0.3, found 10.0.0.1, 10.0.0.2" in found.found
    (found,) = to_start("dns", DNS, failure="no_such_name", detail="NXDOMAIN")
    assert (found.severity, found.hosts) == ("warning", ("n1", "n2", "n3"))
    assert found.remedy.startswith("create them")


def test_records_that_lead_to_others() -> None:
    (found,) = to_start("dns", DNS, entries=addresses(1, 2, 3, 9))
    assert (found.severity, found.code) == ("error", "discovery_others")
    assert "none of 10.0.0.9" in found.found


def test_names_that_no_record_can_give() -> None:
    srv = {**DNS, "record_type": "srv"}
    found = to_start("dns", srv, entries=[{"target": "n1.example"}])
    assert [(each.severity, each.code) for each in found] == [
        ("error", "discovery_nobody"),
        ("error", "discovery_others"),
    ]
    assert "a FQDN after the @" in found[0].found


def test_a_service_that_gives_no_answer() -> None:
    # Name servers may be those of the same inventory, which come first.
    (found,) = to_start("dns", DNS, failure="dns_silent", detail="timed out")
    assert (found.severity, found.code) == ("warning", "discovery_nobody")
    assert found.hosts == ("n1", "n2", "n3")
    (found,) = to_start("etcd", {"prefix": "a"}, failure="etcd_refused", detail="refused")
    assert found.severity == "error"


def test_files_that_are_about_to_be_replaced() -> None:
    scene = Scene()
    planned(scene)
    answered(scene, "etcd", {"prefix": "a"}, failure="etcd_other_ca", detail="verify failed")
    for host in ("n1", "n2"):
        scene.evidence[host]["plan"] = {"replaces": True}
    (found,) = diagnose(scene.nodes, scene.evidence, to_build=True).findings
    assert (found.severity, found.hosts) == ("error", ("n3",))


def test_an_etcd_for_want_of_which_nodes_end_is_named_once() -> None:
    scene = Scene()
    for host in scene.hosts:
        scene.down(host, active="failed")
    answered(scene, "etcd", {"prefix": "a"}, failure="etcd_refused", detail="refused")
    assert codes(scene) == [("error", "no_etcd")] * 3


def test_what_nodes_and_the_deployment_bring_themselves() -> None:
    assert to_start("etcd", {"prefix": "a"}, entries=[]) == []
    assert to_start("etcd", {"prefix": "a"}, failure="etcd_file", detail="no file") == []
