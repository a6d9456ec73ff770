# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import checks_names, topology
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.default_ports import MAX_INSTANCE
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Listener,
    Member,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

Tree = t.Dict[str, t.Any]
STATELESS = {"port_discovery": "stateless"}


def three(**changes: t.Any) -> list[Member]:
    """Return three sound members; ``changes`` apply to the last."""
    members = [Member(f"n{n}", f"10.0.0.{n}") for n in (1, 2, 3)]
    members[2] = replace(members[2], **changes)
    return members


def all_three(**changes: t.Any) -> list[Member]:
    return [replace(member, **changes) for member in three()]


def build(members: t.Sequence[Member], edition: str = "", **settings: t.Any) -> Cluster:
    """Return the model under settings of an unknown version, where they do not name one."""
    given = {"discovery_strategy": "manual", "version": "", **settings}
    return topology.build(members, Settings(**given), edition=edition)


def errors(
    members: t.Sequence[Member], edition: str = "", **settings: t.Any
) -> list[tuple[str, str]]:
    return pairs(filter(is_error, build(members, edition, **settings).findings))


def error(members: t.Sequence[Member], **settings: t.Any) -> Finding:
    (found,) = filter(is_error, build(members, **settings).findings)
    return found


def warnings(members: t.Sequence[Member], **settings: t.Any) -> list[tuple[str, str]]:
    found = build(members, **settings).findings
    return pairs(finding for finding in found if not is_error(finding))


def pairs(findings: t.Iterable[Finding]) -> list[tuple[str, str]]:
    listed = list(findings)
    for finding in listed:
        for part in (*finding.hosts, finding.subject, finding.expected, finding.found):
            assert part and part in finding.sentence()
        assert finding.remedy and not finding.sentence().endswith("..")
        assert len(finding.hosts) <= 1
    return [(finding.code, "".join(finding.hosts)) for finding in listed]


def transport(proto_dist: str) -> Tree:
    """Return the settings by which EMQX gets this cluster.proto_dist."""
    return {"proto_dist": proto_dist, "dist_tls": proto_dist.endswith("tls")}


class TestIpv6:
    @pytest.mark.parametrize("proto_dist", ["inet6_tcp", "inet6_tls"])
    @pytest.mark.parametrize("version", ["", "5.4.0", "5.8.9", "6.0.0"])
    def test_the_rpc_port_goes_along(self, proto_dist: str, version: str) -> None:
        model = build(three(), version=version, **transport(proto_dist))
        assert model.ipv6 is True
        assert model.rpc == {**STATELESS, "listen_address": "::", "ipv6_only": True}

    def test_not_where_emqx_has_no_key_for_it(self) -> None:
        model = build(three(), proto_dist="inet6_tcp", version="5.3.2")
        assert (model.ipv6, model.rpc) == (True, STATELESS)

    @pytest.mark.parametrize("proto_dist", ["inet_tcp", "inet_tls"])
    def test_not_over_ipv4(self, proto_dist: str) -> None:
        model = build(three(), version="5.8.9", **transport(proto_dist))
        assert (model.ipv6, model.rpc) == (False, STATELESS)


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
    def test_keys_by_version(self, version: str, tls: bool, discovery: str, keys: Tree) -> None:
        model = build(
            three(),
            version=version,
            rpc_tls=tls,
            rpc_port_discovery=discovery,
            rpc_server_port=7000,
        )
        assert model.rpc == {"port_discovery": discovery, **keys}


