# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The life of a cluster, one test after the other: each starts where the one before it ended.

The members that no test means never close their MQTT listener, from the first test to the last.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from operations import (
    Watch,
    can_log_in,
    changed,
    done,
    group,
    has_finding,
    phases,
    refused,
    together,
    wait_for,
)

LAB = scenario_lab()
PASSWORD = "Kept0over0all0changes"
# No more than what these tests are about, so that they are quick.
QUICK = {"emqx_tuning_enabled": False, "emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"}}
# n3 was a member before.
FIVE: dict[str, dict[str, t.Any]] = {
    "n1": {},
    "n2": {},
    "n4": {},
    "n3": {"emqx_allow_data_loss": True},
    "n5": {},
}
REMOVE = "mqttops.emqx.emqx : Have a member remove what is still listed"


def run(
    playbook: str, arguments: t.Sequence[str], *more: str, **variables: t.Any
) -> subprocess.CompletedProcess[str]:
    return LAB.playbook(f"mqttops.emqx.{playbook}", *arguments, *more, **QUICK, **variables)


def on_host(host: str, command: str) -> None:
    """Run a command where SSH may not get to."""
    lab = [sys.executable, str(ROOT / "tests/lab/lab.py"), "exec", "--name", LAB.name]
    subprocess.run([*lab, "--", host, "sh", "-c", command], check=True, capture_output=True)


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("cluster")
    done(run("site", group(folder, n1={}, n2={}, n3={})))
    LAB.emqx("n1", "ctl", "admins", "add", "keeper", PASSWORD, "")
    assert can_log_in(LAB, "n1", "keeper", PASSWORD)


@pytest.fixture(scope="module", autouse=True)
def no_gap(cluster: None) -> t.Iterator[None]:
    with Watch([LAB.addresses["n1"], LAB.addresses["n2"]], 1883) as watch:
        yield
    assert watch.attempts > 100
    assert watch.gaps == []


def test_replace(tmp_path: Path) -> None:
    four = group(tmp_path, n1={}, n2={}, n3={}, n4={})
    hosts = {"emqx_dead_host": "n3", "emqx_new_host": "n4"}
    on_host("n3", "systemctl stop emqx; ip link set eth0 down")
    predicted = done(run("replace_node", four, "--check", **hosts))
    output = done(run("replace_node", four, **hosts))
    assert phases(predicted) == {step for step in phases(output) if step[0] != "membership"}
    assert {("install", "n4"), ("configure", "n4"), ("service", "n4")} <= phases(output)
    assert {host for phase, host in phases(output) if phase == "service"} == {"n4"}
    assert (REMOVE, "n1") in changed(predicted) & changed(output)
    assert {host for _task, host in changed(predicted)} == {"n1", "n2", "n4"}
    together(LAB, "n1", "n2", "n4")
    assert can_log_in(LAB, "n4", "keeper", PASSWORD)


def test_status_has_a_row_for_every_host(tmp_path: Path) -> None:
    four = group(tmp_path, n1={}, n2={}, n3={}, n4={})
    report = tmp_path / "status.json"
    strict = {"emqx_status_json": str(report), "emqx_status_strict": True}
    text = refused(run("status", four, **strict))
    assert "ERROR [unreachable] Host n3" in text
    assert "expected: a ready member" in text and "found: unreachable: " in text
    data = json.loads(report.read_text(encoding="utf-8"))
    assert ("unreachable", ["n3"]) in [(f["code"], f["hosts"]) for f in data["findings"]]
    rows = {row["host"]: row for row in data["nodes"]}
    assert {host: row["state"] for host, row in rows.items()} == {
        "n1": "ready",
        "n2": "ready",
        "n3": "unreachable",
        "n4": "ready",
    }
    assert all(rows[host]["agrees"] for host in ("n1", "n2", "n4"))


def test_add_restarts_no_member(tmp_path: Path) -> None:
    on_host("n3", "ip link set eth0 up")
    ping = ["ansible", "n3", f"--inventory={LAB.inventory}", "--module-name=ansible.builtin.ping"]
    wait_for(lambda: subprocess.run(ping, check=False, capture_output=True).returncode == 0, 60)
    five = group(tmp_path, **FIVE)
    text = refused(run("add_node", five, emqx_config={"mqtt.max_packet_size": "2MB"}))
    found = "found: that n1, n2, n4 would have to restart for mqtt.max_packet_size"
    assert has_finding(text, "restart_needed", "Hosts n1, n2, n4", found)
    assert "Nothing was changed" in text


