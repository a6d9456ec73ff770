# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Cores, replicants and the licence, by the example of the documentation, test after test."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
import urllib.request
from pathlib import Path
from unittest import mock

import pytest
import yaml
from lab_hosts import ROOT, scenario_lab
from licenses import key_for
from operations import changed, done, is_ready, refused, together, wait_for

LAB = scenario_lab()
CORES, REPLICANTS = ("n1", "n2"), ("n3", "n4")
GIVEN = os.environ.get("EMQX_LICENSE_KEY", "")
WRITE = "mqttops.emqx.emqx : Write the configuration that EMQX accepts"
LET_IN = {
    "mqttops.emqx.emqx : Write the rules that nft accepts, and the unit that loads them at boot",
    "mqttops.emqx.emqx : Load the rules, now and at boot",
}


FIRST, SECOND = key_for("First"), key_for("Second")


def example(folder: Path, hosts: t.Collection[str], own: t.Mapping[str, t.Any]) -> Path:
    """Write the example's inventory with the lab's hosts in the place of its own."""
    found = yaml.safe_load((ROOT / "docs/examples/replicants.yml").read_text("utf-8"))["emqx"]
    lab_hosts = iter((*CORES, *REPLICANTS))
    for group in found["children"].values():
        names = [next(lab_hosts) for _host in group["hosts"]]
        group["hosts"] = {name: own.get(name, {}) for name in names if name in hosts}
    del found["vars"]["ansible_user"]
    path = folder / "example.json"
    path.write_text(json.dumps({"fleet": found}), encoding="utf-8")
    return path


def run(
    playbook: str,
    folder: Path,
    *more: str,
    hosts: t.Collection[str] = ("n1", "n2", "n3"),
    own: t.Mapping[str, t.Any] | None = None,
    license_key: str = FIRST,
    **variables: t.Any,
) -> subprocess.CompletedProcess[str]:
    inventories = [
        f"--inventory={path}"
        for path in (ROOT / "tests/inventory/enterprise.yml", example(folder, hosts, own or {}))
    ]
    variables = {
        "emqx_cluster_group": "fleet",
        "emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1", "EMQX_STANDIN_LICENSE_SECONDS": "2"},
        **variables,
    }
    with mock.patch.dict(os.environ, EMQX_LICENSE_KEY=license_key):
        result = LAB.playbook(f"mqttops.emqx.{playbook}", *inventories, *more, **variables)
    assert not license_key or license_key not in result.stdout + result.stderr
    return result


def unit(host: str, field: str) -> str:
    command = f"systemctl show --value --property={field} emqx.service"
    return str(LAB.hosts[host].check_output(command))