class TestModel:
    def test_defaults(self) -> None:
        model = build(three(node_role="replicant"), discovery_strategy="static")
        assert model == Cluster(
            nodes={
                "n1": Node(
                    name="emqx@10.0.0.1",
                    short_name="emqx",
                    host="10.0.0.1",
                    inventory_host="n1",
                    server="10.0.0.1",
                    role="core",
                    offset=0,
                    dist_port=4370,
                    rpc_port=5370,
                    rpc_port_stateless=5370,
                    rpc_port_manual=5369,
                    addresses=("10.0.0.1",),
                    host_is_ip=True,
                    ip_version=4,
                    version="",
                    license="default",
                    instance=0,
                    listeners=(
                        Listener("tcp:default", "mqtt", 1883),
                        Listener("ssl:default", "mqtt", 8883),
                        Listener("ws:default", "mqtt", 8083),
                        Listener("wss:default", "mqtt", 8084),
                        Listener("dashboard:http", "dashboard", 18083),
                    ),
                    listener_ports=(1883, 8083, 8084, 8883),
                    dashboard_ports=(18083,),
                ),
                "n2": model.nodes["n2"],
                "n3": model.nodes["n3"],
            },
            members=("emqx@10.0.0.1", "emqx@10.0.0.2", "emqx@10.0.0.3"),
            cores=("emqx@10.0.0.1", "emqx@10.0.0.2"),
            replicants=("emqx@10.0.0.3",),
            seeds=("emqx@10.0.0.1", "emqx@10.0.0.2"),
            cluster_ports=(4370, 5370),
            addresses=("10.0.0.1", "10.0.0.2", "10.0.0.3"),
            ipv6=False,
            rpc=STATELESS,
            discovery={"static": {"seeds": ["emqx@10.0.0.1", "emqx@10.0.0.2"]}},
            findings=model.findings,
        )
        assert pairs(model.findings) == [("even_cores", "")]

    @pytest.mark.parametrize(
        ("member", "name", "server", "addresses"),
        [
            ({}, "emqx@n1.example", "n1.example", ()),
            ({"management": "10.0.0.9"}, "emqx@10.0.0.9", "10.0.0.9", ("10.0.0.9",)),
            (
                {"management": "10.0.0.9", "node_address": "a.example"},
                "emqx@a.example",
                "10.0.0.9",
                ("10.0.0.9",),
            ),
            (
                {
                    "management": "10.0.0.9",
                    "node_address": "a.example",
                    "host_addresses": ("10.2.0.9", "10.3.0.9"),
                },
                "emqx@a.example",
                "10.0.0.9",
                ("10.2.0.9", "10.3.0.9"),
            ),
            (
                {"management": "192.0.2.1", "node_address": "10.0.0.9"},
                "emqx@10.0.0.9",
                "192.0.2.1",
                ("10.0.0.9",),
            ),
            (
                {"management": "10.0.0.9", "node_name": "mq2@a.example"},
                "mq2@a.example",
                "10.0.0.9",
                ("10.0.0.9",),
            ),
            (
                {
                    "management": "10.0.0.9",
                    "node_addresses": ("10.1.0.9", "fd00::9"),
                    "server": "rack1",
                },
                "emqx@10.0.0.9",
                "rack1",
                ("10.1.0.9", "fd00::9"),
            ),
        ],
    )
    def test_where_values_come_from(
        self, member: Tree, name: str, server: str, addresses: tuple[str, ...]
    ) -> None:
        model = build([Member("n1.example", **member)])
        node = model.nodes["n1.example"]
        assert (node.name, node.server, node.addresses) == (name, server, addresses)
        assert pairs(model.findings) == [("single_core", "")]

    def test_several_nodes_on_one_server(self) -> None:
        members = [Member(f"n{n}", "10.0.0.1", instance=n) for n in (0, 1, 2)]
        model = build(members, discovery_strategy="static")
        assert model.findings == ()
        assert model.members == ("emqx@10.0.0.1", "emqx1@10.0.0.1", "emqx2@10.0.0.1")
        assert model.cluster_ports == (4370, 4371, 4372, 5370, 5371, 5372)
        assert model.addresses == ("10.0.0.1",)

    def test_manual_port_discovery(self) -> None:
        model = build(three(), rpc_port_discovery="manual", rpc_server_port=7000)
        assert model.cluster_ports == (4370, 7000)
        assert model.nodes["n2"].rpc_port == 7000
        assert model.nodes["n2"].rpc_port_stateless == 5370

    def test_ipv6(self) -> None:
        members = [Member("a", node_address="fd00::1")]
        node = build(members, proto_dist="inet6_tcp").nodes["a"]
        assert (node.name, node.ip_version, node.addresses) == ("emqx@fd00::1", 6, ("fd00::1",))
        assert errors(members, proto_dist="inet6_tcp") == []

    def test_work_grows_with_the_hosts_and_not_with_their_pairs(self) -> None:
        assert steps_to_build(100) < 2.2 * steps_to_build(50)
        assert steps_to_build(79, "10.0.0.1") < 2.2 * steps_to_build(39, "10.0.0.1")


