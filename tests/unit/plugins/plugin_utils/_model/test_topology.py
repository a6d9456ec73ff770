# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import ports as _ports
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import topology

Member = t.Dict[str, t.Any]
Settings = t.Dict[str, t.Any]
STATELESS = {"port_discovery": "stateless"}


def three(**changes: t.Any) -> list[Member]:
    """Return three sound members; ``changes`` apply to the last."""
    members: list[Member] = [
        {"inventory_host": f"n{n}", "ansible_host": f"10.0.0.{n}"} for n in (1, 2, 3)
    ]
    members[2].update(changes)
    return members


def errors(members: list[Member], settings: Settings | None = None) -> list[tuple[str, str]]:
    return pairs(topology.build(members, settings or {})["errors"])


def warnings(members: list[Member], settings: Settings | None = None) -> list[tuple[str, str]]:
    return pairs(topology.build(members, settings or {})["warnings"])


def pairs(findings: list[dict[str, str]]) -> list[tuple[str, str]]:
    for finding in findings:
        assert set(finding) == {
            "code",
            "host",
            "variable",
            "expected",
            "found",
            "remedy",
            "message",
        }
        assert all(isinstance(value, str) for value in finding.values())
        for part in ("host", "variable", "expected", "found", "remedy"):
            assert finding[part] in finding["message"]
        assert finding["message"].endswith(".") and not finding["message"].endswith("..")
        assert finding["expected"] and finding["found"] and finding["remedy"]
    return [(finding["code"], finding["host"]) for finding in findings]


class TestIpv6:
    @pytest.mark.parametrize("proto_dist", ["inet6_tcp", "inet6_tls"])
    @pytest.mark.parametrize("version", ["", "5.4.0", "5.8.9", "6.0.0"])
    def test_the_rpc_port_goes_along(self, proto_dist: str, version: str) -> None:
        model = topology.build(three(), {"proto_dist": proto_dist, "version": version})
        assert model["ipv6"] is True
        assert model["rpc"] == {**STATELESS, "listen_address": "::", "ipv6_only": True}

    def test_not_where_emqx_has_no_key_for_it(self) -> None:
        model = topology.build(three(), {"proto_dist": "inet6_tcp", "version": "5.3.2"})
        assert (model["ipv6"], model["rpc"]) == (True, STATELESS)

    @pytest.mark.parametrize("proto_dist", ["inet_tcp", "inet_tls"])
    def test_not_over_ipv4(self, proto_dist: str) -> None:
        model = topology.build(three(), {"proto_dist": proto_dist, "version": "5.8.9"})
        assert (model["ipv6"], model["rpc"]) == (False, STATELESS)


class TestRpc:
    @pytest.mark.parametrize(
        ("version", "tls", "discovery", "keys"),
        [
            ("5.8.9", False, "stateless", {}),
            ("5.8.9", True, "stateless", {"protocol": "ssl"}),
            ("5.0.26", True, "stateless", {"protocol": "ssl"}),
            ("5.0.25", True, "stateless", {"driver": "ssl"}),
            ("", True, "stateless", {"protocol": "ssl"}),
            ("5.8.0", True, "manual", {"protocol": "ssl", "server_port": 7000}),
            ("5.7.2", False, "manual", {"tcp_server_port": 7000}),
            ("5.7.2", True, "manual", {"protocol": "ssl", "ssl_server_port": 7000}),
        ],
    )
    def test_keys_by_version(
        self, version: str, tls: bool, discovery: str, keys: dict[str, t.Any]
    ) -> None:
        settings = {
            "version": version,
            "rpc_tls": tls,
            "rpc_port_discovery": discovery,
            "rpc_server_port": 7000,
        }
        model = topology.build(three(), settings)
        assert model["rpc"] == {"port_discovery": discovery, **keys}


