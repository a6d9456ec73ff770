# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a firewall manager lets through, tried from outside by real connections.

Hosts n1 and n2 are members, n3 is to become one, n4 is a client and the machine of the lab the
place of an administrator, by the networks in tests/inventory/members.yml. The tests follow one
another.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import typing as t
from concurrent.futures import ThreadPoolExecutor

import yaml
from lab_hosts import ROOT, scenario_lab
from operations import changed, done, has_finding, is_ready, refused, together, wait_for
from reach import Watches, reach

LAB = scenario_lab()
MANAGER = os.environ["MOLECULE_SCENARIO_NAME"]
MEMBERS = ["n1", "n2"]
NEW_HOST = "n3"
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
    return done(playbook(str(HERE / "phase.yml"), *arguments, **variables))


def assert_foreign_rules_are_untouched() -> None:
    for host in MEMBERS:
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


def test_members_reach_one_another() -> None:
    together(LAB, *MEMBERS)
    addresses = [LAB.addresses[host] for host in MEMBERS]
    targets = [(address, port) for address in addresses for port in CLUSTER_PORTS]
    # Nothing listens there on IPv6: what is let in is refused.
    targets6 = [(ADDRESSES6[host], port) for host in MEMBERS for port in CLUSTER_PORTS]
    for source in MEMBERS:
        expected = dict.fromkeys(targets, "open")
        for target in targets6:
            own = target[0] == ADDRESSES6[source]
            expected[target] = "refused" if own or source == "n2" else "filtered"
        assert reach(LAB, source, [*targets, *targets6]) == expected


def test_others_reach_what_is_for_them() -> None:
    addresses = [*(LAB.addresses[host] for host in MEMBERS), *(ADDRESSES6[h] for h in MEMBERS)]
    expected = {(address, port): "filtered" for address in addresses for port in CLUSTER_PORTS}
    for host in MEMBERS:
        open_ports = {22: "open", 1883: "open"}
        # Closed to the client although a rule of somebody else opens it to all.
        for port, state in {**open_ports, 18083: "filtered"}.items():
            expected[LAB.addresses[host], port] = state
    assert reach(LAB, CLIENT, list(expected)) == expected
    assert {port: from_here(port) for port in (*CLUSTER_PORTS, 1883)} == {
        port: set() for port in (*CLUSTER_PORTS, 1883)
    }
    assert from_here(18083) == set(MEMBERS)
    assert_foreign_rules_are_untouched()


def test_a_member_that_comes_and_one_that_departs() -> None:
    target = (LAB.addresses["n1"], 4370)
    # A packet lost while ufw loads its rules is sent again after a second.
    with Watches(LAB, target, {"n2": 3.5, CLIENT: 0.3}) as watches:
        assert reach(LAB, NEW_HOST, [target]) == {target: "filtered"}
        phase([*MEMBERS, NEW_HOST])
        assert reach(LAB, NEW_HOST, [target]) == {target: "open"}
        phase(MEMBERS)
        assert reach(LAB, NEW_HOST, [target]) == {target: "filtered"}
        assert reach(LAB, "n2", [target]) == {target: "open"}
        for host in MEMBERS:
            rules = LAB.hosts[host].check_output(OURS)
            assert LAB.addresses["n2"] in rules
            assert LAB.addresses[NEW_HOST] not in rules
    assert min(watches.attempts.values()) > 10
    assert watches.let_in["n2"] == watches.attempts["n2"]
    assert watches.let_in[CLIENT] == 0
    assert_foreign_rules_are_untouched()


def test_a_back_end_that_cannot_be_is_refused() -> None:
    wanted = {"firewalld": "iptables", "ufw": "firewalld"}[MANAGER]
    shown = refused(playbook("mqttops.emqx.site", emqx_firewall_backend=wanted))
    code, words = {
        "ufw": ("firewall_inactive", ("expected: firewalld at work", "found: ufw at work")),
        "firewalld": ("bad_choice", ("expected: one of auto, nftables", "iptables")),
    }[MANAGER]
    for host in MEMBERS:
        assert has_finding(shown, code, f"Host {host}, emqx_firewall_backend", *words)


def test_from_one_back_end_to_another() -> None:
    host = LAB.hosts["n1"]
    table = "nft list table inet mqttops_emqx"

    def switch(backend: str) -> str:
        return phase(MEMBERS, "--limit=n1", emqx_firewall_backend=backend)

    # Each of the two that need no manager is left again in one of the scenarios.
    if MANAGER == "firewalld":
        shown = switch("none")
        assert f"purpose: Erlang distribution of {LAB.node_name('n1')}" in shown
        assert f"- {LAB.addresses['n2']}\n" in shown
    else:
        switch("nftables")
        assert "4370" in host.check_output(table)
    assert host.run(OURS).stdout == ""

    switch("auto")
    assert LAB.addresses["n2"] in host.check_output(OURS)
    assert host.run(table).rc != 0
    assert not host.file("/etc/mqttops-emqx/firewall.nft").exists
    assert_foreign_rules_are_untouched()


def test_a_rebooted_host_keeps_its_rules() -> None:
    ours = OURS + " | sort"
    before = LAB.hosts["n2"].check_output(ours)
    lab = [sys.executable, str(ROOT / "tests/lab/lab.py"), "restart", "n2", "--name", LAB.name]
    subprocess.run(lab, check=True, capture_output=True)
    assert LAB.hosts["n2"].check_output(ours) == before
    wait_for(lambda: is_ready(LAB, "n2"), 120)
    targets = [(LAB.addresses["n2"], port) for port in CLUSTER_PORTS]
    assert reach(LAB, "n1", targets) == dict.fromkeys(targets, "open")
    assert reach(LAB, CLIENT, targets) == dict.fromkeys(targets, "filtered")
    # And there is nothing to do on it.
    assert changed(done(playbook("mqttops.emqx.site"))) == set()