def steps_to_build(size: int, server: str = "") -> int:
    """Return how many calls the model of a cluster takes, which does not depend on the machine.

    Its nodes are on one server, or each has its own.
    """
    numbers = range(1, size + 1)
    members = [
        Member(f"n{n}", server, instance=n) if server else Member(f"n{n}", f"10.0.0.{n}")
        for n in numbers
    ]
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        model = build(members, version="5.8.9", discovery_strategy="static")
    finally:
        sys.setprofile(None)
    assert len(model.nodes) == size and not any(map(is_error, model.findings))
    return counted


class TestMember:
    def test_of_settings(self) -> None:
        settings = Settings(
            node_name="mq@10.0.0.1",
            node_address="10.0.0.1",
            node_addresses=("10.0.0.1",),
            node_role="replicant",
            server="rack1",
            instance=2,
            rpc_port_discovery="manual",
            license="TheKey",
            firewall_listener_ports=(1884,),
            firewall_dashboard_ports=(8080,),
        )
        listeners = (Listener("tcp:default", "mqtt", 1884),)
        found = topology.member("n1", "192.0.2.1", settings, listeners, ("10.9.9.9",))
        assert found == Member(
            inventory_host="n1",
            management="192.0.2.1",
            node_name="mq@10.0.0.1",
            node_address="10.0.0.1",
            node_addresses=("10.0.0.1",),
            node_role="replicant",
            server="rack1",
            instance=2,
            rpc_port_discovery="manual",
            rpc_server_port=5369,
            version="5.8.9",
            license="given",
            listeners=listeners,
            listener_ports=(1884,),
            dashboard_ports=(8080,),
            host_addresses=("10.9.9.9",),
        )

    @pytest.mark.parametrize(
        ("settings", "server"),
        [
            ({}, ""),
            ({"deployment": "container"}, ""),
            ({"deployment": "container", "container_network": "mq"}, "n1"),
            ({"deployment": "container", "container_network": "mq", "server": "s"}, "s"),
        ],
    )
    def test_a_container_on_its_own_network_shares_no_port(
        self, settings: Tree, server: str
    ) -> None:
        assert topology.member("n1", "192.0.2.1", Settings(**settings)).server == server


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
            ("emqx@n3.example\n", ["bad_host"]),
            ("emqx@fe80::1%eth0", ["bad_host"]),
            ("emqx@", ["bad_host"]),
            ("emqx", ["bad_name"]),
            ("emqx@a@10.0.0.3", ["bad_name"]),
            ("em qx@10.0.0.3", ["bad_short_name"]),
            ("em.qx@10.0.0.3", ["bad_short_name"]),
            ("-emqx@10.0.0.3", ["bad_short_name"]),
            ("--@10.0.0.3", ["bad_short_name"]),
            ("e-mqx-@10.0.0.3", []),
            ("_emqx@10.0.0.3", []),
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
        assert errors(three(node_name=name)) == [(code, "n3") for code in codes]

    @pytest.mark.parametrize(
        ("name", "code"), [("emqx@::1", "loopback_host"), ("emqx@::", "unspecified_host")]
    )
    def test_ipv6_that_nobody_reaches(self, name: str, code: str) -> None:
        assert errors([Member("a", node_name=name)], proto_dist="inet6_tcp") == [(code, "a")]

    def test_sentence_tells_host_found_and_remedy(self) -> None:
        assert error(three(node_name="emqx@n3")).sentence() == (
            "Host n3, emqx_node_name: expected an IP address or a FQDN (with a dot) after the @, "
            "found emqx@n3: set emqx_node_address of n3 to the IP address or FQDN its peers use."
        )

    def test_a_line_break_is_shown_and_not_printed(self) -> None:
        assert error(three(node_name="em\nqx@10.0.0.3")).found == r"em\nqx@10.0.0.3"

    def test_all_at_once(self) -> None:
        members = [Member("a", node_role="boss"), Member("b", node_name="x@y@z"), Member("b")]
        found = errors(members, proto_dist="udp", discovery_strategy="mdns")
        assert [code for code, _host in found] == [
            "unknown_discovery_strategy",
            "unknown_proto_dist",
            "host_listed_twice",
            "bad_name",
            "bad_host",
            "bad_role",
        ]

    def test_duplicate_names(self) -> None:
        assert errors(three(node_name="emqx@10.0.0.1")) == [("duplicate_name", "n3")]

    def test_host_listed_twice_counts_once(self) -> None:
        members = [*three(), three()[0]]
        assert errors(members) == [("host_listed_twice", "n1")]
        assert len(build(members).members) == 3

    def test_a_host_that_the_inventory_does_not_have(self) -> None:
        found = topology.unknown_host("nX")
        assert (found.code, found.hosts, found.subject) == (
            "unknown_host",
            ("nX",),
            "emqx_cluster_hosts",
        )


TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "k8s", "etcd", "dns", "static", "a", "\x1b[2J@a"]
)
NUMBER = st.integers(-5, 70000)
MEMBERS = st.lists(
    st.builds(
        Member,
        inventory_host=st.sampled_from(["n1", "n2", "n3"]),
        management=TEXT,
        node_name=TEXT,
        node_address=TEXT,
        node_addresses=st.lists(TEXT, max_size=2).map(tuple),
        node_role=TEXT,
        server=TEXT,
        instance=NUMBER,
        rpc_port_discovery=TEXT,
        rpc_server_port=NUMBER,
        license=TEXT,
        listeners=st.lists(st.builds(Listener, TEXT, TEXT, NUMBER, TEXT, TEXT), max_size=2).map(
            tuple
        ),
    ),
    max_size=3,
)
SETTINGS = st.builds(
    Settings,
    cluster_name=TEXT,
    discovery_strategy=TEXT,
    dns_name=TEXT,
    dns_record_type=TEXT,
    etcd_servers=st.lists(TEXT, max_size=2).map(tuple),
    etcd_prefix=TEXT,
    etcd_ca=TEXT,
    k8s_apiserver=TEXT,
    k8s_service_name=TEXT,
    k8s_namespace=TEXT,
    k8s_address_type=TEXT,
    k8s_suffix=TEXT,
    k8s_token=TEXT,
    proto_dist=TEXT,
    dist_tls=st.booleans(),
    rpc_port_discovery=TEXT,
    rpc_server_port=NUMBER,
    version=TEXT | st.sampled_from(["5.8.9", "6.2.2", "5.0.0"]),
)


@given(MEMBERS, SETTINGS)
def test_whatever_users_write_is_at_most_a_finding(
    members: list[Member], settings: Settings
) -> None:
    model = topology.build(members, settings)
    assert set(model.nodes) == {member.inventory_host for member in members}
    for finding in model.findings:
        assert "\n" not in finding.sentence() and "\x1b" not in finding.sentence()


class TestClusterName:
    @pytest.mark.parametrize("name", ["emqxcl", "mq", "mq-1", "a.b", "MQ_2", "_x", "7", "x" * 255])
    def test_plain_ones(self, name: str) -> None:
        assert list(checks_names.cluster_name(name)) == []

    @pytest.mark.parametrize("name", ["", "mq\n", "a\tb", "\x00", "x" * 256])
    def test_what_emqx_does_not_take(self, name: str) -> None:
        (found,) = checks_names.cluster_name(name)
        assert (found.code, found.subject) == ("bad_cluster_name", "emqx_cluster_name")
        assert found.sentence().isprintable()

    @pytest.mark.parametrize(
        "name",
        [
            *("a/b", "..", ".", "../x", "a..b", ".hidden", "end.", " ", "a b", "it's", 'a"b', "%n"),
            *("$HOME", "a;id", "-x", "ä", "a\\b", "~", "a:b", "*", "#", "{{ x }}"),
        ],
    )
    def test_what_is_no_part_of_a_path(self, name: str) -> None:
        (found,) = checks_names.cluster_name(name)
        assert (found.code, found.subject) == ("unsafe_cluster_name", "emqx_cluster_name")

    def test_the_model_checks_it(self) -> None:
        assert errors(three(), cluster_name="../x") == [("unsafe_cluster_name", "")]


