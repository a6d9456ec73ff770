# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a firewall manager lets through, tried from outside by real connections.

Hosts n1 to n3 are members, n4 is a client and the machine of the lab the place of an
administrator, by the networks in tests/inventory/members.yml. The tests follow one another.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from lab_hosts import ROOT, scenario_lab
from reach import Watches, reach

LAB = scenario_lab()
MANAGER = os.environ["MOLECULE_SCENARIO_NAME"]
MEMBERS = ["n1", "n2", "n3"]
CLIENT = "n4"
CLUSTER_PORTS = (4370, 5370)
HERE = ROOT / "tests/support/firewall"
FOREIGN = yaml.safe_load((HERE / "managers.yml").read_text(encoding="utf-8"))[MANAGER]["foreign"]
ADDRESSES6 = {
    host: variables["lab_address6"]
    for host, variables in yaml.safe_load(LAB.inventory.read_text(encoding="utf-8"))["lab"][
        "hosts"
    ].items()
}
OURS = {
    "firewalld": "(firewall-cmd --list-rich-rules; cat /etc/firewalld/zones/*.xml)"
    " | grep -E 'priority=\"-43(70|69)\"'",
    "ufw": "ufw status | grep mqttops.emqx",
}[MANAGER]


def playbook(name: str, *arguments: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
    members = f"--inventory={ROOT}/tests/inventory/members.yml"
    return LAB.playbook(name, members, *arguments, emqx_cluster_group="members", **variables)


def phase(hosts: t.Sequence[str], *arguments: str, **variables: t.Any) -> str:
    """Run the firewall phase for a cluster of these hosts and return what it printed."""
    variables["emqx_cluster_hosts"] = list(hosts)
    result = playbook(str(HERE / "phase.yml"), *arguments, **variables)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def assert_foreign_rules_are_untouched(hosts: t.Sequence[str]) -> None:
    for host in hosts:
        now = LAB.hosts[host].check_output(FOREIGN)
        assert now == LAB.hosts[host].check_output("cat /root/foreign-rules")


def from_here(port: int) -> set[str]:
    """Return on which members this machine, at the place of an administrator, reaches a port."""

    def tried(host: str) -> bool:
        try:
            socket.create_connection((LAB.addresses[host], port), timeout=2).close()
        except OSError:
            return False
        return True

    with ThreadPoolExecutor() as pool:
        return {host for host, yes in zip(MEMBERS, pool.map(tried, MEMBERS)) if yes}


@pytest.mark.parametrize("source", MEMBERS)
def test_members_reach_one_another(source: str) -> None:
    others = [LAB.addresses[host] for host in MEMBERS]
    targets = [(address, port) for address in others for port in CLUSTER_PORTS]
    assert reach(LAB, source, targets) == dict.fromkeys(targets, "open")
    # Nothing listens there on IPv6: what is let in is refused.
    targets = [(ADDRESSES6[host], port) for host in MEMBERS for port in CLUSTER_PORTS]
    expected = {
        target: "refused" if source in ("n3", host) else "filtered"
        for host, target in zip([host for host in MEMBERS for _port in CLUSTER_PORTS], targets)
    }
    assert reach(LAB, source, targets) == expected


def test_others_are_kept_out_of_the_cluster_ports() -> None:
    addresses = [*(LAB.addresses[host] for host in MEMBERS), *(ADDRESSES6[h] for h in MEMBERS)]
    targets = [(address, port) for address in addresses for port in CLUSTER_PORTS]
    assert reach(LAB, CLIENT, targets) == dict.fromkeys(targets, "filtered")
    for port in CLUSTER_PORTS:
        assert from_here(port) == set()


def test_clients_and_administrators_reach_their_ports_only() -> None:
    mqtt = [(LAB.addresses[host], 1883) for host in MEMBERS]
    assert reach(LAB, CLIENT, mqtt) == dict.fromkeys(mqtt, "open")
    assert from_here(1883) == set()
    # Closed to the client although a rule of somebody else opens it to all.
    dashboards = [(LAB.addresses[host], 18083) for host in MEMBERS]
    assert reach(LAB, CLIENT, dashboards) == dict.fromkeys(dashboards, "filtered")
    assert from_here(18083) == set(MEMBERS)


def test_ssh_and_foreign_rules_are_untouched() -> None:
    ssh = [(LAB.addresses[host], 22) for host in MEMBERS]
    assert reach(LAB, CLIENT, ssh) == dict.fromkeys(ssh, "open")
    assert_foreign_rules_are_untouched(MEMBERS)


def test_a_member_that_departs_and_one_that_comes() -> None:
    target = (LAB.addresses["n1"], 4370)
    # A packet lost while ufw loads its rules is sent again after a second.
    with Watches(LAB, target, {"n2": 3.5, CLIENT: 0.3}) as watches:
        phase(["n1", "n2"])
        assert reach(LAB, "n2", [target]) == {target: "open"}
        assert reach(LAB, "n3", [target]) == {target: "filtered"}
        for host in ("n1", "n2"):
            rules = LAB.hosts[host].check_output(OURS)
            assert LAB.addresses["n2"] in rules
            assert LAB.addresses["n3"] not in rules
            assert ADDRESSES6["n3"] not in rules
        phase(MEMBERS)
        assert reach(LAB, "n3", [target]) == {target: "open"}
    assert min(watches.attempts.values()) > 10
    assert watches.let_in["n2"] == watches.attempts["n2"]
    assert watches.let_in[CLIENT] == 0
    assert_foreign_rules_are_untouched(MEMBERS)


def test_from_one_back_end_to_another() -> None:
    host = LAB.hosts["n1"]

    def switch(backend: str) -> str:
        return phase(MEMBERS, "--limit=n1", emqx_firewall_backend=backend)

    switch("nftables")
    assert host.run(OURS).stdout == ""
    assert "4370" in host.check_output("nft list table inet mqttops_emqx")

    shown = switch("none")
    assert f"purpose: Erlang distribution of {LAB.node_name('n1')}" in shown
    assert f"- {LAB.addresses['n2']}\n" in shown
    assert host.run("nft list table inet mqttops_emqx").rc != 0
    assert not host.file("/etc/mqttops-emqx/firewall.nft").exists

    switch("auto")
    assert LAB.addresses["n2"] in host.check_output(OURS)
    assert host.run("nft list table inet mqttops_emqx").rc != 0
    assert_foreign_rules_are_untouched(MEMBERS)


def test_a_manager_that_is_not_at_work_is_refused() -> None:
    other = {"firewalld": "ufw", "ufw": "firewalld"}[MANAGER]
    variables: dict[str, t.Any] = {"emqx_cluster_hosts": MEMBERS, "phase": "preflight"}
    result = playbook(str(HERE / "phase.yml"), **variables, emqx_firewall_backend=other)
    shown = " ".join((result.stdout + result.stderr).split())
    assert result.returncode != 0
    assert f"expected {other} at work" in shown
    assert f"found {MANAGER} at work" in shown
    assert "changed=1" not in shown


def test_a_rebooted_host_keeps_its_rules() -> None:
    host = MEMBERS[-1]
    before = LAB.hosts[host].check_output(OURS + " | sort")
    lab = [sys.executable, str(ROOT / "tests/lab/lab.py"), "restart", host, "--name", LAB.name]
    subprocess.run(lab, check=True, capture_output=True)
    assert LAB.hosts[host].check_output(OURS + " | sort") == before
    targets = [(LAB.addresses[host], port) for port in CLUSTER_PORTS]
    deadline = time.monotonic() + 120
    while reach(LAB, "n1", targets) != dict.fromkeys(targets, "open"):
        assert time.monotonic() < deadline, "the node is not up again"
        time.sleep(0.5)
    assert reach(LAB, CLIENT, targets) == dict.fromkeys(targets, "filtered")
