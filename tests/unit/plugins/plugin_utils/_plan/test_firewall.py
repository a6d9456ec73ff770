# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import firewalld as _firewalld
from ansible_collections.mqttops.emqx.plugins.module_utils._host import ufw as _ufw
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import topology as _topology
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import firewall

Tree = t.Dict[str, t.Any]
WISH: Tree = {
    "host": "n1",
    "backend": "auto",
    "zones": [],
    "listener_networks": [],
    "container_subnet": "",
    "dashboard_networks": [],
    "members": {"n1": ["10.0.0.1"], "n2": ["10.0.0.2"]},
}
NO_UFW: Tree = {"count": 0, "ours": []}
FOUND: Tree = {
    "active": [],
    "firewalld": {"default_zone": "public", "known_zones": ["internal", "public"], "zones": {}},
    "ufw": {"ipv6": True, "v4": NO_UFW, "v6": NO_UFW},
}
MEMBERS = ["10.0.0.1", "10.0.0.2"]


def topology(members: Tree, **settings: t.Any) -> Tree:
    """Build a model of inventory hosts and their variables."""
    listed = [{"inventory_host": host, **variables} for host, variables in members.items()]
    model = _topology.build(listed, settings)
    assert model["errors"] == []
    return model


TWO = topology({"n1": {"ansible_host": "10.0.0.1"}, "n2": {"ansible_host": "10.0.0.2"}})


def opened(rules: t.Sequence[Tree]) -> list[tuple[int, list[str]]]:
    return [(rule["port"], rule["sources"]) for rule in rules]


class TestRules:
    @pytest.mark.parametrize(
        ("members", "settings", "wish", "expected"),
        [
            pytest.param(
                {"n1": {"ansible_host": "10.0.0.1"}, "n2": {"ansible_host": "10.0.0.2"}},
                {},
                {},
                [(4370, MEMBERS), (5370, MEMBERS)],
                id="stateless",
            ),
            pytest.param(
                {"n1": {"ansible_host": "10.0.0.1"}, "n2": {"ansible_host": "10.0.0.2"}},
                {"rpc_port_discovery": "manual"},
                {},
                [(4370, MEMBERS), (5369, MEMBERS)],
                id="manual",
            ),
            pytest.param(
                {
                    "n1": {"ansible_host": "10.0.0.1"},
                    "n1b": {"emqx_instance": 1, "ansible_host": "10.0.0.1"},
                    "n2": {"emqx_node_name": "emqx7@10.0.0.2", "ansible_host": "10.0.0.2"},
                },
                {},
                {},
                [(4370, MEMBERS), (5370, MEMBERS), (4371, MEMBERS), (5371, MEMBERS)],
                id="all nodes of this server, none of others",
            ),
            pytest.param(
                {
                    "n1": {
                        "ansible_host": "192.0.2.1",
                        "emqx_node_name": "emqx@n1.example",
                        "emqx_node_addresses": ["FD00::0001", "10.0.0.1", "10.0.0.1"],
                    },
                },
                {},
                {},
                [(4370, ["10.0.0.1", "fd00::1"]), (5370, ["10.0.0.1", "fd00::1"])],
                id="both families, once",
            ),
            pytest.param(
                {
                    "n1": {
                        "ansible_host": "10.0.0.1",
                        "emqx_firewall_listener_ports": [8883, "1883"],
                    }
                },
                {},
                {
                    "listener_networks": ["10.9.8.7/8", "10.1.0.0/16", "2001:db8::/32"],
                    "dashboard_networks": ["192.0.2.0/24"],
                },
                [
                    (4370, ["10.0.0.1"]),
                    (5370, ["10.0.0.1"]),
                    (1883, ["10.0.0.0/8", "2001:db8::/32"]),
                    (8883, ["10.0.0.0/8", "2001:db8::/32"]),
                    (18083, ["192.0.2.0/24"]),
                ],
                id="named networks",
            ),
            pytest.param(
                {"n1": {"ansible_host": "10.0.0.1", "emqx_firewall_listener_ports": [4370]}},
                {},
                {"listener_networks": ["0.0.0.0/0"]},
                [(4370, ["10.0.0.1"]), (5370, ["10.0.0.1"])],
                id="a cluster port is never a listener's",
            ),
            pytest.param(
                {
                    "n1": {"ansible_host": "10.0.0.1", "emqx_instance": 1},
                    "n1b": {"ansible_host": "10.0.0.1", "emqx_instance": 2},
                },
                {},
                {"dashboard_networks": ["192.0.2.0/24"]},
                [
                    *((port, ["10.0.0.1"]) for port in (4371, 5371, 4372, 5372)),
                    *((port, ["192.0.2.0/24"]) for port in (18093, 18103)),
                ],
                id="dashboards of all instances",
            ),
        ],
    )
    def test_ports_and_sources(
        self, members: Tree, settings: Tree, wish: Tree, expected: list[t.Any]
    ) -> None:
        found = firewall.rules(topology(members, **settings), "n1", {**WISH, **wish})
        assert opened(found) == expected

    def test_a_rule_says_what_it_is_for(self) -> None:
        wish = {**WISH, "dashboard_networks": ["192.0.2.0/24"]}
        assert firewall.rules(TWO, "n2", wish) == [
            {
                "port": 4370,
                "protocol": "tcp",
                "sources": MEMBERS,
                "purpose": "Erlang distribution of emqx@10.0.0.2",
            },
            {
                "port": 5370,
                "protocol": "tcp",
                "sources": MEMBERS,
                "purpose": "RPC of emqx@10.0.0.2",
            },
            {
                "port": 18083,
                "protocol": "tcp",
                "sources": ["192.0.2.0/24"],
                "purpose": "dashboard and REST API",
            },
        ]

    @pytest.mark.parametrize("source", ["10.0.0.0/33", "n1.example", "", "fe80::1%eth0/64"])
    def test_what_is_no_source(self, source: str) -> None:
        with pytest.raises(InputError, match="expected an IP address or a network"):
            firewall.networks([source])

    def test_a_hundred_members_are_no_work(self) -> None:
        addresses = [f"10.0.{i // 250}.{i % 250}" for i in range(1000)]
        assert firewall.networks(reversed(addresses)) == addresses


