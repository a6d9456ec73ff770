# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from diagnosis_rows import NC, Change, codes, steps
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import text as text_of
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose

FAULTS: dict[str, tuple[Change, str]] = {
    "disk": (
        steps(lambda s: s.down("n1"), lambda s: s.on_host("n1", disks={"/d": s.space(0)})),
        "disk_full",
    ),
    "port": (
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", listening={"4370": NC})),
        "port_in_use",
    ),
    "ssh": (lambda s: s.lost("n3"), "unreachable"),
    "drift": (lambda s: s.config("n5", keys={"mqtt.max_packet_size": "bb"}), "config_drift"),
}


@pytest.mark.parametrize("one", FAULTS)
@pytest.mark.parametrize("other", FAULTS)
def test_two_faults_are_both_named(one: str, other: str) -> None:
    scene = Scene(5)
    both = sorted({one, other})
    for name in both:
        FAULTS[name][0](scene)
    assert sorted(codes(scene)) == sorted(FAULTS[name][1] for name in both)


@pytest.mark.parametrize("size", [1, 2, 5, 23])
def test_healthy_clusters_of_any_size(size: int) -> None:
    assert codes(Scene(size)) == []


def test_licence_of_a_joined_cluster() -> None:
    scene = Scene(version="5.10.4")
    scene.down("n3", active="activating", sub="auto-restart")
    scene.log("n3", "license", "SINGLE_NODE_LICENSE, make sure this node and peer nodes are ...")
    for host in ("n1", "n2"):
        scene.config(host, license="key")
    found = diagnose(scene.nodes, scene.evidence).findings
    assert [each.code for each in found] == ["license"]
    assert "n3 has the community licence, with which EMQX 5.10.4 runs on a single node only" in (
        found[0].found
    )


def test_licence_that_refuses_the_join() -> None:
    scene = Scene(version="5.10.4")
    for host in scene.hosts:
        scene.sees(host, host)
    found = diagnose(scene.nodes, scene.evidence).findings
    assert [each.code for each in found] == ["license"]
    assert found[0].hosts == ("n1", "n2", "n3")


def test_an_old_licence_line_of_a_healthy_cluster_is_no_finding() -> None:
    scene = Scene(version="5.10.4")
    for host in scene.hosts:
        scene.config(host, license="key")
        for sign in ("license", "cookie", "partition", "waiting", "crash", "discovery"):
            scene.log(host, sign, "of yesterday")
    assert codes(scene) == []


def test_replicant_without_a_core_of_its_version() -> None:
    scene = Scene(4, replicants=["n4"])
    scene.view("n4", state="booting", reason="its applications are still starting", version="5.8.8")
    found = diagnose(scene.nodes, scene.evidence).findings
    assert [each.code for each in found] == ["replicant_version"]
    assert "replicant n4 has EMQX 5.8.8 and finds no core of that version" in found[0].found


def test_a_replicant_that_is_stopped_is_not_listed() -> None:
    scene = Scene(4, replicants=["n4"])
    scene.down("n4", active="inactive")
    for host in ("n1", "n2", "n3"):
        scene.sees(host, "n1 n2 n3")
    assert codes(scene) == ["stopped"]


@pytest.mark.parametrize(("time", "words"), [(900.0, "95 s behind"), (1100.0, "90 s ahead of")])
def test_clocks(time: float, words: str) -> None:
    scene = Scene()
    scene.on_host("n2", time=time)
    found = diagnose(scene.nodes, scene.evidence, (995.0, 1010.0)).findings
    assert [each.code for each in found] == ["clock"]
    assert words in found[0].found


def test_errors_come_before_warnings() -> None:
    scene = Scene()
    scene.config("n1", keys={"mqtt.max_packet_size": "bb"})
    scene.on_host("n2", disks={"/d": scene.space(100)})
    scene.down("n3", active="inactive")
    assert codes(scene) == ["stopped", "disk_low", "config_drift"]


def test_hosts_that_were_not_asked_are_named_and_not_judged() -> None:
    scene = Scene()
    del scene.evidence["n3"]
    (found,) = diagnose(scene.nodes, scene.evidence).findings
    assert (found.code, found.severity, found.hosts) == ("not_examined", "warning", ("n3",))
    scene.evidence["n3"] = {"view": {}, "host": {}}
    assert codes(scene) == ["not_examined"]


def test_a_host_whose_discovery_could_not_be_asked_is_named() -> None:
    scene = Scene()
    scene.evidence["n2"]["discovery"] = {"failed": True, "msg": "no module dns"}
    (found,) = diagnose(scene.nodes, scene.evidence).findings
    assert (found.code, found.severity, found.hosts) == ("discovery_unasked", "warning", ("n2",))
    assert found.evidence == ("no module dns",)
    scene.evidence["n2"]["discovery"] = {"skipped": True}
    assert codes(scene) == []


def test_a_link_is_open_if_it_was_open_once() -> None:
    """What listened in place of a node is gone when the last of its peers came."""
    scene = Scene()
    links = scene.evidence["n1"]["links"]["probe"]["links"]
    again = [{**link, "state": "refused"} for link in links]
    scene.evidence["n1"]["links_again"] = {"probe": {"links": again}}
    assert codes(scene) == []
    for link in links:
        link["state"] = "refused"
    for link in again:
        link["state"] = "open"
    assert codes(scene) == []
    again[-1]["state"] = "filtered"
    found = diagnose(scene.nodes, scene.evidence).links
    closed = [link.state for link in found if link.state != "open"]
    assert closed == ["filtered"]


def test_links_and_text() -> None:
    scene = Scene(2)
    scene.link("n1", "n2", "filtered", "rpc")
    found = diagnose(scene.nodes, scene.evidence)
    assert len(found.links) == 8
    assert {"from": "n1", "to": "n2", "kind": "rpc", "port": 5370, "state": "filtered"} in [
        link.as_dict() for link in found.links
    ]
    lines = text_of(found.findings)
    assert lines[0] == "ERROR [closed_port] Hosts n1, n2"
    assert lines[2].startswith("   found: n1 gets no answer from n2")
    assert lines[3] == "   seen: n1 -> n2 tcp 5370 (rpc): filtered"
    assert lines[4].startswith("   remedy: on n2: nft list ruleset")