class TestModel:
    def test_defaults(self) -> None:
        model = topology.build(three(emqx_node_role="replicant"), {"discovery_strategy": "static"})
        assert model == {
            "nodes": {
                "n1": {
                    "name": "emqx@10.0.0.1",
                    "short_name": "emqx",
                    "host": "10.0.0.1",
                    "inventory_host": "n1",
                    "server": "10.0.0.1",
                    "role": "core",
                    "offset": 0,
                    "dist_port": 4370,
                    "rpc_port": 5370,
                    "rpc_port_stateless": 5370,
                    "rpc_port_manual": 5369,
                    "addresses": ["10.0.0.1"],
                    "host_is_ip": True,
                    "ip_version": 4,
                    "version": "",
                    "license": "default",
                    "instance": 0,
                    "listeners": {
                        "tcp": 1883,
                        "ssl": 8883,
                        "ws": 8083,
                        "wss": 8084,
                        "dashboard": 18083,
                    },
                    "listener_ports": [1883, 8083, 8084, 8883],
                    "dashboard_ports": [18083],
                },
                "n2": model["nodes"]["n2"],
                "n3": model["nodes"]["n3"],
            },
            "members": ["emqx@10.0.0.1", "emqx@10.0.0.2", "emqx@10.0.0.3"],
            "cores": ["emqx@10.0.0.1", "emqx@10.0.0.2"],
            "replicants": ["emqx@10.0.0.3"],
            "seeds": ["emqx@10.0.0.1", "emqx@10.0.0.2"],
            "cluster_ports": [4370, 5370],
            "addresses": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
            "ipv6": False,
            "rpc": STATELESS,
            "discovery": {"static": {"seeds": ["emqx@10.0.0.1", "emqx@10.0.0.2"]}},
            "errors": [],
            "warnings": model["warnings"],
        }
        assert pairs(model["warnings"]) == [("even_cores", "")]

    @pytest.mark.parametrize(
        ("member", "name", "server", "addresses"),
        [
            ({}, "emqx@n1.example", "n1.example", []),
            ({"ansible_host": "10.0.0.9"}, "emqx@10.0.0.9", "10.0.0.9", ["10.0.0.9"]),
            (
                {"ansible_host": "10.0.0.9", "emqx_node_address": "a.example"},
                "emqx@a.example",
                "10.0.0.9",
                ["10.0.0.9"],
            ),
            (
                {"ansible_host": "192.0.2.1", "emqx_node_address": "10.0.0.9"},
                "emqx@10.0.0.9",
                "192.0.2.1",
                ["10.0.0.9"],
            ),
            (
                {"ansible_host": "10.0.0.9", "emqx_node_name": "mq2@a.example"},
                "mq2@a.example",
                "10.0.0.9",
                ["10.0.0.9"],
            ),
            (
                {
                    "ansible_host": "10.0.0.9",
                    "emqx_node_addresses": ["10.1.0.9", "fd00::9"],
                    "emqx_server": "rack1",
                },
                "emqx@10.0.0.9",
                "rack1",
                ["10.1.0.9", "fd00::9"],
            ),
            (
                {
                    "ansible_host": "",
                    "emqx_node_name": "",
                    "emqx_node_address": None,
                    "emqx_node_role": "",
                    "emqx_node_addresses": [],
                    "emqx_server": "",
                },
                "emqx@n1.example",
                "n1.example",
                [],
            ),
        ],
    )
    def test_where_values_come_from(
        self, member: Member, name: str, server: str, addresses: list[str]
    ) -> None:
        model = topology.build([{"inventory_host": "n1.example", **member}], {})
        node = model["nodes"]["n1.example"]
        assert (node["name"], node["server"], node["addresses"]) == (name, server, addresses)
        assert model["errors"] == []

    def test_several_nodes_on_one_server(self) -> None:
        members: list[Member] = [
            {"inventory_host": f"n{n}", "ansible_host": "10.0.0.1", "emqx_instance": n}
            for n in (0, 1, 2)
        ]
        model = topology.build(members, {"discovery_strategy": "static"})
        assert model["errors"] == []
        assert model["members"] == ["emqx@10.0.0.1", "emqx1@10.0.0.1", "emqx2@10.0.0.1"]
        assert model["cluster_ports"] == [4370, 4371, 4372, 5370, 5371, 5372]
        assert model["addresses"] == ["10.0.0.1"]

    def test_manual_port_discovery(self) -> None:
        model = topology.build(three(), {"rpc_port_discovery": "manual", "rpc_server_port": 7000})
        assert model["cluster_ports"] == [4370, 7000]
        assert model["nodes"]["n2"]["rpc_port"] == 7000
        assert model["nodes"]["n2"]["rpc_port_stateless"] == 5370

    def test_ipv6(self) -> None:
        members = [{"inventory_host": "a", "emqx_node_address": "fd00::1"}]
        model = topology.build(members, {"proto_dist": "inet6_tcp"})
        node = model["nodes"]["a"]
        assert (node["name"], node["ip_version"], node["addresses"]) == (
            "emqx@fd00::1",
            6,
            ["fd00::1"],
        )
        assert model["errors"] == []

    def test_work_grows_with_the_hosts_and_not_with_their_pairs(self) -> None:
        assert steps_to_build(100) < 2.2 * steps_to_build(50)