def test_nftables() -> None:
    rules = firewall.rules(
        topology(
            {"n1": {"ansible_host": "10.0.0.1", "emqx_node_addresses": ["10.0.0.1", "fd::1"]}}
        ),
        "n1",
        {**WISH, "dashboard_networks": ["192.0.2.0/24"]},
    )
    assert firewall.nftables(rules) == (
        '    iifname "lo" accept\n'
        "    tcp dport { 4370, 5370 } ip saddr { 10.0.0.1 } accept\n"
        "    tcp dport { 4370, 5370 } ip6 saddr { fd::1 } accept\n"
        "    tcp dport { 4370, 5370 } counter drop\n"
        "    tcp dport { 18083 } ip saddr { 192.0.2.0/24 } accept\n"
        "    tcp dport { 18083 } counter drop\n"
    )


GROUPS: list[_firewalld.Group] = [("tcp", [4370, 5370, 5371], ["10.0.0.1", "fd00::/64"])]
RICH = [
    'rule priority="-4370" family="ipv4" source address="10.0.0.1" '
    'port port="4370" protocol="tcp" accept',
    'rule priority="-4370" family="ipv6" source address="fd00::/64" '
    'port port="4370" protocol="tcp" accept',
    'rule priority="-4370" family="ipv4" source address="10.0.0.1" '
    'port port="5370-5371" protocol="tcp" accept',
    'rule priority="-4370" family="ipv6" source address="fd00::/64" '
    'port port="5370-5371" protocol="tcp" accept',
    'rule priority="-4369" port port="4370" protocol="tcp" drop',
    'rule priority="-4369" port port="5370-5371" protocol="tcp" drop',
]
# As firewalld 1.3 writes it.
ZONE = """<?xml version="1.0" encoding="utf-8"?>
<zone>
  <service name="ssh"/>
  <rule family="ipv4" priority="-4370">
    <source address="10.0.0.1"/>
    <port port="4370" protocol="tcp"/>
    <accept/>
  </rule>
  <rule priority="-4369">
    <port port="5370-5371" protocol="tcp"/>
    <drop/>
  </rule>
  <rule family="ipv4"><source address="10.0.0.1"/><port port="4370" protocol="tcp"/><accept/></rule>
  <rule priority="-4370"><service name="ssh"/><accept/></rule>
  <rule priority="x"><port port="1" protocol="tcp"/><drop/></rule>
  <rule priority="-4370"><port port="1" protocol="tcp"/><reject/></rule>
  <forward/>
</zone>
"""