class TestNodeAddresses:
    @pytest.mark.parametrize("address", ["10.1.0.3", "10.1.0.0/24", "fd00::3", "192.0.2.3"])
    def test_sources(self, address: str) -> None:
        assert errors(three(node_addresses=(address,))) == []

    @pytest.mark.parametrize(
        "address",
        [
            *("0.0.0.0", "0.0.0.0/0", "::", "::/0", "127.0.0.1", "::1", "224.0.0.1"),
            *("n3.example", "", "fe80::3%eth0", "10.0.0", "10.0.0.3\n10.0.0.4"),
        ],
    )
    def test_nobody_connects_from_there(self, address: str) -> None:
        assert errors(three(node_addresses=("10.1.0.3", address))) == [("bad_node_address", "n3")]
        assert error(three(node_addresses=(address,))).subject == "emqx_node_addresses"


class TestInstances:
    def test_ports_of_a_server_never_meet(self) -> None:
        count = MAX_INSTANCE + 1
        model = build([Member(f"n{n}", "10.0.0.1", instance=n) for n in range(count)])
        assert not any(map(is_error, model.findings))
        ports = [
            port
            for node in model.nodes.values()
            for port in (node.dist_port, node.rpc_port, *(each.port for each in node.listeners))
        ]
        assert len(set(ports)) == len(ports) == 7 * count

    def test_ports_follow_the_number(self) -> None:
        node = build([Member("n1b", "10.0.0.1", instance=2)]).nodes["n1b"]
        assert (node.name, node.dist_port, node.rpc_port) == ("emqx2@10.0.0.1", 4372, 5372)
        assert {each.name: each.port for each in node.listeners} == {
            "tcp:default": 1903,
            "ssl:default": 8903,
            "ws:default": 8103,
            "wss:default": 8104,
            "dashboard:http": 18103,
        }
        assert node.listener_ports == (1903, 8103, 8104, 8903)

    def test_ports_of_the_firewall_can_be_given(self) -> None:
        members = three(instance=1, listener_ports=(1884,), dashboard_ports=(8080,))
        node = build(members).nodes["n3"]
        assert (node.listener_ports, node.dashboard_ports) == ((1884,), (8080,))

    def test_each_node_of_a_server_has_a_number(self) -> None:
        found = error(three(management="10.0.0.1", node_name="emqx1@10.0.0.1"))
        assert (found.code, found.hosts) == ("instance_collision", ("n3",))
        assert found.found == "0, also that of n1"
        assert "set emqx_instance of n3" in found.remedy

    @pytest.mark.parametrize("number", [-1, 80])
    def test_what_is_no_number_of_an_instance(self, number: int) -> None:
        codes = errors(three(instance=number, node_name="emqx@10.0.0.3"))
        assert codes == [("bad_instance", "n3")]

    def test_a_given_name_ends_in_the_number(self) -> None:
        codes = errors(three(instance=2, node_name="mqtt@10.0.0.3"))
        assert codes == [("instance_name", "n3")]
        assert errors(three(instance=2, node_name="mqtt-2@10.0.0.3")) == []