def steps_to_build(size: int) -> int:
    """Return how many calls the model of a cluster takes, which does not depend on the machine."""
    members: list[Member] = [
        {"inventory_host": f"n{n}", "ansible_host": f"10.0.0.{n}"} for n in range(1, size + 1)
    ]
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        model = topology.build(members, {"version": "5.8.9", "discovery_strategy": "static"})
    finally:
        sys.setprofile(None)
    assert len(model["nodes"]) == size and model["errors"] == []
    return counted


class TestNames:
    @pytest.mark.parametrize(
        ("name", "codes"),
        [
            ("emqx@n3.example", []),
            ("emqx@n3", ["bad_host"]),
            ("emqx@10.0.0", ["bad_host"]),
            ("emqx@10.0.0.300", ["bad_host"]),
            ("emqx@-n3.example", ["bad_host"]),
            ("emqx@n3..example", ["bad_host"]),
            ("emqx@n3.example.", ["bad_host"]),
            ("emqx@fe80::1%eth0", ["bad_host"]),
            ("emqx@", ["bad_host"]),
            ("emqx", ["bad_name"]),
            ("emqx@a@10.0.0.3", ["bad_name"]),
            ("em qx@10.0.0.3", ["bad_short_name"]),
            ("em.qx@10.0.0.3", ["bad_short_name"]),
            ("@10.0.0.3", ["bad_short_name"]),
            ("remsh1@10.0.0.3", ["remsh_name"]),
            ("emqx@127.0.0.1", ["loopback_host"]),
            ("emqx@127.5.0.1", ["loopback_host"]),
            ("emqx@localhost", ["loopback_host"]),
            ("emqx@localhost.localdomain", ["loopback_host"]),
            ("emqx@0.0.0.0", ["unspecified_host"]),
            ("emqx@" + "a" * 60 + ".example" * 25, ["name_too_long"]),
            ("emqx" + "9" * 5000 + "@n3.example", ["name_too_long"]),
        ],
    )
    def test_form(self, name: str, codes: list[str]) -> None:
        found = errors(three(emqx_node_name=name))
        assert found == [(code, "n3") for code in codes]

    @pytest.mark.parametrize(
        ("name", "code"), [("emqx@::1", "loopback_host"), ("emqx@::", "unspecified_host")]
    )
    def test_ipv6_that_nobody_reaches(self, name: str, code: str) -> None:
        members = [{"inventory_host": "a", "emqx_node_name": name}]
        assert errors(members, {"proto_dist": "inet6_tcp"}) == [(code, "a")]

    def test_message_tells_host_found_and_remedy(self) -> None:
        (finding,) = topology.build(three(emqx_node_name="emqx@n3"), {})["errors"]
        assert finding["message"] == (
            "Host n3: emqx_node_name is emqx@n3, expected an IP address or a FQDN (with a dot) "
            "after the @: set emqx_node_address of n3 to the IP address or FQDN its peers use."
        )

    def test_all_at_once(self) -> None:
        members: list[Member] = [
            {"inventory_host": "a", "emqx_node_role": "boss"},
            {"inventory_host": "b", "emqx_node_name": "x@y@z"},
            {"inventory_host": "b"},
        ]
        found = errors(members, {"proto_dist": "udp", "discovery_strategy": "mdns"})
        assert [code for code, _host in found] == [
            "unknown_discovery_strategy",
            "unknown_proto_dist",
            "host_listed_twice",
            "bad_name",
            "bad_host",
            "bad_role",
        ]

    def test_duplicate_names(self) -> None:
        assert errors(three(emqx_node_name="emqx@10.0.0.1")) == [("duplicate_name", "n3")]

    def test_host_listed_twice_counts_once(self) -> None:
        model = topology.build([*three(), three()[0]], {})
        assert pairs(model["errors"]) == [("host_listed_twice", "n1")]
        assert len(model["members"]) == 3


