# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A cluster over IPv6, seen from every host and from outside."""

from __future__ import annotations

import re
import socket

import pytest
from lab_hosts import scenario_lab
from operations import has_finding, refused

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
FQDN = {host: f"{host}.{LAB.name}.lab" for host in HOSTS}
MEMBERS = sorted(f"emqx@{fqdn}" for fqdn in FQDN.values())


def address6(host: str) -> str:
    """Return the address that the lab's DNS has for a host."""
    shown = LAB.hosts[HOSTS[0]].check_output(f"getent ahostsv6 {FQDN[host]}")
    return str(shown.split()[0])


ADDRESSES6 = {host: address6(host) for host in HOSTS}


def dial(source: str, address: str, port: int) -> int:
    """Return the exit code of a TCP connection: 0 is a connection, 124 is no answer."""
    command = f"timeout 3 bash -c '</dev/tcp/{address}/{port}'"
    return int(LAB.hosts[source].run(command).rc)


@pytest.mark.parametrize("host", HOSTS)
def test_every_member_sees_exactly_the_members(host: str) -> None:
    assert LAB.view(host) == {"running_nodes": MEMBERS, "stopped_nodes": []}


@pytest.mark.parametrize("host", HOSTS)
def test_sockets_are_those_of_ipv6(host: str) -> None:
    shown = LAB.hosts[host].check_output("ss -Hltn6")
    ports = {int(port) for port in re.findall(r"(?:\*|\[::\]):(\d+) ", shown)}
    assert {4370, 5370, 1883, 18083} <= ports
    only_v4 = LAB.hosts[host].check_output("ss -Hltn4")
    assert not re.findall(r":(4370|5370|1883|18083) ", only_v4)


@pytest.mark.parametrize("host", HOSTS)
def test_members_are_connected_over_ipv6(host: str) -> None:
    shown = LAB.hosts[host].check_output(
        "ss -Htn state established '( sport = :4370 or dport = :4370 )'"
    )
    ends = {peer.partition("%")[0] for peer in re.findall(r"\[([0-9a-f:]+)[^]]*\]:\d+", shown)}
    assert set(ADDRESSES6.values()) <= ends
    assert not [address for address in LAB.addresses.values() if address in shown]


def test_nothing_but_ipv6_is_left_between_members() -> None:
    source, target = HOSTS[0], HOSTS[1]
    for port in (4370, 5370):
        assert dial(source, LAB.addresses[target], port) == 124
        assert dial(source, ADDRESSES6[target], port) == 0


def test_others_are_filtered_from_the_cluster_ports() -> None:
    # This machine is on the hosts' network and no member.
    for address in (*ADDRESSES6.values(), *LAB.addresses.values()):
        for port in (4370, 5370):
            with pytest.raises(TimeoutError):
                socket.create_connection((address, port), timeout=1)


def test_others_reach_the_listeners_over_both() -> None:
    for address in (*ADDRESSES6.values(), *LAB.addresses.values()):
        for port in (1883, 18083):
            socket.create_connection((address, port), timeout=2).close()


def test_a_name_of_the_other_family_is_refused() -> None:
    shown = refused(
        LAB.playbook(
            "mqttops.emqx.site", emqx_proto_dist="inet6_tcp", emqx_node_address="{{ ansible_host }}"
        )
    )
    words = "expected: an IPv6 address with emqx_proto_dist inet6_tcp"
    for host in HOSTS:
        assert has_finding(shown, "address_family", f"Host {host}, emqx_node_", words)
    assert "Nothing was changed:" in shown
