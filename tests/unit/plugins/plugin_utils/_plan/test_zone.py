# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import zone
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.zone import Zone, ZoneSettings
from ansible_collections.mqttops.emqx.tests.unit import tls_records


def nodes(host: str, *addresses: str, role: str = "core") -> list[Node]:
    """Nodes of which the addresses are known, but for those that are empty."""
    return [
        tls_records.node(
            host.format(n=n, address=address),
            f"n{n}",
            role,
            addresses=(address,) if address else (),
            host_is_ip=host == "{address}",
        )
        for n, address in enumerate(addresses, 1)
    ]


def desired(**more: t.Any) -> ZoneSettings:
    fixed: dict[str, t.Any] = {
        "zone": "mq.example",
        "name": "mq.example",
        "record_type": "a",
        "nameservers": {"ns1.mq.example": "10.0.0.53"},
    }
    return ZoneSettings(**{**fixed, **more})


SRV = {"name": "_emqx._tcp.mq.example", "record_type": "srv"}
SERVER = ["mq.example. NS ns1.mq.example.", "ns1.mq.example. A 10.0.0.53"]


def shown(found: Zone) -> list[str]:
    return [" ".join(record.values()) for record in found.records]


class TestPlan:
    def test_addresses(self) -> None:
        found = zone.plan(nodes("{address}", "10.0.0.1", "10.0.0.2"), desired())
        assert found.findings == ()
        assert shown(found) == [*SERVER, "mq.example. A 10.0.0.1", "mq.example. A 10.0.0.2"]

    def test_ipv6(self) -> None:
        found = zone.plan(nodes("{address}", "fd00::1"), desired(record_type="aaaa"))
        assert shown(found)[2:] == ["mq.example. AAAA fd00::1"]

    def test_srv_and_the_addresses_of_its_targets(self) -> None:
        members = nodes("b{n}.mq.example", "10.0.0.1", "fd00::2")
        found = zone.plan(members, desired(**SRV))
        assert found.findings == ()
        assert shown(found)[2:] == [
            "_emqx._tcp.mq.example. SRV 0 0 4370 b1.mq.example.",
            "b1.mq.example. A 10.0.0.1",
            "_emqx._tcp.mq.example. SRV 0 0 4370 b2.mq.example.",
            "b2.mq.example. AAAA fd00::2",
        ]

    def test_targets_of_another_zone_are_not_ours(self) -> None:
        found = zone.plan(nodes("b{n}.example.org", "10.0.0.1"), desired(**SRV))
        assert shown(found)[2:] == ["_emqx._tcp.mq.example. SRV 0 0 4370 b1.example.org."]

    def test_replicants_have_no_records(self) -> None:
        found = zone.plan(nodes("{address}", "10.0.0.1", role="replicant"), desired())
        assert shown(found) == SERVER

    def test_more_records_and_servers_elsewhere(self) -> None:
        extra = ({"name": "web.mq.example.", "type": "cname", "value": "www.example."},)
        servers = {"ns.example.org": "10.0.0.53"}
        found = zone.plan([], desired(extra=extra, nameservers=servers))
        assert shown(found) == [
            "mq.example. NS ns.example.org.",
            "web.mq.example. CNAME www.example.",
        ]

    @pytest.mark.parametrize(
        ("members", "changes", "sentence"),
        [
            ([], {"zone": ""}, "Cluster, bind_zone: expected the zone that"),
            ([], {"zone": 'a"; };'}, "Cluster, bind_zone: expected the name of a zone"),
            ([], {"zone": "mq example"}, "Cluster, bind_zone: expected the name of a zone"),
            ([], {"name": ""}, "Cluster, emqx_dns_name: expected the name whose"),
            (
                [],
                {"name": "mq.other"},
                "Cluster, emqx_dns_name: expected a name within bind_zone mq.example, found mq.o",
            ),
            (
                nodes("b{n}.mq.example", "10.0.0.1"),
                {},
                "Host n1, emqx_node_address: expected an address after the @ with records of type "
                "A, found a node named emqx@b1.mq.",
            ),
            (
                nodes("b{n}.mq.example", ""),
                SRV,
                "Host n1, emqx_node_addresses: expected an address of b1.mq.example for its record",
            ),
            (
                [],
                {"extra": ({"name": "a.b.", "type": "A", "value": "10.0.0.1"},)},
                "Cluster, bind_extra_records: expected names within mq.example., found a.b.",
            ),
        ],
    )
    def test_findings(self, members: list[Node], changes: dict[str, t.Any], sentence: str) -> None:
        (finding,) = zone.plan(members, desired(nameservers={}, **changes)).findings
        assert finding.sentence().startswith(sentence)

    def test_all_of_one_node(self) -> None:
        findings = zone.plan(nodes("b{n}.mq.example", ""), desired()).findings
        assert [finding.code for finding in findings] == ["dns_node_name", "dns_address"]


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
    assert zone.foreign_zones(config, "mq.example.") == ["Shop.Example"]
    assert zone.foreign_zones("", "mq.example") == []