class TestInstances:
    def test_ports_of_a_server_never_meet(self) -> None:
        members: list[Member] = [
            {"inventory_host": f"n{n}", "ansible_host": "10.0.0.1", "emqx_instance": n}
            for n in range(_ports.MAX_INSTANCE + 1)
        ]
        model = topology.build(members, {})
        assert model["errors"] == []
        ports = [
            port
            for node in model["nodes"].values()
            for port in (node["dist_port"], node["rpc_port"], *node["listeners"].values())
        ]
        assert len(set(ports)) == len(ports) == 7 * len(members)

    def test_ports_follow_the_number(self) -> None:
        member = {"inventory_host": "n1b", "ansible_host": "10.0.0.1", "emqx_instance": "2"}
        node = topology.build([member], {})["nodes"]["n1b"]
        assert (node["name"], node["dist_port"], node["rpc_port"]) == (
            "emqx2@10.0.0.1",
            4372,
            5372,
        )
        assert node["listeners"] == {
            "tcp": 1903,
            "ssl": 8903,
            "ws": 8103,
            "wss": 8104,
            "dashboard": 18103,
        }
        assert node["listener_ports"] == [1903, 8103, 8104, 8903]

    def test_ports_of_the_firewall_can_be_given(self) -> None:
        given = {"emqx_firewall_listener_ports": [1884], "emqx_firewall_dashboard_ports": [8080]}
        node = topology.build(three(emqx_instance=1, **given), {})["nodes"]["n3"]
        assert (node["listener_ports"], node["dashboard_ports"]) == ([1884], [8080])

    def test_each_node_of_a_server_has_a_number(self) -> None:
        members = three(ansible_host="10.0.0.1", emqx_node_name="emqx1@10.0.0.1")
        (finding,) = topology.build(members, {})["errors"]
        assert (finding["code"], finding["host"]) == ("instance_collision", "n3")
        assert "0, also that of n1" in finding["message"]
        assert "set emqx_instance of n3" in finding["message"]

    @pytest.mark.parametrize("number", [-1, 80, "two", "1b"])
    def test_what_is_no_number(self, number: t.Any) -> None:
        codes = errors(three(emqx_instance=number, emqx_node_name="emqx@10.0.0.3"))
        assert codes == [("bad_instance", "n3")]

    def test_a_given_name_ends_in_the_number(self) -> None:
        codes = errors(three(emqx_instance=2, emqx_node_name="mqtt@10.0.0.3"))
        assert codes == [("instance_name", "n3")]
        assert errors(three(emqx_instance=2, emqx_node_name="mqtt-2@10.0.0.3")) == []


