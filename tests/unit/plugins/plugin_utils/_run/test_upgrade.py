# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Runs that bring another version to a cluster that runs."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import UPGRADE
from ansible_collections.mqttops.emqx.tests.unit.runs import Run, empty

OLD, NEW = "5.8.8", "5.8.9"
KEPT = ["emqx-5.8.8-debian12-amd64.deb", "emqx-5.8.9-debian12-amd64.deb"]
ROOM: dict[str, t.Any] = {
    "saved": {},
    "sizes": {"/etc/emqx": 1 << 20},
    "free": 9 << 30,
    "kept": KEPT,
}


def upgrading(
    old: str = OLD, new: str = NEW, size: int = 3, found: Scene | None = None, **variables: t.Any
) -> Run:
    """Return a run of a cluster of one version that is to get another one."""
    run = Run(size, version=old, **variables)
    run.converge()
    for host in run.hosts:
        run.found(host, upgrade=ROOM)
    run.everywhere(version=new)
    run.purpose = UPGRADE
    scene = found or Scene(size)
    if found is None:
        for host in run.hosts:
            scene.view(host, version=old)
    run.views(scene)
    return run


def errors(run: Run) -> list[Finding]:
    return [finding for finding in run.plan().findings if is_error(finding)]


def codes(run: Run) -> set[str]:
    return {finding.code for finding in errors(run)}


def test_one_node_after_the_other() -> None:
    run = upgrading()
    result = run.result()
    assert codes(run) == set()
    assert result["upgrade"]["batches"] == [["n1"], ["n2"], ["n3"]]
    assert [step["text"] for step in result["data"]["steps"]] == [
        f"upgrade emqx@10.0.0.{number} from 5.8.8 to 5.8.9" for number in (1, 2, 3)
    ]
    assert "Order of stops and starts:" in result["text"]
    own = result["hosts"]["n2"]["upgrade"]
    assert (own["pending"], own["saves"], own["version"], own["replaces"]) == (True, True, OLD, "")
    assert own["back_source"] == "kept"
    assert own["back_path"] == f"/var/cache/mqttops-emqx/{KEPT[0]}"
    assert own["place"] == "/var/lib/mqttops-emqx/upgrade/emqx"
    assert own["trees"] == ["/etc/emqx", "/var/lib/emqx"]
    assert own["mounts"] == [
        {
            "source": "/var/lib/mqttops-emqx/upgrade/release/usr/lib/emqx",
            "target": "/usr/lib/emqx",
        }
    ]
    assert own["together"] == ["n2"]
    gate = result["hosts"]["n2"]["gate"]
    assert len(gate["members"]) == 3 and gate["serves"] is True
    assert not result["learns"]


def test_a_cluster_that_has_the_version_is_left_alone() -> None:
    run = upgrading(old=NEW)
    result = run.result()
    assert codes(run) == set()
    assert (result["upgrade"]["batches"], result["data"]["steps"]) == ([], [])


def test_the_files_of_the_version_before_are_known() -> None:
    run = upgrading("5.7.2", "5.8.9", rpc_port_discovery="manual")
    own = run.result()["hosts"]["n1"]
    texts = [
        next(file["content"] for file in files if file["path"] == "/etc/emqx/emqx.conf")
        for files in (own["upgrade"]["files"], own["files"])
    ]
    assert texts[0] != texts[1]


def test_configuration_does_not_change_with_the_version() -> None:
    run = upgrading()
    run.everywhere(config={"mqtt.max_packet_size": "3MB"})
    (finding,) = errors(run)
    assert finding.code == "config_waits"
    assert finding.hosts == ("n1", "n2", "n3")
    assert "/etc/emqx/emqx.conf" in finding.found
    assert "-e emqx_version=5.8.8" in finding.remedy
    done = upgrading(old=NEW)
    done.everywhere(config={"mqtt.max_packet_size": "3MB"})
    assert codes(done) == {"config_waits"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("5.3.2", "5.10.4", {"upgrade_path", "license_needed"}),
        ("5.8.9", "5.8.8", {"other_version", "no_way_back"}),
        ("5.8.9", "5.10.4", {"license_needed"}),
    ],
)
def test_what_is_refused(old: str, new: str, expected: set[str]) -> None:
    run = upgrading(old, new, rollback_package="")
    for host in run.hosts:
        run.found(host, upgrade={**ROOM, "kept": [f"emqx-{old}-debian12-amd64.deb"]})
    assert codes(run) >= expected - {"no_way_back"}
    assert "no_way_back" not in codes(run)


