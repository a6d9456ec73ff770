# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.filter.topology import FilterModule

topology = FilterModule().filters()["topology"]

HOSTVARS: dict[str, dict[str, t.Any]] = {
    "n1": {"ansible_host": "10.0.0.1", "emqx_node_role": "core", "unrelated": object()},
    "n2": {"emqx_node_address": "n2.example", "emqx_node_role": "replicant"},
    "n3": {
        "ansible_host": "10.0.0.1",
        "emqx_instance": "2",
        "emqx_node_addresses": ["10.1.0.1"],
        "emqx_server": "10.0.0.1",
        "emqx_firewall_listener_ports": [1884, "8884"],
        "emqx_license": "TheKey",
    },
}
EMPTY = ("node_name", "node_address", "node_role", "node_addresses", "server", "instance")


def model(*hosts: str, **settings: t.Any) -> t.Any:
    return topology(HOSTVARS, list(hosts), settings)


def codes(found: t.Any) -> list[str]:
    return [finding["code"] for finding in found["errors"]]


def test_the_documented_form() -> None:
    found = model("n1", "n2", discovery_strategy="static", version="5.7.2")
    assert found == {
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
                "version": "5.7.2",
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
            "n2": found["nodes"]["n2"],
        },
        "members": ["emqx@10.0.0.1", "emqx@n2.example"],
        "cores": ["emqx@10.0.0.1"],
        "replicants": ["emqx@n2.example"],
        "seeds": ["emqx@10.0.0.1"],
        "cluster_ports": [4370, 5370],
        "addresses": ["10.0.0.1"],
        "ipv6": False,
        "rpc": {"port_discovery": "stateless"},
        "discovery": {"static": {"seeds": ["emqx@10.0.0.1"]}},
        "errors": [],
        "warnings": found["warnings"],
    }
    assert found["nodes"]["n2"]["role"] == "replicant"
    assert [finding["code"] for finding in found["warnings"]] == [
        "mixed_name_styles",
        "single_core",
    ]


def test_reads_the_variables_of_a_host() -> None:
    node = model("n3")["nodes"]["n3"]
    assert (node["name"], node["dist_port"], node["addresses"]) == (
        "emqx2@10.0.0.1",
        4372,
        ["10.1.0.1"],
    )
    assert (node["listener_ports"], node["license"]) == ([1884, 8884], "given")
    assert node["listeners"]["dashboard"] == 18103
    assert "TheKey" not in str(model("n3"))


def test_empty_variables_are_defaults() -> None:
    hostvars = {"n1.example": {f"emqx_{name}": "" for name in EMPTY}}
    node = topology(hostvars, ["n1.example"])["nodes"]["n1.example"]
    assert (node["name"], node["role"], node["addresses"]) == ("emqx@n1.example", "core", [])


@pytest.mark.parametrize("number", ["two", "1b", -1, 80])
def test_what_is_no_instance(number: object) -> None:
    hostvars = {"n1.example": {"emqx_instance": number, "emqx_node_name": "emqx@n1.example"}}
    assert codes(topology(hostvars, ["n1.example"])) == ["bad_instance"]


@pytest.mark.parametrize("port", [0, 65536, -1, "x", "5369 "])
def test_what_is_no_port(port: object) -> None:
    assert codes(model("n1", rpc_server_port=port)) == ["bad_port"]


def test_a_port_as_text() -> None:
    found = model("n1", rpc_port_discovery="manual", rpc_server_port="7000")
    assert found["cluster_ports"] == [4370, 7000]


def test_settings_of_a_strategy() -> None:
    files = {"cacertfile": "/e/ca.pem", "certfile": "", "keyfile": None}
    servers = "https://e1:2379, https://e2:2379"
    etcd = {"etcd_servers": servers, "etcd_prefix": "mq", "etcd_ssl": files}
    found = model("n1", discovery_strategy="etcd", version="5.8.9", **etcd)
    assert found["discovery"]["etcd"] == {
        "server": "https://e1:2379,https://e2:2379",
        "prefix": "mq",
        "ssl_options": {"enable": True, "verify": "verify_peer", "cacertfile": "/e/ca.pem"},
    }
    k8s = {"discovery_strategy": "k8s", "k8s_apiserver": "https://k8s", "k8s_token": True}
    assert [f["code"] for f in model("n1", **k8s)["warnings"]] == [
        "single_core",
        "k8s_not_verified",
    ]


def test_tls_of_the_transport_is_none_of_its_business() -> None:
    assert codes(model("n1", proto_dist="inet_tls")) == []


def test_findings_in_the_documented_form() -> None:
    (finding,) = topology({"n1": {}}, ["n1"])["errors"]
    assert finding == {
        "code": "bad_host",
        "host": "n1",
        "variable": "emqx_node_name",
        "expected": "an IP address or a FQDN (with a dot) after the @",
        "found": "emqx@n1",
        "remedy": "set emqx_node_address of n1 to the IP address or FQDN its peers use",
        "message": (
            "Host n1, emqx_node_name: expected an IP address or a FQDN (with a dot) after the @, "
            "found emqx@n1: set emqx_node_address of n1 to the IP address or FQDN its peers use."
        ),
    }


def test_host_that_is_not_in_the_inventory() -> None:
    found = model("n1", "nX", "nY")
    assert [(e["code"], e["host"], e["variable"]) for e in found["errors"]] == [
        ("unknown_host", "nX", "emqx_cluster_hosts"),
        ("unknown_host", "nY", "emqx_cluster_hosts"),
    ]
    assert found["members"] == ["emqx@10.0.0.1"]


def test_only_unknown_hosts_are_not_called_an_empty_list() -> None:
    assert codes(topology({}, ["nX"])) == ["unknown_host"]
    assert codes(topology({}, [])) == ["no_members"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((None, ["n1"]), "found NoneType"),
        ((["n1"], ["n1"]), "hostvars"),
        (({}, "n1"), "set emqx_cluster_hosts to a list"),
        (({}, None), "found NoneType"),
        (({}, {"n1": 1}), "found dict"),
        (({}, [], ["static"]), "settings as a dictionary"),
        (({}, [], {"strategy": "static"}), "Unknown topology settings: strategy"),
    ],
)
def test_wrong_types(arguments: tuple[t.Any, ...], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        topology(*arguments)