def at_work(*rules: str) -> dict[str, list[str]]:
    return {"runtime": list(rules), "permanent": list(rules)}


class TestFirewalld:
    def test_rules_as_firewalld_prints_them(self) -> None:
        assert _firewalld.rich_rules(GROUPS) == RICH
        assert all(map(_firewalld.is_ours, RICH))

    @pytest.mark.parametrize(
        "rule",
        [
            'rule family="ipv4" source address="10.0.0.1" port port="4370" protocol="tcp" accept',
            'rule priority="-437" service name="ssh" accept',
            'rule priority="4370" port port="4370" protocol="tcp" drop',
            "",
        ],
    )
    def test_rules_of_others(self, rule: str) -> None:
        assert not _firewalld.is_ours(rule)

    @pytest.mark.parametrize(
        ("zones", "present", "add", "remove"),
        [
            (["public"], {}, [("public", rule) for rule in RICH], []),
            (["public"], {"public": at_work(*reversed(RICH))}, [], []),
            (
                ["public"],
                {"public": {"runtime": RICH[:5], "permanent": RICH[1:]}},
                [("public", RICH[0]), ("public", RICH[5])],
                [],
            ),
            (
                ["internal", "public"],
                {"public": at_work(*RICH), "internal": at_work(*RICH[:1])},
                [("internal", rule) for rule in RICH[1:]],
                [],
            ),
            (
                ["internal"],
                {"internal": at_work(*RICH), "public": at_work(RICH[0], RICH[4])},
                [],
                [("public", RICH[4]), ("public", RICH[0])],
            ),
        ],
    )
    def test_plan(
        self, zones: list[str], present: Tree, add: list[t.Any], remove: list[t.Any]
    ) -> None:
        found = _firewalld.plan(GROUPS, zones, present)
        assert [(item["zone"], item["rule"]) for item in found["add"]] == add
        assert [(item["zone"], item["rule"]) for item in found["remove"]] == remove

    def test_a_member_that_departed(self) -> None:
        gone = RICH[0].replace("10.0.0.1", "10.0.0.9")
        found = _firewalld.plan(GROUPS, ["public"], {"public": at_work(*RICH, gone)})
        assert found == {"add": [], "remove": [{"zone": "public", "rule": gone}]}

    def test_a_zone_file(self) -> None:
        assert _firewalld.parse_zone(ZONE) == [RICH[0], RICH[5]]
        assert _firewalld.parse_zone("") == []
        assert _firewalld.parse_zone("<zone>") == []

    def test_a_reply_of_the_bus(self) -> None:
        quoted = [rule.replace('"', '\\"') for rule in RICH]
        reply = "as 6 " + " ".join(f'"{rule}"' for rule in quoted) + "\n"
        assert _firewalld.parse_reply(reply) == RICH
        assert _firewalld.parse_reply("as 0\n") == []
        assert _firewalld.parse_reply('s "public"\n') == ["public"]


TAG = "comment=6d7174746f70732e656d7178"


def rule(action: str, source: str, ports: str = "4370,5370:5371") -> Tree:
    return {"rule": action, "proto": "tcp", "to_port": ports, "from_ip": source}


WANTED4 = [rule("allow", "10.0.0.1"), rule("deny", "0.0.0.0/0")]
WANTED6 = [rule("allow", "fd00::/64"), rule("deny", "::/0")]


def family(count: int, *ours: tuple[int, Tree]) -> Tree:
    return {"count": count, "ours": [{**item, "place": place} for place, item in ours]}


def ufw(v4: Tree | None = None, v6: Tree | None = None, ipv6: bool = True) -> Tree:
    return {"ipv6": ipv6, "v4": v4 or NO_UFW, "v6": v6 or NO_UFW}


def whole() -> Tree:
    return ufw(
        family(2, (1, WANTED4[0]), (2, WANTED4[1])), family(2, (1, WANTED6[0]), (2, WANTED6[1]))
    )