def test_the_open_source_edition_goes_on_with_a_licence() -> None:
    run = upgrading("5.8.9", "5.10.4")
    run.everywhere(license="abc.def==")
    assert codes(run) == set()
    own = run.result()["hosts"]["n1"]["upgrade"]
    assert (own["replaces"], own["package"]) == ("emqx", "emqx")


def test_members_that_the_inventory_does_not_have() -> None:
    scene = Scene(3)
    scene.view("n2", running_nodes=[*(f"emqx@10.0.0.{n}" for n in (1, 2, 3)), "emqx@10.0.0.9"])
    assert codes(upgrading(found=scene)) == {"other_members"}


def test_a_run_without_a_member() -> None:
    run = upgrading()
    run.limit("n1", "n2")
    assert "upgrade_limited" in codes(run)


def test_a_new_host_is_no_part_of_an_upgrade() -> None:
    run = upgrading()
    run.states["n3"] = dataclasses.replace(empty(), upgrade=ROOM)
    assert "no_node" in codes(run)


def test_a_cluster_that_is_down() -> None:
    scene = Scene(3)
    for host in ("n1", "n2", "n3"):
        scene.down(host)
    run = upgrading(found=scene)
    for host in run.hosts:
        run.stop(host)
    assert codes(run) == {"no_ready_core"}


def test_there_has_to_be_a_way_back() -> None:
    run = upgrading(package_source="controller", package="/x/emqx-5.8.9-debian12-amd64.deb")
    run.more = {
        "packages": {
            "/x/emqx-5.8.9-debian12-amd64.deb": {
                "exists": True,
                "sha256": "ab" * 32,
                "sidecar": "ab" * 32,
            }
        }
    }
    assert codes(run) == set()
    for host in run.hosts:
        run.found(host, upgrade={**ROOM, "kept": []})
    assert codes(run) == {"no_way_back"}
    run.everywhere(rollback_package="/x/emqx-5.8.8-debian12-amd64.deb")
    assert codes(run) == set()
    own = run.result()["hosts"]["n1"]["upgrade"]
    assert (own["back_source"], own["back_location"]) == (
        "controller",
        "/x/emqx-5.8.8-debian12-amd64.deb",
    )


def test_the_vendor_has_the_version_before() -> None:
    run = upgrading()
    for host in run.hosts:
        run.found(host, upgrade={**ROOM, "kept": []})
    own = run.result()["hosts"]["n1"]["upgrade"]
    assert own["back_source"] == "download"
    assert own["back_location"].endswith("/5.8.8/emqx-5.8.8-debian12-amd64.deb")


def test_the_room_for_a_copy() -> None:
    run = upgrading()
    run.found("n2", upgrade={**ROOM, "sizes": {"/var/lib/emqx": 8 << 30}})
    (finding,) = errors(run)
    assert (finding.code, finding.hosts) == ("upgrade_room", ("n2",))


def test_what_was_cut_short_goes_on_by_the_same_command() -> None:
    """n1 runs the new version, n2 got it and did not start, n3 is as it was."""
    scene = Scene(3)
    scene.view("n1", version=NEW)
    scene.view("n3", version=OLD)
    scene.down("n2")
    run = upgrading(found=scene)
    saved = {"version": OLD, "package": "emqx", "state": "saved"}
    for host in ("n1", "n2"):
        run.found(host, package_version=NEW, upgrade={**ROOM, "saved": saved})
    run.stop("n2")
    result = run.result()
    assert codes(run) == set()
    assert result["upgrade"]["batches"] == [["n2"], ["n3"]]
    own = result["hosts"]["n2"]["upgrade"]
    assert (own["saves"], own["version"], own["back_source"]) == (False, OLD, "kept")
    assert result["hosts"]["n2"]["gate"]["serves"] is False
    assert result["hosts"]["n1"]["upgrade"]["pending"] is False
    run.found("n2", upgrade={**ROOM, "saved": {**saved, "state": "restoring"}})
    assert run.result()["hosts"]["n2"]["upgrade"]["unfinished"] is True


@pytest.mark.parametrize(
    "variables",
    [{"deployment": "container"}, {"package_type": "tarball"}],
)
def test_what_is_not_upgraded_here(variables: dict[str, t.Any]) -> None:
    run = Run(3, version=OLD, **variables)
    run.converge()
    run.everywhere(version=NEW)
    run.purpose = UPGRADE
    run.views(Scene(3))
    assert "upgrade_kind" in codes(run)