class TestPorts:
    def test_same_ports_on_one_server(self) -> None:
        members = three(ansible_host="10.0.0.1", emqx_node_address="n3.example")
        members[0].update(emqx_node_name="emqx1@10.0.0.1")
        members[2].update(emqx_instance=1)
        assert errors(members) == [("port_collision", "n3"), ("port_collision", "n3")]
        members[2]["emqx_server"] = "10.0.0.99"
        assert errors(members) == []

    def test_distribution_port_of_one_is_rpc_port_of_another(self) -> None:
        members = three(ansible_host="10.0.0.1", emqx_instance=1)
        members[0].update(emqx_node_name="emqx1001@10.0.0.1")
        (finding,) = topology.build(members, {})["errors"]
        assert finding["code"] == "port_collision"
        assert "rpc port 5371, also the distribution port of emqx1001@10" in finding["message"]

    def test_manual_port_is_shared_by_nodes_of_a_server(self) -> None:
        members = three(ansible_host="10.0.0.1", emqx_instance=1)
        assert errors(members, {"rpc_port_discovery": "stateless"}) == []
        (finding,) = topology.build(members, {"rpc_port_discovery": "manual"})["errors"]
        assert (finding["code"], finding["variable"]) == ("port_collision", "emqx_rpc_server_port")

    def test_a_node_against_itself(self) -> None:
        settings = {"rpc_port_discovery": "manual", "rpc_server_port": 4370}
        assert errors(three()[:1], settings) == [("port_collision", "n1")]

    def test_service_ports(self) -> None:
        settings = {"service_ports": [1883, "5370", 18083]}
        (finding,) = topology.build(three()[:1], settings)["errors"]
        assert finding["code"] == "service_port_collision"
        assert "rpc port 5370" in finding["message"]

    @pytest.mark.parametrize("port", [0, 65536, -1, "x", "5369 "])
    def test_bad_server_port(self, port: t.Any) -> None:
        assert errors(three(), {"rpc_server_port": port}) == [("bad_port", "")]

    def test_server_port_as_text(self) -> None:
        settings = {"rpc_port_discovery": "manual", "rpc_server_port": "7000"}
        assert topology.build(three(), settings)["cluster_ports"] == [4370, 7000]

    def test_bad_port_discovery(self) -> None:
        assert errors(three(), {"rpc_port_discovery": "auto"}) == [("bad_port_discovery", "")]


class TestAddressFamilies:
    @pytest.mark.parametrize(
        ("name", "proto_dist", "codes"),
        [
            ("emqx@n3.example", "inet6_tcp", []),
            ("emqx@n3.example", "inet_tls", []),
            ("emqx@fd00::3", "inet_tcp", ["address_family"]),
            ("emqx@fd00::3", "inet_tls", ["address_family"]),
            ("emqx@fd00::3", "inet6_tls", []),
            ("emqx@10.0.0.3", "inet6_tcp", ["address_family"]),
        ],
    )
    def test_literal_and_proto_dist(self, name: str, proto_dist: str, codes: list[str]) -> None:
        members = [{"inventory_host": "n3", "emqx_node_name": name}]
        assert errors(members, {"proto_dist": proto_dist}) == [(code, "n3") for code in codes]

    def test_remedy_names_the_other_protocol(self) -> None:
        members = [{"inventory_host": "a", "emqx_node_address": "fd00::3"}]
        (finding,) = topology.build(members, {"proto_dist": "inet_tls"})["errors"]
        assert "inet6_tls" in finding["remedy"]

    def test_mixed_literals(self) -> None:
        found = errors(three(emqx_node_address="fd00::3"))
        assert found == [("address_family", "n3"), ("mixed_address_families", "")]