class TestUfw:
    # As ufw 0.36 writes it; the profile Web has two protocols and so two lines.
    TEXT = f"""### RULES ###

### tuple ### allow tcp 4370,5370:5371 0.0.0.0/0 any 10.0.0.1 in_+ {TAG}
-A ufw-user-input -p tcp -m multiport --dports 4370,5370:5371 -s 10.0.0.1 -j ACCEPT

### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Web - in
### tuple ### allow udp 443 0.0.0.0/0 any 0.0.0.0/0 Web - in comment=77
### tuple ### allow tcp 4370,5370:5371 0.0.0.0/0 any 10.0.0.1 in
### tuple ### deny tcp 4370,5370:5371 0.0.0.0/0 any 0.0.0.0/0 in_+ {TAG}
### tuple ### deny tcp 4370 0.0.0.0/0 any 0.0.0.0/0 in {TAG}
### tuple ### route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_eth0 out_eth1

### END RULES ###
"""

    def test_a_file_of_rules(self) -> None:
        assert _ufw.parse_rules(self.TEXT) == family(6, (1, WANTED4[0]), (4, WANTED4[1]))
        assert _ufw.parse_rules("") == NO_UFW

    def test_no_rule_that_ufw_takes_for_the_one_before(self) -> None:
        groups: list[_firewalld.Group] = [("tcp", [1883], ["0.0.0.0/0"])]
        assert _ufw.ufw_rules(groups, 4) == [rule("allow", "0.0.0.0/0", "1883")]
        assert _ufw.ufw_rules(groups, 6) == [rule("deny", "::/0", "1883")]

    def test_no_more_ports_than_one_rule_takes(self) -> None:
        ports = list(range(1000, 1040, 2))
        found = _ufw.ufw_rules([("tcp", [*ports, 2000, 2001], [])], 4)
        assert [item["to_port"].count(",") for item in found] == [14, 5]
        assert found[1]["to_port"].endswith(",2000:2001")

    @pytest.mark.parametrize(
        ("found", "places"),
        [
            pytest.param(ufw(), [0, 0, 0, 0], id="empty"),
            pytest.param(ufw(family(3), family(2)), [1, 2, 6, 7], id="before those of others"),
            pytest.param(ufw(family(3)), [1, 2, 0, 0], id="none of IPv6 yet"),
            pytest.param(whole(), [], id="unchanged"),
            pytest.param(
                ufw(family(3, (1, rule("allow", "10.0.0.9")), (2, WANTED4[1])), whole()["v6"]),
                [1],
                id="a member more",
            ),
            pytest.param(
                ufw(family(5, (2, WANTED4[0])), whole()["v6"]), [3], id="after the last that allows"
            ),
            pytest.param(ufw(family(2, (2, WANTED4[0])), whole()["v6"]), [0], id="at the end"),
            pytest.param(ufw(family(3), ipv6=False), [1, 2], id="without IPv6"),
        ],
    )
    def test_places(self, found: Tree, places: list[int]) -> None:
        assert [item["insert"] for item in _ufw.plan(GROUPS, found)["add"]] == places

    def test_places_are_where_the_rules_end_up(self) -> None:
        listed = [["foreign"], ["foreign"]]
        for item in _ufw.plan(GROUPS, ufw(family(1), family(1)))["add"]:
            lines = listed[":" in item["from_ip"]]
            offset = len(listed[0]) if ":" in item["from_ip"] else 0
            assert item["insert"] > offset
            lines.insert(item["insert"] - offset - 1, item["rule"])
        assert listed == [["allow", "deny", "foreign"]] * 2

    def test_what_is_removed(self) -> None:
        gone = rule("allow", "10.0.0.9")
        found = ufw(family(3, (1, gone), (2, WANTED4[0]), (3, WANTED4[1])), whole()["v6"])
        assert _ufw.plan(GROUPS, found) == {"add": [], "remove": [gone]}
        assert _ufw.plan([], whole()) == {
            "add": [],
            "remove": [WANTED4[1], WANTED6[1], WANTED4[0], WANTED6[0]],
        }


