# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import ufw as parsed
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import ufw
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Changes,
    Desired,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import Group, Rule

Tree = t.Dict[str, t.Any]
NO_UFW: Tree = {"count": 0, "ours": []}
RULES = tuple(Rule(port, "tcp", ("10.0.0.1", "fd00::/64"), "") for port in (4370, 5370, 5371))
TAG = "comment=6d7174746f70732e656d7178"


def rule(action: str, source: str, ports: str = "4370,5370:5371") -> Tree:
    return {"rule": action, "proto": "tcp", "to_port": ports, "from_ip": source}


WANTED4 = [rule("allow", "10.0.0.1"), rule("deny", "0.0.0.0/0")]
WANTED6 = [rule("allow", "fd00::/64"), rule("deny", "::/0")]


def family(count: int, *ours: tuple[int, Tree]) -> Tree:
    return {"count": count, "ours": [{**item, "place": place} for place, item in ours]}


def state(v4: Tree | None = None, v6: Tree | None = None, ipv6: bool = True) -> Tree:
    return {"ipv6": ipv6, "v4": v4 or NO_UFW, "v6": v6 or NO_UFW}


def whole() -> Tree:
    return state(
        family(2, (1, WANTED4[0]), (2, WANTED4[1])), family(2, (1, WANTED6[0]), (2, WANTED6[1]))
    )


def changes(rules: tuple[Rule, ...], found: Tree) -> Changes:
    return ufw.changes(Desired("n1", rules), HostState(firewall={"active": ["ufw"], "ufw": found}))


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
        assert parsed.parse_rules(self.TEXT) == family(6, (1, WANTED4[0]), (4, WANTED4[1]))
        assert parsed.parse_rules("") == NO_UFW

    def test_no_rule_that_ufw_takes_for_the_one_before(self) -> None:
        wanted = [Group("tcp", (1883,), ("0.0.0.0/0",))]
        assert ufw.ufw_rules(wanted, 4) == [rule("allow", "0.0.0.0/0", "1883")]
        assert ufw.ufw_rules(wanted, 6) == [rule("deny", "::/0", "1883")]

    def test_no_more_ports_than_one_rule_takes(self) -> None:
        ports = list(range(1000, 1040, 2))
        found = ufw.ufw_rules([Group("tcp", (*ports, 2000, 2001), ())], 4)
        assert [item["to_port"].count(",") for item in found] == [14, 5]
        assert found[1]["to_port"].endswith(",2000:2001")

    @pytest.mark.parametrize(
        ("found", "places"),
        [
            pytest.param(state(), [0, 0, 0, 0], id="empty"),
            pytest.param(state(family(3), family(2)), [1, 2, 6, 7], id="before those of others"),
            pytest.param(state(family(3)), [1, 2, 0, 0], id="none of IPv6 yet"),
            pytest.param(whole(), [], id="unchanged"),
            pytest.param(
                state(family(3, (1, rule("allow", "10.0.0.9")), (2, WANTED4[1])), whole()["v6"]),
                [1],
                id="a member more",
            ),
            pytest.param(
                state(family(5, (2, WANTED4[0])), whole()["v6"]),
                [3],
                id="after the last that allows",
            ),
            pytest.param(state(family(2, (2, WANTED4[0])), whole()["v6"]), [0], id="at the end"),
            pytest.param(state(family(3), ipv6=False), [1, 2], id="without IPv6"),
        ],
    )
    def test_places(self, found: Tree, places: list[int]) -> None:
        assert [item["insert"] for item in changes(RULES, found).add] == places

    def test_places_are_where_the_rules_end_up(self) -> None:
        listed = [["foreign"], ["foreign"]]
        for item in changes(RULES, state(family(1), family(1))).add:
            lines = listed[":" in item["from_ip"]]
            offset = len(listed[0]) if ":" in item["from_ip"] else 0
            assert item["insert"] > offset
            lines.insert(item["insert"] - offset - 1, item["rule"])
        assert listed == [["allow", "deny", "foreign"]] * 2

    def test_what_is_removed(self) -> None:
        gone = rule("allow", "10.0.0.9")
        found = state(family(3, (1, gone), (2, WANTED4[0]), (3, WANTED4[1])), whole()["v6"])
        assert changes(RULES, found) == Changes(remove=(gone,))
        assert changes((), whole()) == Changes(
            remove=(WANTED4[1], WANTED6[1], WANTED4[0], WANTED6[0])
        )

    def test_udp_has_rules_of_its_own(self) -> None:
        found = ufw.ufw_rules([Group("udp", (1884,), ("10.0.0.1",))], 4)
        assert [(item["rule"], item["proto"]) for item in found] == [
            ("allow", "udp"),
            ("deny", "udp"),
        ]