def test_add_two_at_once_one_of_which_comes_back_empty(tmp_path: Path) -> None:
    output = done(run("add_node", group(tmp_path, **FIVE)))
    assert {host for phase, host in phases(output) if phase == "service"} == {"n3", "n5"}
    together(LAB, *FIVE)
    assert can_log_in(LAB, "n3", "keeper", PASSWORD)
    assert can_log_in(LAB, "n5", "keeper", PASSWORD)
    assert LAB.hosts["n3"].check_output(f"ls {LAB.data}").count("mnesia-aside-") == 1


def test_remove_two_at_once(tmp_path: Path) -> None:
    five = group(tmp_path, n1={}, n2={}, n3={}, n4={}, n5={"emqx_wipe_data": True})
    both = {"emqx_remove_hosts": "n4,n5"}
    everybody = {"emqx_remove_hosts": ["n1", "n2", "n3", "n4", "n5"]}
    text = refused(run("remove_node", five, **everybody))
    assert has_finding(text, "no_members", "Cluster, emqx_cluster_hosts", "at least one")
    text = refused(run("remove_node", five, **both, emqx_min_cores=4))
    few = ("expected: at least 4 cores to stay", "found: 3")
    assert has_finding(text, "min_cores", "Cluster, emqx_min_cores", *few)
    predicted = done(run("remove_node", five, "--check", **both))
    output = done(run("remove_node", five, **both))
    gone = {step for step in changed(output) if step[1] in ("n4", "n5")}
    assert {step for step in changed(predicted) if step[1] in ("n4", "n5")} == gone
    together(LAB, "n1", "n2", "n3")
    for host in ("n4", "n5"):
        assert f"Take {host} out of the inventory group now" in output
        service = LAB.hosts[host].service("emqx")
        assert not service.is_running
        assert not service.is_enabled
    assert "mnesia-aside-" in LAB.hosts["n4"].check_output(f"ls {LAB.data}")
    assert LAB.hosts["n5"].check_output(f"ls -A {LAB.data}") == ""
    files = f"cat {LAB.etc}/emqx.conf /etc/mqttops-emqx/firewall.nft"
    for content in LAB.outputs(files, "n1", "n2", "n3").values():
        assert content.count(LAB.addresses["n3"]) > 1
        assert LAB.addresses["n4"] not in content
        assert LAB.addresses["n5"] not in content
    assert changed(done(run("remove_node", five, **both))) == set()
    # Asking a node that does not run for anything would write there.
    assert LAB.hosts["n5"].check_output(f"ls -A {LAB.data}") == ""


def test_rename(tmp_path: Path) -> None:
    name = f"emqx3@{LAB.addresses['n3']}"
    three = group(tmp_path, n1={}, n2={}, n3={"emqx_node_name": name})
    output = done(run("rename_node", three, emqx_rename_host="n3"))
    assert "mnesia-aside-" in output
    members = sorted([LAB.node_name("n1"), LAB.node_name("n2"), name])
    for host in ("n1", "n2", "n3"):
        assert LAB.view(host) == {"running_nodes": members, "stopped_nodes": []}
    assert can_log_in(LAB, "n3", "keeper", PASSWORD)


def test_one_that_was_force_left_while_it_was_stopped(tmp_path: Path) -> None:
    """On its old database such a node never boots: who agrees to lose it is told what to do."""
    name = f"emqx3@{LAB.addresses['n3']}"
    own = {"emqx_node_name": name, "emqx_allow_data_loss": True}
    three = group(tmp_path, n1={}, n2={}, n3=own)
    LAB.hosts["n3"].check_output("systemctl stop emqx")
    LAB.emqx("n1", "ctl", "cluster", "force-leave", name)
    wait_for(lambda: LAB.view("n2")["stopped_nodes"] == [], 30)
    # Whether it boots shows only when it is started.
    failed = run("site", three, emqx_ready_timeout=20, emqx_cluster_timeout=5)
    assert failed.returncode != 0, failed.stdout
    assert "ERROR [expelled] Host n3" in failed.stdout
    assert "add_node" in failed.stdout
    done(run("add_node", three))
    members = sorted([LAB.node_name("n1"), LAB.node_name("n2"), name])
    for host in ("n1", "n2", "n3"):
        assert LAB.view(host) == {"running_nodes": members, "stopped_nodes": []}
    assert can_log_in(LAB, "n3", "keeper", PASSWORD)
