# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hostlab.errors import LabError
from hostlab.subnets import MAX_HOSTS, RANGES4, Subnets, choose, in_use, mac


def test_a_name_has_one_subnet_and_names_differ() -> None:
    assert choose("demo", False, []) == choose("demo", False, [])
    assert choose("demo", False, []).v4 != choose("dev", False, []).v4
    assert choose("demo", False, []).v4.subnet_of(RANGES4[0])


def test_ipv6_does_not_move_ipv4() -> None:
    both = choose("demo", True, [])
    assert both.v4 == choose("demo", False, []).v4
    assert both.v6 is not None
    assert both.v6.prefixlen == 64
    assert both.v6.is_private


@pytest.mark.parametrize("prefix", [16, 24, 25, 32])
def test_moves_aside_for_an_overlap_of_any_size(prefix: int) -> None:
    first = choose("demo", False, []).v4
    taken = ip_network(f"{first.network_address}/{prefix}", strict=False)
    moved = choose("demo", False, [taken]).v4
    assert not moved.overlaps(taken)


def test_ipv6_moves_aside_too() -> None:
    first = choose("demo", True, []).v6
    assert first is not None
    moved = choose("demo", True, [first])
    assert moved.v6 not in (first, None)
    assert moved.v4 == choose("demo", True, []).v4


def test_a_routed_10_8_leads_to_another_range_and_a_default_route_does_not() -> None:
    assert choose("demo", False, [IPv4Network("10.0.0.0/8")]).v4.subnet_of(RANGES4[1])
    assert choose("demo", False, [IPv4Network("0.0.0.0/0")]) == choose("demo", False, [])


def test_nothing_free_says_what_was_tried() -> None:
    with pytest.raises(LabError, match=r"no free subnet for lab 'demo'.*10\.89\.0\.0/16"):
        choose("demo", False, RANGES4)
    with pytest.raises(LabError, match="fd89:6d71"):
        choose("demo", True, [IPv6Network("fd00::/8")])


def test_addresses_are_fixed_by_number() -> None:
    nets = Subnets(IPv4Network("10.89.7.0/24"), IPv6Network("fd89::/64"))
    assert (nets.gateway, nets.address4(1), nets.address6(1)) == (
        "10.89.7.1",
        "10.89.7.11",
        "fd89::b",
    )
    assert nets.address4(MAX_HOSTS) == "10.89.7.210"
    assert Subnets(nets.v4).address6(1) is None


def test_mac_is_local_unicast_and_one_per_address() -> None:
    assert mac("10.89.7.11") == "02:89:0a:59:07:0b"
    assert int(mac("10.89.7.11")[:2], 16) & 3 == 2


def test_in_use_reads_addresses_and_routes() -> None:
    addresses: list[dict[str, object]] = [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
        {"ifname": "eth0", "addr_info": [{"local": "192.0.2.2", "prefixlen": 24}, {}]},
        {"ifname": "down0", "addr_info": []},
    ]
    routes: list[dict[str, object]] = [
        {"dst": "default", "gateway": "192.0.2.1"},
        {"dst": "10.89.3.0/24", "dev": "br0"},
        {"dst": "10.89.4.9", "dev": "wg0"},
        {"type": "unreachable", "dst": "fd00::/8"},
        {"dst": "fd89::/64", "dev": "br0"},
    ]
    assert [str(net) for net in in_use(addresses, routes)] == [
        "127.0.0.0/8",
        "192.0.2.0/24",
        "10.89.3.0/24",
        "10.89.4.9/32",
        "fd89::/64",
    ]
