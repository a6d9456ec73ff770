# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from model_builders import cluster, listener, node

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import (
    Rule,
    client_ports,
    dashboard_ports,
    networks,
    rules,
)

MEMBERS = ("10.0.0.1", "10.0.0.2")
TWO = node("n1", "10.0.0.1"), node("n2", "10.0.0.2")
Opened = t.List[t.Tuple[int, t.Tuple[str, ...]]]


@pytest.mark.parametrize(
    ("nodes", "settings", "expected"),
    [
        pytest.param(TWO, {}, [(4370, MEMBERS), (5370, MEMBERS)], id="stateless"),
        pytest.param(
            [node("n1", "10.0.0.1", rpc_port=5369), TWO[1]],
            {},
            [(4370, MEMBERS), (5369, MEMBERS)],
            id="manual",
        ),
        pytest.param(
            [
                node("n1", "10.0.0.1"),
                node("n1b", "10.0.0.1", 1),
                node("n2", "10.0.0.2", 7),
            ],
            {},
            [(4370, MEMBERS), (5370, MEMBERS), (4371, MEMBERS), (5371, MEMBERS)],
            id="all nodes of this server, none of others",
        ),
        pytest.param(
            [
                node(
                    "n1", "n1.example", host_is_ip=False, addresses=("FD00::0001", *MEMBERS[:1] * 2)
                )
            ],
            {},
            [(4370, ("10.0.0.1", "fd00::1")), (5370, ("10.0.0.1", "fd00::1"))],
            id="both families, once",
        ),
        pytest.param(
            [node("n1", "10.0.0.1", listener_ports=(8883, 1883))],
            {
                "firewall_listener_networks": ("10.9.8.7/8", "10.1.0.0/16", "2001:db8::/32"),
                "firewall_dashboard_networks": ("192.0.2.0/24",),
            },
            [
                (4370, ("10.0.0.1",)),
                (5370, ("10.0.0.1",)),
                (1883, ("10.0.0.0/8", "2001:db8::/32")),
                (8883, ("10.0.0.0/8", "2001:db8::/32")),
                (18083, ("192.0.2.0/24",)),
            ],
            id="named networks",
        ),
        pytest.param(
            [node("n1", "10.0.0.1", listener_ports=(4370,))],
            {"firewall_listener_networks": ("0.0.0.0/0",)},
            [(4370, ("10.0.0.1",)), (5370, ("10.0.0.1",))],
            id="a cluster port is never a listener's",
        ),
        pytest.param(
            [
                node("n1", "10.0.0.1", 1, dashboard_ports=(18093,)),
                node("n1b", "10.0.0.1", 2, dashboard_ports=(18103,)),
            ],
            {"firewall_dashboard_networks": ("192.0.2.0/24",)},
            [
                *((port, ("10.0.0.1",)) for port in (4371, 5371, 4372, 5372)),
                *((port, ("192.0.2.0/24",)) for port in (18093, 18103)),
            ],
            id="dashboards of all instances",
        ),
    ],
)
def test_ports_and_sources(
    nodes: t.Sequence[Node], settings: dict[str, t.Any], expected: Opened
) -> None:
    nodes = list(nodes)
    found = rules(cluster(*nodes), Settings(**settings), nodes[0])
    assert [(rule.port, rule.sources) for rule in found] == expected


def test_a_rule_says_what_it_is_for() -> None:
    settings = Settings(firewall_dashboard_networks=("192.0.2.0/24",))
    assert rules(cluster(*TWO), settings, TWO[1]) == (
        Rule(4370, "tcp", MEMBERS, "Erlang distribution of emqx@10.0.0.2"),
        Rule(5370, "tcp", MEMBERS, "RPC of emqx@10.0.0.2"),
        Rule(18083, "tcp", ("192.0.2.0/24",), "dashboard and REST API"),
    )


LISTENERS = (
    listener("tcp:default", 2883),
    listener("quic:default", 14567, protocol="udp"),
    listener("ssl:default", 8883, enabled=False),
    listener("coap:udp:default", 5683, protocol="udp"),
    listener("dashboard:https", 18084),
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param((), [(2883, "tcp"), (14567, "udp"), (5683, "udp")], id="all that is enabled"),
        pytest.param((2883, 5683), [(2883, "tcp"), (5683, "udp")], id="the protocol of each"),
        pytest.param((9999, 14567), [(14567, "udp"), (9999, "tcp")], id="what nobody knows"),
    ],
)
def test_the_ports_of_clients(given: tuple[int, ...], expected: list[tuple[int, str]]) -> None:
    one = node("n1", "10.0.0.1", listeners=LISTENERS, listener_ports=given, dashboard_ports=())
    assert client_ports(one) == expected
    assert dashboard_ports(one) == [(18084, "tcp")]


def test_a_port_may_be_guarded_for_both_protocols() -> None:
    both = tuple(listener(f"stomp:{name}", 1884, protocol=name) for name in ("tcp", "udp"))
    one = node("n1", "10.0.0.1", listeners=both, listener_ports=(1884,))
    settings = Settings(firewall_listener_networks=("10.0.0.0/8",))
    found = rules(cluster(one), settings, one)[2:]
    assert [(rule.port, rule.protocol) for rule in found] == [(1884, "tcp"), (1884, "udp")]


@pytest.mark.parametrize("source", ["10.0.0.0/33", "n1.example", "", "fe80::1%eth0/64"])
def test_what_is_no_source_is_left_out(source: str) -> None:
    assert networks((source, "10.0.0.1")) == ("10.0.0.1",)


def test_sources_that_are_none_open_nothing() -> None:
    one = node("n1", "10.0.0.1", listener_ports=(1883,))
    found = rules(cluster(one), Settings(firewall_listener_networks=("clients",)), one)
    assert found[-1] == Rule(1883, "tcp", (), "clients")


def test_a_thousand_members_are_no_work() -> None:
    addresses = tuple(f"10.0.{i // 250}.{i % 250}" for i in range(1000))
    assert networks(addresses[::-1]) == addresses