class TestPorts:
    def test_same_ports_on_one_server(self) -> None:
        members = three(management="10.0.0.1", node_address="n3.example", instance=1)
        members[0] = replace(members[0], node_name="emqx1@10.0.0.1")
        assert errors(members) == [("port_collision", "n3"), ("port_collision", "n3")]
        members[2] = replace(members[2], server="10.0.0.99")
        assert errors(members) == []

    def test_distribution_port_of_one_is_rpc_port_of_another(self) -> None:
        members = three(management="10.0.0.1", instance=1)
        members[0] = replace(members[0], node_name="emqx1001@10.0.0.1")
        found = error(members)
        assert found.code == "port_collision"
        assert "rpc port 5371, also the distribution port of emqx1001@10" in found.found

    def test_manual_port_is_shared_by_nodes_of_a_server(self) -> None:
        members = three(management="10.0.0.1", instance=1)
        assert errors(members, rpc_port_discovery="stateless") == []
        found = error(members, rpc_port_discovery="manual")
        assert (found.code, found.subject) == ("port_collision", "emqx_rpc_server_port")

    def test_a_node_against_itself(self) -> None:
        found = errors(three()[:1], rpc_port_discovery="manual", rpc_server_port=4370)
        assert found == [("port_collision", "n1")]

    @pytest.mark.parametrize("port", [0, 65536, -1])
    def test_bad_server_port(self, port: int) -> None:
        assert errors(three(), rpc_server_port=port) == [("bad_port", "")]

    def test_bad_port_discovery(self) -> None:
        assert errors(three(), rpc_port_discovery="auto") == [("bad_port_discovery", "")]

    def test_no_port_discovery_is_that_of_packages(self) -> None:
        model = build(three(), rpc_port_discovery="")
        assert (model.rpc, model.nodes["n1"].rpc_port) == (STATELESS, 5370)


def tcp(port: int, address: str = "", **more: t.Any) -> Listener:
    return Listener("tcp:default", "mqtt", port, address=address, **more)


class TestListeners:
    """Listeners of the merged configuration, where a member has them."""

    def test_the_firewall_keeps_the_ports_of_those_that_are_enabled(self) -> None:
        listeners = (
            tcp(2883),
            Listener("ssl:default", "mqtt", 8883, enabled=False),
            Listener("quic:default", "mqtt", 14567, "udp"),
            Listener("stomp:tcp:default", "gateway", 61613),
            Listener("dashboard:http", "dashboard", 18083, enabled=False),
            Listener("dashboard:https", "dashboard", 18084),
            Listener("exhook", "other", 9000),
        )
        node = build(three(listeners=listeners)).nodes["n3"]
        assert node.listeners == listeners
        assert node.listener_ports == (2883, 14567, 61613)
        assert node.dashboard_ports == (18084,)

    def pair(self, first: Listener, second: Listener) -> list[Member]:
        """Return two nodes of one server, each with a listener."""
        members = three(management="10.0.0.1", instance=1, listeners=(second,))
        return [replace(members[0], listeners=(first,)), members[2]]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (tcp(1883), tcp(1883)),
            (tcp(1883, "10.0.0.1"), tcp(1883)),
            (tcp(1883), tcp(1883, "127.0.0.1")),
            (tcp(1883, "10.0.0.1"), tcp(1883, "10.0.0.1")),
            (tcp(4371), tcp(1893)),
        ],
    )
    def test_two_on_one_port(self, first: Listener, second: Listener) -> None:
        assert errors(self.pair(first, second)) == [("port_collision", "n3")]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (tcp(1883), tcp(1893)),
            (tcp(1883, "10.0.0.1"), tcp(1883, "127.0.0.1")),
            (tcp(1883, protocol="udp"), tcp(1883)),
            (tcp(1883, enabled=False), tcp(1883)),
            (tcp(4371, protocol="udp"), tcp(1893)),
        ],
    )
    def test_apart(self, first: Listener, second: Listener) -> None:
        assert errors(self.pair(first, second)) == []

    def test_on_a_port_of_the_cluster(self) -> None:
        found = error(three(listeners=(tcp(5370, "10.0.0.3"),)))
        assert (found.code, found.subject) == ("port_collision", "emqx_config")
        assert found.found == (
            "listener tcp:default on tcp port 10.0.0.3:5370, also the rpc port of this very node"
        )

    def test_the_default_ones_count_as_well(self) -> None:
        found = error(three(node_name="emqx3713@10.0.0.3"))
        assert found.found.endswith("also the distribution port of this very node")

    def test_two_of_one_node(self) -> None:
        listeners = (tcp(1883), Listener("ws:default", "mqtt", 1883))
        assert errors(three(listeners=listeners)) == [("port_collision", "n3")]

    @pytest.mark.parametrize("port", [0, -1, 65536])
    def test_what_is_no_port(self, port: int) -> None:
        assert errors(three(listeners=(tcp(port),))) == [("bad_listener_port", "n3")]
        assert errors(three(listeners=(tcp(port, enabled=False),))) == []


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
    def test_literal_and_transport(self, name: str, proto_dist: str, codes: list[str]) -> None:
        members = [Member("n3", node_name=name)]
        assert errors(members, **transport(proto_dist)) == [(code, "n3") for code in codes]

    def test_remedy_names_the_other_protocol(self) -> None:
        members = [Member("a", node_address="fd00::3")]
        assert "inet6_tls" in error(members, **transport("inet_tls")).remedy
        assert "inet6_tls" in error(members, proto_dist="inet_tcp", dist_tls=True).remedy

    def test_mixed_literals(self) -> None:
        found = errors(three(node_address="fd00::3"))
        assert found == [("address_family", "n3"), ("mixed_address_families", "")]