class TestRoles:
    @pytest.mark.parametrize("strategy", ["manual", "singleton"])
    def test_replicants_need_discovery(self, strategy: str) -> None:
        found = errors(three(emqx_node_role="replicant"), {"discovery_strategy": strategy})
        assert ("replicant_needs_discovery", "") in found

    @pytest.mark.parametrize(
        ("version", "edition", "found"),
        [
            ("5.7.2", "opensource", []),
            ("5.8.0", "opensource", [("replicant_needs_enterprise", "")]),
            ("5.8.0", "enterprise", []),
            ("5.8.0", "", []),
            ("", "opensource", []),
        ],
    )
    def test_replicants_by_edition(
        self, version: str, edition: str, found: list[tuple[str, str]]
    ) -> None:
        settings = {"discovery_strategy": "static", "version": version, "edition": edition}
        assert errors(three(emqx_node_role="replicant"), settings) == found

    @pytest.mark.parametrize(
        ("version", "other", "found"),
        [
            ("5.10.4", "5.10.4", []),
            ("5.10.4", "5.10.3", [("replicant_version", "n3")]),
            ("5.5.1", "5.5.0", []),
            ("", "5.5.0", []),
        ],
    )
    def test_a_replicant_has_the_version_of_a_core(
        self, version: str, other: str, found: list[tuple[str, str]]
    ) -> None:
        settings = {"discovery_strategy": "static", "version": version, "edition": "enterprise"}
        members = three(emqx_node_role="replicant", emqx_version=other)
        members = [{**member, "emqx_license": "KEY"} for member in members]
        assert errors(members, settings) == found

    def test_no_core(self) -> None:
        members = [{**member, "emqx_node_role": "replicant"} for member in three()]
        model = topology.build(members, {"discovery_strategy": "static"})
        assert pairs(model["errors"]) == [("no_core", "")]
        assert model["seeds"] == [] and len(model["replicants"]) == 3

    def test_bad_role(self) -> None:
        assert errors(three(emqx_node_role="Core")) == [("bad_role", "n3")]

    def test_no_members(self) -> None:
        model = topology.build([], {})
        assert pairs(model["errors"]) == [("no_members", "")]
        assert model["nodes"] == {} and model["members"] == [] and model["warnings"] == []


