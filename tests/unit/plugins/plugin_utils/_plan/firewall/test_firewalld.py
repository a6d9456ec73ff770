# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import firewalld as parsed
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import firewalld
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Changes,
    Desired,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import Rule, groups

Zones = t.Dict[str, t.Dict[str, t.List[str]]]
RULES = tuple(Rule(port, "tcp", ("10.0.0.1", "fd00::/64"), "") for port in (4370, 5370, 5371))
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


def host(zones: Zones) -> HostState:
    found = {"default_zone": "public", "known_zones": ["internal", "public"], "zones": zones}
    return HostState(firewall={"active": ["firewalld"], "firewalld": found})


class TestFirewalld:
    def test_rules_as_firewalld_prints_them(self) -> None:
        assert firewalld.rich_rules(groups(RULES)) == RICH
        assert all(map(parsed.is_ours, RICH))

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
        assert not parsed.is_ours(rule)

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
    def test_changes(
        self,
        zones: list[str],
        present: Zones,
        add: list[tuple[str, str]],
        remove: list[tuple[str, str]],
    ) -> None:
        found = firewalld.changes(Desired("n1", RULES, tuple(zones)), host(present))
        assert [(item["zone"], item["rule"]) for item in found.add] == add
        assert [(item["zone"], item["rule"]) for item in found.remove] == remove

    def test_a_member_that_departed(self) -> None:
        gone = RICH[0].replace("10.0.0.1", "10.0.0.9")
        found = firewalld.changes(Desired("n1", RULES), host({"public": at_work(*RICH, gone)}))
        assert found == Changes(remove=({"zone": "public", "rule": gone},))

    def test_udp_has_rules_of_its_own(self) -> None:
        rules = (Rule(1884, "udp", ("10.0.0.1",), "clients"), Rule(1884, "tcp", ("10.0.0.1",), ""))
        assert firewalld.rich_rules(groups(rules))[0].endswith('port="1884" protocol="udp" accept')
        assert len(firewalld.rich_rules(groups(rules))) == 4

    def test_a_zone_file(self) -> None:
        assert parsed.parse_zone(ZONE) == [RICH[0], RICH[5]]
        assert parsed.parse_zone("") == []
        assert parsed.parse_zone("<zone>") == []

    def test_a_reply_of_the_bus(self) -> None:
        quoted = [rule.replace('"', '\\"') for rule in RICH]
        reply = "as 6 " + " ".join(f'"{rule}"' for rule in quoted) + "\n"
        assert parsed.parse_reply(reply) == RICH
        assert parsed.parse_reply("as 0\n") == []
        assert parsed.parse_reply('s "public"\n') == ["public"]
