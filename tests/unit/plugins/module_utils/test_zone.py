# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import dns.zone
import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils import _zone
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import topology

NOW = 1_795_000_000


def nodes(host: str, *addresses: str, **more: t.Any) -> list[dict[str, t.Any]]:
    members: list[dict[str, t.Any]] = [
        {
            "inventory_host": f"n{n}",
            "ansible_host": address,
            "emqx_node_address": host.format(n=n, address=address),
            **more,
        }
        for n, address in enumerate(addresses, 1)
    ]
    return list(topology.build(members, {})["nodes"].values())


def wish(**more: t.Any) -> dict[str, t.Any]:
    return {
        "zone": "mq.example",
        "name": "mq.example",
        "record_type": "a",
        "nameservers": {"ns1.mq.example": "10.0.0.53"},
        "extra": [],
        **more,
    }


SRV = {"name": "_emqx._tcp.mq.example", "record_type": "srv"}
SERVER = ["mq.example. NS ns1.mq.example.", "ns1.mq.example. A 10.0.0.53"]


def shown(found: dict[str, t.Any]) -> list[str]:
    return [" ".join(record.values()) for record in found["records"]]


class TestPlan:
    def test_addresses(self) -> None:
        found = _zone.plan(nodes("{address}", "10.0.0.1", "10.0.0.2"), wish())
        assert found["errors"] == []
        assert shown(found) == [*SERVER, "mq.example. A 10.0.0.1", "mq.example. A 10.0.0.2"]

    def test_ipv6(self) -> None:
        found = _zone.plan(nodes("{address}", "fd00::1"), wish(record_type="aaaa"))
        assert shown(found)[2:] == ["mq.example. AAAA fd00::1"]

    def test_srv_and_the_addresses_of_its_targets(self) -> None:
        members = nodes("b{n}.mq.example", "10.0.0.1", "fd00::2")
        found = _zone.plan(members, wish(**SRV))
        assert found["errors"] == []
        assert shown(found)[2:] == [
            "_emqx._tcp.mq.example. SRV 0 0 4370 b1.mq.example.",
            "b1.mq.example. A 10.0.0.1",
            "_emqx._tcp.mq.example. SRV 0 0 4370 b2.mq.example.",
            "b2.mq.example. AAAA fd00::2",
        ]

    def test_targets_of_another_zone_are_not_ours(self) -> None:
        found = _zone.plan(nodes("b{n}.example.org", "10.0.0.1"), wish(**SRV))
        assert shown(found)[2:] == ["_emqx._tcp.mq.example. SRV 0 0 4370 b1.example.org."]

    def test_replicants_have_no_records(self) -> None:
        found = _zone.plan(nodes("{address}", "10.0.0.1", emqx_node_role="replicant"), wish())
        assert shown(found) == SERVER

    def test_more_records_and_servers_elsewhere(self) -> None:
        extra = [{"name": "web.mq.example.", "type": "cname", "value": "www.example."}]
        servers = {"ns.example.org": "10.0.0.53"}
        found = _zone.plan([], wish(extra=extra, nameservers=servers))
        assert shown(found) == [
            "mq.example. NS ns.example.org.",
            "web.mq.example. CNAME www.example.",
        ]

    @pytest.mark.parametrize(
        ("members", "changes", "sentence"),
        [
            ([], {"zone": ""}, "bind_zone is empty"),
            ([], {"name": ""}, "emqx_dns_name is empty"),
            ([], {"name": "mq.other"}, "emqx_dns_name is mq.other, expected a name within"),
            (nodes("b{n}.mq.example", "10.0.0.1"), {}, "Host n1: the node is named emqx@b1.mq."),
            (nodes("b{n}.mq.example", "host.lan"), SRV, "Host n1: no address is known of b1."),
            (
                [],
                {"extra": [{"name": "a.b.", "type": "A", "value": "10.0.0.1"}]},
                "bind_extra_records has a.b., expected names within mq.example.",
            ),
        ],
    )
    def test_errors(
        self, members: list[dict[str, t.Any]], changes: dict[str, t.Any], sentence: str
    ) -> None:
        (error,) = _zone.plan(members, wish(nameservers={}, **changes))["errors"]
        assert error.startswith(sentence)


class TestSettle:
    RECORDS = _zone.plan(nodes("{address}", "10.0.0.1", "10.0.0.2"), wish())["records"]

    def test_others_can_read_it(self) -> None:
        text, serial = _zone.settle("", "mq.example", self.RECORDS, 10, NOW)
        zone = dns.zone.from_text(text, "mq.example.", relativize=False)
        soa = zone.get_soa()
        assert (soa.serial, serial, soa.minimum) == (NOW, NOW, 10)
        assert str(soa.mname) == "ns1.mq.example."
        addresses = zone.get_rdataset("mq.example.", "A")
        assert addresses is not None
        assert sorted(str(address) for address in addresses) == ["10.0.0.1", "10.0.0.2"]
        assert addresses.ttl == 10

    def test_nothing_changes_the_serial_but_a_change(self) -> None:
        text, serial = _zone.settle("", "mq.example", self.RECORDS, 10, NOW)
        assert _zone.settle(text, "mq.example", self.RECORDS, 10, NOW + 99) == (text, serial)
        assert _zone.settle(text, "mq.example", self.RECORDS[:-1], 10, NOW + 99)[1] == NOW + 99

    @pytest.mark.parametrize("now", [NOW, NOW - 500])
    def test_it_grows_also_where_the_clock_does_not(self, now: int) -> None:
        text, serial = _zone.settle("", "mq.example", self.RECORDS, 10, NOW)
        assert _zone.settle(text, "mq.example", self.RECORDS[:-1], 10, now)[1] == serial + 1
        assert _zone.settle(text, "mq.example", self.RECORDS, 20, now)[1] == serial + 1


def test_foreign_zones() -> None:
    config = """
zone "." { type hint; };
zone "localhost" { type master; };
zone "127.in-addr.arpa" { };
zone "1.0.0.127.in-addr.arpa" IN { };
view "inside" {
        zone "Shop.Example" { };
};
zone "mq.example" { };
"""
    assert _zone.foreign_zones(config, "mq.example.") == ["Shop.Example"]
    assert _zone.foreign_zones("", "mq.example") == []