class TestStrategies:
    @pytest.mark.parametrize(
        ("settings", "code"),
        [
            (
                {"discovery_strategy": "mcast", "version": "5.4.0"},
                "discovery_strategy_not_in_version",
            ),
            ({"discovery_strategy": "mcast", "version": "5.3.2"}, ""),
            ({"discovery_strategy": "mcast"}, ""),
            ({"discovery_strategy": "statik"}, "unknown_discovery_strategy"),
            ({"proto_dist": "inet_quic"}, "unknown_proto_dist"),
            ({"proto_dist": "inet_tls", "version": "5.0.0"}, ""),
            ({"version": "5.8"}, "bad_version"),
            ({"version": "latest"}, "bad_version"),
            ({"dns_record_type": "txt"}, "unknown_dns_record_type"),
            ({"dns_record_type": "aaaa", "version": "5.5.1"}, "dns_record_type_not_in_version"),
        ],
    )
    def test_values(self, settings: Settings, code: str) -> None:
        assert errors(three(), settings) == ([(code, "")] if code else [])

    def test_version_finding_says_which_version_has_it(self) -> None:
        members = [{"inventory_host": "n1.example"}]
        settings = {"proto_dist": "inet6_tls", "version": "5.3.2"}
        (finding,) = topology.build(members, settings)["errors"]
        assert finding["code"] == "proto_dist_not_in_version"
        assert "EMQX 5.4.0 or newer" in finding["remedy"]
        assert "5.3.2" in finding["expected"] and "inet_tls" in finding["expected"]

    def test_singleton(self) -> None:
        settings = {"discovery_strategy": "singleton", "version": "5.8.0"}
        assert errors(three()[:1], settings) == []
        assert errors(three(), settings) == [("singleton_with_peers", "")]
        older = errors(three()[:1], {**settings, "version": "5.7.2"})
        assert older == [("discovery_strategy_not_in_version", "")]

    @pytest.mark.parametrize("strategy", ["dns", "k8s"])
    def test_short_names(self, strategy: str) -> None:
        members = three(emqx_node_name="emqx3@10.0.0.3")
        settings = {"discovery_strategy": strategy, "k8s_apiserver": "https://k8s.example:6443"}
        assert errors(members, settings) == [("short_names_differ", "")]
        assert errors(members, {"discovery_strategy": "static"}) == []

    @pytest.mark.parametrize(
        ("record", "address", "hosts"),
        [
            ("a", "n3.example", ["n3"]),
            ("a", "10.0.0.3", []),
            ("srv", "n3.example", ["n1", "n2"]),
        ],
    )
    def test_dns_names(self, record: str, address: str, hosts: list[str]) -> None:
        settings = {
            "discovery_strategy": "dns",
            "dns_record_type": record,
            "dns_name": "mq.example",
        }
        found = errors(three(emqx_node_address=address), settings)
        assert found == [("dns_name_form", host) for host in hosts]

    def test_dns_aaaa(self) -> None:
        settings = {
            "discovery_strategy": "dns",
            "dns_record_type": "aaaa",
            "proto_dist": "inet6_tcp",
        }
        six = {"inventory_host": "a", "emqx_node_address": "fd00::1"}
        four = {"inventory_host": "b", "emqx_node_address": "10.0.0.1"}
        assert errors([six], settings) == []
        assert ("dns_name_form", "b") in errors([six, four], settings)

    @pytest.mark.parametrize("name", ["", "localhost"])
    def test_dns_needs_a_name(self, name: str) -> None:
        settings = {"discovery_strategy": "dns", "dns_name": name}
        assert errors(three(), settings) == [("no_dns_name", "")]
        assert errors(three(), {**settings, "discovery_strategy": "static"}) == []


class TestLicence:
    @pytest.mark.parametrize(
        ("version", "edition", "given", "codes"),
        [
            ("5.8.9", "opensource", "", []),
            ("5.8.9", "opensource", "default", []),
            ("5.8.9", "opensource", "KEY", ["license_in_opensource"]),
            ("5.8.9", "enterprise", "", []),
            ("5.8.9", "enterprise", "KEY", []),
            ("5.8.9", "enterprise", "evaluation", ["license_not_in_version"]),
            ("5.10.4", "enterprise", "", ["license_needed"]),
            ("5.10.4", "enterprise", "default", ["license_needed"]),
            ("5.10.4", "enterprise", "KEY", []),
            ("5.10.4", "enterprise", "file:///etc/emqx.lic", []),
            ("5.10.4", "enterprise", "evaluation", []),
            ("6.2.2", "", "", ["license_needed"]),
            ("", "", "", []),
        ],
    )
    def test_by_version(self, version: str, edition: str, given: str, codes: list[str]) -> None:
        members = [{**member, "emqx_license": given} for member in three()]
        settings = {"version": version, "edition": edition}
        assert errors(members, settings) == [(code, "") for code in codes]

    def test_names_the_hosts_without_and_never_the_key(self) -> None:
        members = [{**member, "emqx_license": "TheKey"} for member in three()]
        members[1]["emqx_license"] = ""
        model = topology.build(members, {"version": "5.10.4"})
        assert [finding["message"] for finding in model["errors"]] == [
            "Cluster: emqx_license is empty or default, the community licence for a single node, "
            "on n2, expected a licence on all nodes, as EMQX 5.10.4 clusters with one only: set "
            "it to your key, to file:///PATH on the hosts, or to evaluation (25 sessions, 30 "
            "days) for all nodes, or use EMQX 5.8, which clusters without."
        ]
        assert "TheKey" not in str(model)

    def test_a_single_node_needs_none(self) -> None:
        assert errors(three()[:1], {"version": "5.10.4"}) == []

    def test_evaluation_is_not_for_production(self) -> None:
        members = [{**member, "emqx_license": "evaluation"} for member in three()]
        assert warnings(members, {"version": "5.10.4"}) == [("license_evaluation", "")]