class TestRoles:
    @pytest.mark.parametrize("strategy", ["manual", "singleton"])
    def test_replicants_need_discovery(self, strategy: str) -> None:
        found = errors(three(node_role="replicant"), discovery_strategy=strategy)
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
        members = three(node_role="replicant")
        assert errors(members, edition, discovery_strategy="static", version=version) == found

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
        replicant = three(node_role="replicant", version=other)
        members = [replace(member, license="given") for member in replicant]
        settings = {"discovery_strategy": "static", "version": version}
        assert errors(members, "enterprise", **settings) == found

    def test_no_core(self) -> None:
        model = build(all_three(node_role="replicant"), discovery_strategy="static")
        assert pairs(model.findings) == [("no_core", "")]
        assert model.seeds == () and len(model.replicants) == 3

    def test_bad_role(self) -> None:
        assert errors(three(node_role="Core")) == [("bad_role", "n3")]

    def test_no_members(self) -> None:
        model = build([])
        assert pairs(model.findings) == [("no_members", "")]
        assert model.nodes == {} and model.members == ()


class TestChoices:
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
            ({"proto_dist": "inet_tls", "dist_tls": True, "version": "5.0.0"}, ""),
            ({"proto_dist": "inet_tcp", "dist_tls": True, "version": "5.0.0"}, ""),
            ({"version": "5.8"}, "bad_version"),
            ({"version": "latest"}, "bad_version"),
            ({"dns_record_type": "txt"}, "unknown_dns_record_type"),
            ({"dns_record_type": "aaaa", "version": "5.5.1"}, "dns_record_type_not_in_version"),
        ],
    )
    def test_values(self, settings: Tree, code: str) -> None:
        assert errors(three(), **settings) == ([(code, "")] if code else [])

    @pytest.mark.parametrize("given", [{"proto_dist": "inet6_tls"}, {"proto_dist": "inet6_tcp"}])
    def test_finding_says_which_version_has_it(self, given: Tree) -> None:
        found = error([Member("n1.example")], version="5.3.2", dist_tls=True, **given)
        assert found.code == "proto_dist_not_in_version"
        assert "EMQX 5.4.0 or newer" in found.remedy
        assert "5.3.2" in found.expected and "inet_tls" in found.expected

    @pytest.mark.parametrize(
        ("proto_dist", "plain"), [("inet_tls", "inet_tcp"), ("inet6_tls", "inet6_tcp")]
    )
    def test_tls_by_the_certificates_of_the_vendor(self, proto_dist: str, plain: str) -> None:
        found = error([Member("n1.example")], proto_dist=proto_dist)
        assert (found.code, found.subject) == ("tls_without_certificates", "emqx_proto_dist")
        assert found.remedy.endswith(f"emqx_proto_dist to {plain}")