class TestPlan:
    @pytest.mark.parametrize(
        ("chosen", "active", "expected"),
        [
            ("auto", [], "nftables"),
            ("auto", ["ufw"], "ufw"),
            ("auto", ["ufw", "firewalld"], "firewalld"),
            ("nftables", ["firewalld"], "nftables"),
            ("none", ["ufw"], "none"),
        ],
    )
    def test_backend(self, chosen: str, active: list[str], expected: str) -> None:
        assert firewall.backend(chosen, active) == expected

    def test_one_back_end_at_a_time(self) -> None:
        firewalld = {**FOUND["firewalld"], "zones": {"public": at_work(*RICH)}}
        found = {"active": ["ufw"], "firewalld": firewalld, "ufw": whole()}
        plan = firewall.plan(TWO, WISH, found)
        assert plan["backend"] == "ufw"
        assert plan["firewalld"]["add"] == []
        assert {item["rule"] for item in plan["firewalld"]["remove"]} == set(RICH)
        assert [item["from_ip"] for item in plan["ufw"]["add"]][:2] == MEMBERS
        plan = firewall.plan(TWO, {**WISH, "backend": "none"}, found)
        assert (plan["firewalld"]["add"], plan["ufw"]["add"]) == ([], [])
        assert len(plan["firewalld"]["remove"]) == len(RICH)
        assert len(plan["ufw"]["remove"]) == 4
        assert opened(plan["rules"]) == [(4370, MEMBERS), (5370, MEMBERS)]

    @pytest.mark.parametrize(("zones", "expected"), [([], "public"), (["internal"], "internal")])
    def test_zones(self, zones: list[str], expected: str) -> None:
        wish = {**WISH, "zones": zones}
        plan = firewall.plan(TWO, wish, {**FOUND, "active": ["firewalld"]})
        assert {item["zone"] for item in plan["firewalld"]["add"]} == {expected}


UFW_WITHOUT_IPV6: Tree = {"active": ["ufw"], "ufw": ufw(ipv6=False)}


class TestProblems:
    @pytest.mark.parametrize(
        ("wish", "found"),
        [
            ({}, {}),
            ({}, {"active": ["firewalld"]}),
            ({"backend": "ufw"}, {"active": ["ufw"]}),
            ({"backend": "firewalld", "zones": ["internal"]}, {"active": ["firewalld"]}),
            ({"backend": "none"}, {"active": ["firewalld", "ufw"]}),
            ({}, UFW_WITHOUT_IPV6),
            ({"listener_networks": ["2001:db8::/32"], "backend": "none"}, UFW_WITHOUT_IPV6),
        ],
    )
    def test_nothing_to_say(self, wish: Tree, found: Tree) -> None:
        assert list(firewall.problems({**FOUND, **found}, {**WISH, **wish})) == []

    @pytest.mark.parametrize(
        ("wish", "found", "severity", "code", "text"),
        [
            (
                {"backend": "firewalld"},
                {},
                "error",
                "firewall_inactive",
                "no firewall manager at work",
            ),
            (
                {"backend": "nftables"},
                {"active": ["firewalld"]},
                "warning",
                "other_firewall",
                "set emqx_firewall_backend to firewalld",
            ),
            ({}, {"active": ["firewalld", "ufw"]}, "warning", "other_firewall", "ufw at work, too"),
            (
                {"zones": ["internl"]},
                {"active": ["firewalld"]},
                "error",
                "unknown_zone",
                "internal, public",
            ),
            (
                {"dashboard_networks": ["10.0.0.0/33"]},
                {},
                "error",
                "firewall_source",
                "10.0.0.0/33",
            ),
            (
                {"members": {"n1": ["n1.example"]}},
                {},
                "error",
                "firewall_source",
                "emqx_node_addresses of n1",
            ),
            ({"members": {"n1": []}}, {}, "error", "no_address", "have it take part in this run"),
            (
                {"members": {"n1": ["10.0.0.1", "fd00::1"]}},
                UFW_WITHOUT_IPV6,
                "error",
                "ufw_without_ipv6",
                "fd00::1",
            ),
        ],
    )
    def test_what_speaks_against_a_run(
        self, wish: Tree, found: Tree, severity: str, code: str, text: str
    ) -> None:
        (problem,) = firewall.problems({**FOUND, **found}, {**WISH, **wish})
        assert problem[:2] == (severity, code)
        assert problem[2].startswith("emqx_")
        assert text in " ".join(problem)


class TestPublishedPorts:
    def test_what_is_forwarded_to_a_container_is_kept_as_well(self) -> None:
        wish = {**WISH, "container_subnet": "10.213.0.0/24"}
        text = firewall.plan(TWO, wish, FOUND)["published"]
        lines = [line.strip() for line in text.splitlines()]
        assert lines[:3] == [
            'iifname "lo" accept',
            "fib daddr type != local accept",
            "ip saddr 10.213.0.0/24 accept",
        ]
        assert lines[3:] == [
            "tcp dport { 4370, 5370 } ip saddr { 10.0.0.1, 10.0.0.2 } accept",
            "tcp dport { 4370, 5370 } counter drop",
        ]

    def test_nothing_on_the_hosts_own_network(self) -> None:
        assert firewall.plan(TWO, WISH, FOUND)["published"] == ""