class TestWarnings:
    def test_none_for_three_cores(self) -> None:
        assert warnings(three()) == []

    @pytest.mark.parametrize(
        ("cores", "codes"),
        [
            (1, ["single_core"]),
            (2, ["even_cores"]),
            (5, []),
            (8, ["even_cores", "many_cores"]),
            (9, ["many_cores"]),
        ],
    )
    def test_number_of_cores(self, cores: int, codes: list[str]) -> None:
        members: list[Member] = [
            {"inventory_host": f"n{n}", "ansible_host": f"10.0.0.{n}"} for n in range(1, cores + 1)
        ]
        assert warnings(members) == [(code, "") for code in codes]

    def test_mixed_name_styles(self) -> None:
        assert warnings(three(emqx_node_address="n3.example")) == [("mixed_name_styles", "")]

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("emqx2024@10.0.0.3", "number_like_suffix"),
            ("emqx-589@10.0.0.3", ""),
            ("emqx50001@10.0.0.3", "large_suffix"),
            ("emqx20240601@10.0.0.3", "large_suffix"),
        ],
    )
    def test_suffixes(self, name: str, code: str) -> None:
        assert warnings(three(emqx_node_name=name)) == ([(code, "n3")] if code else [])


class TestTypes:
    @pytest.mark.parametrize(
        "members", ["n1", {"n1": {}}, 5, [{}], ["n1"], [{"ansible_host": "x"}]]
    )
    def test_members(self, members: t.Any) -> None:
        with pytest.raises(InputError, match="found"):
            topology.build(members, {})

    def test_unknown_setting(self) -> None:
        with pytest.raises(InputError, match="Unknown topology settings: strategy;"):
            topology.build(three(), {"strategy": "static"})

    @pytest.mark.parametrize("ports", ["1883", {"a": 1}, 1883])
    def test_service_ports(self, ports: t.Any) -> None:
        with pytest.raises(InputError, match="service ports"):
            topology.build(three(), {"service_ports": ports})


class TestRpcPortsOfHosts:
    """Each node derives the RPC port of a peer from its own settings, so all have the same."""

    def test_package_and_container_do_not_mix(self) -> None:
        members = three(emqx_rpc_port_discovery="manual")
        for member in members[:2]:
            member["emqx_rpc_port_discovery"] = "stateless"
        (finding,) = topology.build(members, {})["errors"]
        assert finding["code"] == "mixed_rpc_ports"
        assert finding["found"] == "stateless on n1, n2 and manual on n3"
        assert "set emqx_rpc_port_discovery for the whole cluster" in finding["message"]

    def test_the_port_counts_with_manual_discovery(self) -> None:
        manual = {"emqx_rpc_port_discovery": "manual", "emqx_rpc_server_port": 5369}
        members = [{**member, **manual} for member in three()]
        assert errors(members, {"rpc_port_discovery": "manual"}) == []
        members[1]["emqx_rpc_server_port"] = 7000
        (finding,) = topology.build(members, {"rpc_port_discovery": "manual"})["errors"]
        assert (finding["variable"], finding["found"]) == (
            "emqx_rpc_server_port",
            "5369 on n1, n3 and 7000 on n2",
        )

    def test_without_it_the_port_means_nothing(self) -> None:
        members = three(emqx_rpc_server_port=7000)
        for member in members:
            member["emqx_rpc_port_discovery"] = "stateless"
        assert errors(members, {}) == []

    def test_a_host_outside_the_run_may_say_nothing(self) -> None:
        assert errors(three(emqx_rpc_port_discovery="manual"), {}) == []