class TestLicence:
    @pytest.mark.parametrize(
        ("version", "edition", "given", "codes"),
        [
            ("5.8.9", "opensource", "", []),
            ("5.8.9", "opensource", "default", []),
            ("5.8.9", "opensource", "given", ["license_in_opensource"]),
            ("5.8.9", "enterprise", "", []),
            ("5.8.9", "enterprise", "given", []),
            ("5.8.9", "enterprise", "evaluation", ["license_not_in_version"]),
            ("5.10.4", "enterprise", "", ["license_needed"]),
            ("5.10.4", "enterprise", "default", ["license_needed"]),
            ("5.10.4", "enterprise", "given", []),
            ("5.10.4", "enterprise", "evaluation", []),
            ("6.2.2", "", "", ["license_needed"]),
            ("", "", "", []),
        ],
    )
    def test_by_version(self, version: str, edition: str, given: str, codes: list[str]) -> None:
        found = errors(all_three(license=given), edition, version=version)
        assert found == [(code, "") for code in codes]

    def test_names_the_hosts_without_and_never_the_key(self) -> None:
        members = [
            topology.member(f"n{n}", f"10.0.0.{n}", Settings(license="" if n == 2 else "TheKey"))
            for n in (1, 2, 3)
        ]
        assert error(members, version="5.10.4").sentence() == (
            "Cluster, emqx_license: expected a licence on all nodes, as EMQX 5.10.4 clusters with "
            "one only, found none or default, the community licence for a single node, on n2: set "
            "it to your key, to file:///PATH on the hosts, or to evaluation (25 sessions, 30 "
            "days) for all nodes, or use EMQX 5.8, which clusters without."
        )
        assert "TheKey" not in str(build(members, version="5.10.4"))

    def test_a_single_node_needs_none(self) -> None:
        assert errors(three()[:1], version="5.10.4") == []

    def test_evaluation_is_not_for_production(self) -> None:
        found = warnings(all_three(license="evaluation"), version="5.10.4")
        assert found == [("license_evaluation", "")]


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
        members = [Member(f"n{n}", f"10.0.0.{n}") for n in range(1, cores + 1)]
        assert warnings(members) == [(code, "") for code in codes]

    def test_mixed_name_styles(self) -> None:
        assert warnings(three(node_address="n3.example")) == [("mixed_name_styles", "")]

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("emqx2024@10.0.0.3", "number_like_suffix"),
            ("emqx-589@10.0.0.3", ""),
            ("emqx50001@10.0.0.3", "large_suffix"),
            ("emqx59999@10.0.0.3", "large_suffix"),
        ],
    )
    def test_suffixes(self, name: str, code: str) -> None:
        assert warnings(three(node_name=name)) == ([(code, "n3")] if code else [])
        assert errors(three(node_name=name)) == []

    @pytest.mark.parametrize("name", ["emqx60000@10.0.0.3", "emqx20240601@10.0.0.3"])
    def test_a_suffix_that_ports_do_not_follow(self, name: str) -> None:
        assert errors(three(node_name=name)) == [("suffix_too_large", "n3")]
        assert warnings(three(node_name=name)) == []


class TestRpcPortsOfHosts:
    """Each node derives the RPC port of a peer from its own settings, so all have the same."""

    def test_package_and_container_do_not_mix(self) -> None:
        members = all_three(rpc_port_discovery="stateless")
        members[2] = replace(members[2], rpc_port_discovery="manual")
        found = error(members)
        assert found.code == "mixed_rpc_ports"
        assert found.found == "stateless on n1, n2 and manual on n3"
        assert "set emqx_rpc_port_discovery for the whole cluster" in found.remedy

    def test_the_port_counts_with_manual_discovery(self) -> None:
        members = all_three(rpc_port_discovery="manual", rpc_server_port=5369)
        assert errors(members, rpc_port_discovery="manual") == []
        members[1] = replace(members[1], rpc_server_port=7000)
        found = error(members, rpc_port_discovery="manual")
        assert (found.subject, found.found) == (
            "emqx_rpc_server_port",
            "5369 on n1, n3 and 7000 on n2",
        )

    def test_without_it_the_port_means_nothing(self) -> None:
        members = all_three(rpc_port_discovery="stateless")
        members[2] = replace(members[2], rpc_server_port=7000)
        assert errors(members) == []

    def test_a_host_outside_the_run_may_say_nothing(self) -> None:
        assert errors(three(rpc_port_discovery="manual")) == []
