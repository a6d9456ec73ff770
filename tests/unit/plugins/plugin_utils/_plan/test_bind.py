# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a host gets to serve the zone of a cluster."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.filter.topology import topology
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    ServiceState,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import bind, topology_nodes
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.zone import ZoneSettings
from ansible_collections.mqttops.emqx.tests.unit.tls_records import node

SETTINGS = ZoneSettings("mq.example", "mq.example", "a")
SERVERS = {"s1": "10.0.0.53", "s2": "10.0.0.54"}
NODES = [node("10.0.0.1", host_is_ip=True)]


def plan(host: str = "s1", named_conf: str = "", **state: t.Any) -> dict[str, t.Any]:
    fixed = {"platform": {"format": "deb", "name": "Debian"}}
    found = HostState(**{**fixed, **state})
    return bind.plan(host, SERVERS, NODES, SETTINGS, found, named_conf)


def test_a_primary_and_a_secondary() -> None:
    first, second = plan("s1"), plan("s2")
    assert first["findings"] == []
    assert (first["primary"], second["primary"]) == (True, False)
    assert first["addresses"] == ["10.0.0.53", "10.0.0.54"]
    assert [" ".join(record.values()) for record in first["records"]] == [
        "mq.example. NS ns1.mq.example.",
        "ns1.mq.example. A 10.0.0.53",
        "mq.example. NS ns2.mq.example.",
        "ns2.mq.example. A 10.0.0.54",
        "mq.example. A 10.0.0.1",
    ]


def test_what_is_there_is_not_installed() -> None:
    assert (plan()["install"], plan()["starts"]) == ("deb", False)
    found = plan(platform={"format": "rpm"}, package_name="bind", service=ServiceState(exists=True))
    assert (found["install"], found["starts"]) == ("", True)
    assert found["layout"]["config"] == "/etc/named.conf"


def test_hosts_that_cannot_be() -> None:
    found = plan(
        platform={"format": "tar.gz", "name": "Alpine"}, named_conf='zone "shop.example" {'
    )
    assert [finding.sentence() for finding in found["findings"]] == [
        "Host s1: expected Debian, Ubuntu, RHEL or a rebuild, found Alpine: take another host as "
        "name server.",
        "Host s1, named.service: expected a name server for this role alone, found one with the "
        "zones shop.example: take another host, or only the records (bind_records_file).",
    ]


def test_settings_that_cannot_be() -> None:
    state = HostState(platform={"format": "deb"})
    for address in ("ns1.example.org", "10.0.0.53; }", ""):
        (finding,) = bind.plan("s1", {"s1": address}, NODES, SETTINGS, state, "")["findings"]
        assert (finding.code, finding.subject, finding.hosts) == (
            "bind_address",
            "bind_address",
            ("s1",),
        )
    for ttl in (-1, 2**31):
        (finding,) = bind.plan("s1", SERVERS, NODES, SETTINGS, state, "", ttl)["findings"]
        assert finding.subject == "bind_ttl"


def test_records_without_a_server() -> None:
    found, text = bind.records(NODES, SETTINGS, 10)
    assert found.findings == ()
    assert text == "mq.example. 10 IN A 10.0.0.1\n"


def test_nodes_of_the_public_filter() -> None:
    hostvars = {"n1": {"ansible_host": "10.0.0.1", "emqx_node_role": "replicant"}}
    (found,) = topology_nodes.nodes(topology(hostvars, ["n1"]))
    assert (found.name, found.role, found.addresses) == (
        "emqx@10.0.0.1",
        "replicant",
        ("10.0.0.1",),
    )
    assert (found.dist_port, found.host_is_ip) == (4370, True)