def topology() -> dict[str, list[str]]:
    """Return which core serves which replicants, as the dashboard has it."""
    url = f"http://{LAB.addresses['n1']}:18083/api/v5"
    kept = ROOT / ".cache" / "lab" / LAB.name / "emqxcl.dashboard-password"
    password = kept.read_text(encoding="utf-8").split()[0]
    body = json.dumps({"username": "admin", "password": password}).encode()
    login = urllib.request.Request(f"{url}/login", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(login, timeout=10) as answer:
        token = json.load(answer)["token"]
    asked = urllib.request.Request(
        f"{url}/cluster/topology", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return {
            row["core_node"]: [node["node"] for node in row["replicant_nodes"]]
            for row in json.load(answer)
        }


def served() -> list[str]:
    return sorted(name for names in topology().values() for name in names)


def license_info(host: str) -> str:
    return str(LAB.emqx(host, "ctl", "license", "info").stdout)


def test_all_that_speaks_against_it_is_said_at_once(tmp_path: Path) -> None:
    own = {"n4": {"emqx_version": "5.10.3"}}
    text = refused(run("site", tmp_path, hosts=(*CORES, *REPLICANTS), own=own, license_key=""))
    assert "Nothing was changed: 3 findings are in the way." in text
    assert "ERROR [package_version] Host n4, emqx_version" in text
    assert "ERROR [license_needed] Cluster, emqx_license" in text
    nodes = "n1, n2, n3, n4"
    assert f"none or default, the community licence for a single node, on {nodes}" in text
    assert "ERROR [replicant_version] Host n4, emqx_version" in text
    assert "found: 5.10.3" in text
    for host in LAB.addresses:
        assert not LAB.hosts[host].file(f"{LAB.root}/releases").exists


def test_build(tmp_path: Path) -> None:
    done(run("site", tmp_path, "-vvv", "--diff"))
    together(LAB, "n1", "n2", "n3")
    assert all(is_ready(LAB, host) for host in ("n1", "n2", "n3"))
    assert set(topology()) == {LAB.node_name(host) for host in CORES}
    assert served() == [LAB.node_name("n3")]
    started = {
        host: int(unit(host, "ExecMainStartTimestampMonotonic")) for host in ("n1", "n2", "n3")
    }
    assert started["n3"] > max(started[host] for host in CORES)


@pytest.mark.parametrize("host", ["n1", "n2", "n3"])
def test_the_licence_is_nowhere_but_in_its_file(host: str) -> None:
    path = "/etc/mqttops-emqx/emqxcl/license"
    stored = LAB.hosts[host].file(path)
    assert (stored.mode, stored.user, stored.content_string) == (0o600, "emqx", FIRST)
    # The file itself is the pattern: as an argument the key would be in the log of sudo.
    places = f"/etc /run /tmp {LAB.etc} {LAB.data} /var/log /root /home"
    found = LAB.hosts[host].run(f"grep --recursive --files-with-matches -aF -f {path} {places}")
    assert found.stdout.split() == [path]
    logged = f"journalctl --quiet --no-pager --output=cat | grep -cF -f {path}"
    assert LAB.hosts[host].run(logged).stdout.strip() == "0"


def test_a_node_keeps_its_role(tmp_path: Path) -> None:
    before = unit("n2", "MainPID")
    text = refused(run("site", tmp_path, own={"n2": {"emqx_node_role": "replicant"}}))
    assert "ERROR [role_change] Host n2, emqx_node_role" in text
    assert "expected: a node that keeps its role" in text
    assert unit("n2", "MainPID") == before


def test_another_replicant_and_another_licence_restart_nobody(tmp_path: Path) -> None:
    before = {host: unit(host, "MainPID") for host in ("n1", "n2", "n3")}
    given: dict[str, t.Any] = {
        "hosts": (*CORES, *REPLICANTS),
        "license_key": SECOND,
        "emqx_new_hosts": "n4",
    }
    output = done(run("add_node", tmp_path, "--diff", **given))
    together(LAB, *CORES, *REPLICANTS)
    assert served() == sorted(LAB.node_name(host) for host in REPLICANTS)
    assert LAB.addresses["n4"] in LAB.hosts["n1"].check_output("nft list ruleset")
    # Members let it in and get the licence, and nothing else is changed there.
    tasks = {task for task, host in changed(output) if host in before}
    assert tasks == LET_IN | (set() if GIVEN else {WRITE})
    assert {host: unit(host, "MainPID") for host in before} == before
    for host in LAB.hosts.values():
        assert host.file("/etc/mqttops-emqx/emqxcl/license").mode == 0o600
    customer = "" if GIVEN else "Second"
    wait_for(lambda: all(customer in license_info(host) for host in before), 30)


def test_status_shows_the_core_of_each_replicant(tmp_path: Path) -> None:
    output = done(run("status", tmp_path, hosts=(*CORES, *REPLICANTS), emqx_status_strict=True))
    for core, replicants in topology().items():
        for name in replicants:
            (line,) = [line for line in output.splitlines() if f" {name} " in line]
            assert f"replicant of {core} " in line


def test_remove_a_replicant(tmp_path: Path) -> None:
    given: dict[str, t.Any] = {
        "hosts": (*CORES, *REPLICANTS),
        "license_key": SECOND,
        "emqx_remove_hosts": "n4",
    }
    done(run("remove_node", tmp_path, **given))
    together(LAB, "n1", "n2", "n3")
    assert (unit("n4", "ActiveState"), unit("n4", "UnitFileState")) == ("inactive", "disabled")
    assert LAB.addresses["n4"] not in LAB.hosts["n1"].check_output("nft list ruleset")
    # Nothing else is left to do.
    assert changed(done(run("site", tmp_path, license_key=SECOND))) == set()
