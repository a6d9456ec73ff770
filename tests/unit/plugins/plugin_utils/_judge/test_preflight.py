# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.preflight import check_host

Tree = t.Dict[str, t.Any]
DEB = "emqx-5.8.9-debian12-amd64.deb"
SHA, OTHER_SHA = "a" * 64, "b" * 64
COOKIE = "Qm7rT2xw9LkPz4aB"
WISH: Tree = {
    "host": "n1",
    "version": "5.8.9",
    "edition": "",
    "package": "",
    "package_sha256": "",
    "package_source": "download",
    "package_type": "package",
    "deployment": "package",
    "image": "",
    "container_network": "host",
    "download_url": "https://vendor.example",
    "min_free_mb": 1024,
    "config": {},
    "base_config": {},
    "environment": {},
    "cookie": COOKIE,
    "node_name": "emqx@10.0.0.1",
    "data_dir": "/var/lib/emqx",
    "package_stat": {},
    "tls": {"errors": [], "warnings": []},
    "missing_files": {},
    "package_node": "",
    "firewall": {
        "host": "n1",
        "backend": "auto",
        "zones": [],
        "listener_networks": [],
        "container_subnet": "",
        "dashboard_networks": [],
        "members": {"n1": ["10.0.0.1"]},
    },
}
DEBIAN = platforms.platform({"ID": "debian", "VERSION_ID": "12"}, "x86_64")
ALPINE = platforms.platform({"ID": "alpine", "VERSION_ID": "3.20"}, "x86_64")
ANSWER: Tree = {
    "platform": DEBIAN,
    "package": {"name": "", "version": ""},
    "release": "",
    "container": {
        "engine": False,
        "image": {"id": "", "names": []},
        "network": None,
        "version": "",
    },
    "disks": {"/usr": 5 << 30, "/var/lib/emqx": 5 << 30},
    "data_nodes": [],
    "firewall": {
        "active": [],
        "firewalld": {"default_zone": "", "known_zones": [], "zones": {}},
        "ufw": {
            "ipv6": True,
            "v4": {"count": 0, "ours": []},
            "v6": {"count": 0, "ours": []},
        },
    },
}
CONTAINER: Tree = {
    "deployment": "container",
    "container": {
        "engine": "podman",
        "network": "host",
        "subnet": "10.213.0.0/24",
        "address": "",
        "firewall": "nftables",
    },
}
INSTALLED: Tree = {"package": {"name": "emqx", "version": "5.8.9"}}
# A package on the control node, as it should be.
FILE: Tree = {
    "package": f"/tmp/{DEB}",
    "package_source": "controller",
    "package_stat": {"exists": True, "sha256": SHA, "sidecar": SHA},
}


def errors(wish: Tree | None = None, answer: Tree | None = None) -> list[Tree]:
    found = check_host({**ANSWER, **(answer or {})}, {**WISH, **(wish or {})})
    assert found["warnings"] == []
    return found["errors"]


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({}, {}),
        ({}, INSTALLED),
        ({}, {**INSTALLED, "data_nodes": ["emqx@10.0.0.1"]}),
        ({}, {"data_nodes": ["emqx@10.0.0.1", "emqx@old.example"]}),
        (FILE, {}),
        ({**FILE, "package_source": "host"}, {}),
        ({**FILE, "package_sha256": SHA.upper()}, {}),
        ({"package": f"https://mirror.example/{DEB}"}, {}),
        ({"package_source": "repository"}, {}),
        ({"package_type": "tarball"}, {"release": "5.8.9"}),
        ({**FILE, "package": "/tmp/emqx-5.8.9-debian12-amd64.tar.gz"}, {"platform": ALPINE}),
        ({**FILE, "package": "/tmp/mybuild.deb"}, {}),
        ({"config": {"mqtt.max_packet_size": "2MB", "node": {"process_limit": 9}}}, {}),
        ({"environment": {"EMQX_LOG__CONSOLE__LEVEL": "debug", "ERL_FLAGS": "+S 4"}}, {}),
        ({"base_config": {"mqtt.max_packet_size": "2MB"}}, {}),
    ],
)
def test_a_healthy_host_has_no_findings(wish: Tree, answer: Tree) -> None:
    assert errors(wish, answer) == []


FINDINGS = [
    ({"cookie": "emqxsecretcookie"}, {}, "cookie", "default EMQX ships", "leave emqx_cookie unset"),
    ({"cookie": "too-short"}, {}, "cookie", "9 characters", "16 to 64"),
    ({"cookie": ""}, {}, "cookie", "0 characters", "16 to 64"),
    (
        {"config": {"node": {"name": "emqx@10.0.0.9"}}},
        {},
        "owned_key",
        "node.name in emqx_config",
        "set emqx_node_name",
    ),
    ({"config": {"node.cookie": "x"}}, {}, "owned_key", "node.cookie in", "set emqx_cookie"),
    ({"config": {"node.db_role": "core"}}, {}, "owned_key", "node.db_role", "set emqx_node_role"),
    (
        {"config": {"cluster": {"static.seeds": ["emqx@10.0.0.1"]}}},
        {},
        "owned_key",
        "cluster.static.seeds in emqx_config",
        "set emqx_cluster_hosts",
    ),
    (
        {"base_config": {"node.role": "replicant"}},
        {},
        "owned_key",
        "node.role in emqx_base_config",
        "remove it from emqx_base_config and set emqx_node_role",
    ),
    ({"config": {"cluster.dns.name": "x"}}, {}, "owned_key", "cluster.dns.name", "emqx_dns_name"),
    (
        {"config": {"license": {"key": "K"}}, "edition": "enterprise"},
        {},
        "owned_key",
        "license.key in",
        "set emqx_license",
    ),
    ({"config": {"cluster.autoclean": "0s"}}, {}, "autoclean", "0s", "comes back empty"),
    ({"config": {"cluster.autoclean": 0}}, {}, "autoclean", "0", "longest time"),
    (
        {"missing_files": {"emqx_etcd_ca": "pki/ca.pem"}},
        {},
        "missing_file",
        "no file pki/ca.pem",
        "correct the path",
    ),
    (
        {"missing_files": {"emqx_etcd_key": "MIGH\nAgEA"}},
        {},
        "missing_file",
        "a text that is no PEM",
        "correct the path",
    ),
    (
        {"environment": {"EMQX_NODE__COOKIE": COOKIE}},
        {},
        "owned_environment",
        "EMQX_NODE__COOKIE in emqx_environment",
        "set emqx_cookie",
    ),
    (
        {"environment": {"EMQX_NODE_NAME": "emqx@10.0.0.1"}},
        {},
        "owned_environment",
        "EMQX_NODE_NAME in",
        "set emqx_node_name",
    ),
    (
        {"environment": {"EMQX_RPC__PORT_DISCOVERY": "manual"}},
        {},
        "owned_environment",
        "EMQX_RPC__PORT_DISCOVERY in",
        "set emqx_rpc_port_discovery",
    ),
    (
        {"environment": {"EMQX_RPC__PROTOCOL": "ssl"}},
        {},
        "owned_environment",
        "EMQX_RPC__PROTOCOL in",
        "set emqx_rpc_tls",
    ),
    ({"config": {"rpc.driver": "ssl"}}, {}, "owned_key", "rpc.driver in", "set emqx_rpc_tls"),
    ({"config": {"rpc.keyfile": "/k"}}, {}, "owned_key", "rpc.keyfile", "set emqx_tls_key"),
    (
        {"config": {"rpc.listen_address": "10.0.0.1"}},
        {},
        "owned_key",
        "rpc.listen_address in",
        "set emqx_proto_dist",
    ),
    ({"config": {"a": {"b": 1}, "a.b": 2}}, {}, "config", "a.b is given twice", "mend that key"),
    ({"config": {"node.proces_limit": 1}}, {}, "unknown_key", "node.proces_limit", "process_limit"),
    ({"config": {"mqttt.x": 1}}, {}, "unknown_root", "mqttt", "did you mean mqtt?"),
    (
        {"version": "5.7.2", "config": {"rpc.client_num": 1}},
        {},
        "key_not_in_version",
        "rpc.client_num for EMQX 5.7.2 (opensource)",
        "rpc.tcp_client_num",
    ),
    (
        {"version": "5.8.3", "base_config": {"mqtt.max_packet_size": "2MB"}},
        {},
        "base_hocon",
        "emqx_version 5.8.3",
        "move these keys to emqx_config",
    ),
    ({}, {"platform": ALPINE}, "platform", "alpine 3.20 on x86_64", "vendor tar.gz"),
    (
        {},
        {"platform": platforms.platform({"ID": "debian", "VERSION_ID": "12"}, "armv7l")},
        "platform",
        "debian 12 on armv7l",
        "vendor tar.gz",
    ),
    (
        {},
        {"package": {"name": "emqx", "version": "5.8.6"}},
        "other_version",
        "EMQX 5.8.6 installed",
        "set emqx_version to 5.8.6",
    ),
    (
        {"package_type": "tarball"},
        {"release": "5.8.6"},
        "other_version",
        "EMQX 5.8.6 installed",
        "set emqx_version to 5.8.6",
    ),
    (
        {**CONTAINER, "version": "5.10.4"},
        {"container": {**ANSWER["container"], "version": "5.3.2"}},
        "upgrade_path",
        "5.3.2 to 5.10.4",
        "go to 5.8.9 first",
    ),
    (
        {"edition": "enterprise"},
        INSTALLED,
        "other_edition",
        "the package emqx 5.8.9 installed",
        "set emqx_edition to opensource",
    ),
    (
        {"package_type": "tarball"},
        INSTALLED,
        "other_kind",
        "the package emqx 5.8.9 installed",
        "set emqx_package_type to package",
    ),
    (
        {},
        {"release": "5.8.9"},
        "other_kind",
        "the release of a tar.gz 5.8.9 installed",
        "set emqx_package_type to tarball",
    ),
    (
        {},
        {"container": {**ANSWER["container"], "version": "5.8.9"}},
        "other_kind",
        "EMQX 5.8.9 in a container",
        "set emqx_deployment to container",
    ),
    (
        CONTAINER,
        INSTALLED,
        "other_kind",
        "the package emqx 5.8.9 installed",
        "set emqx_deployment to package",
    ),
    (
        CONTAINER,
        {"container": {**ANSWER["container"], "version": "5.8.10"}},
        "downgrade",
        "5.8.9",
        "set emqx_version to 5.8.10 or newer",
    ),
    (
        {**CONTAINER, "container": {**CONTAINER["container"], "engine": "docker"}},
        {},
        "no_docker",
        "no /usr/bin/docker",
        "set emqx_container_engine to podman",
    ),
    (
        {**CONTAINER, "package": "/tmp/emqx-5.8.9-debian12-amd64.deb"},
        {},
        "package_format",
        "emqx-5.8.9-debian12-amd64.deb",
        "give an archive that podman save or docker save wrote",
    ),
    (
        {"package_source": "host"},
        {},
        "package_unset",
        "none",
        "set emqx_package to the package's path",
    ),
    (
        {**FILE, "package": "/tmp/emqx.zip"},
        {},
        "package_format",
        "emqx.zip",
        "under its own name",
    ),
    (
        {**FILE, "package": "/tmp/emqx-5.8.9-el9-amd64.rpm"},
        {},
        "package_format",
        "emqx-5.8.9-el9-amd64.rpm",
        "the host's own system",
    ),
    (
        {**FILE, "package": "/tmp/emqx-5.8.8-debian12-amd64.deb"},
        {},
        "package_version",
        "emqx-5.8.8-debian12-amd64.deb",
        "set emqx_version to 5.8.8",
    ),
    (
        {**FILE, "package": "/tmp/emqx-5.8.9-debian12-arm64.deb"},
        {},
        "package_arch",
        "emqx-5.8.9-debian12-arm64.deb",
        "own architecture",
    ),
    (
        {
            **FILE,
            "package": "/tmp/emqx-enterprise-5.8.9-debian12-amd64.deb",
            "edition": "opensource",
        },
        {},
        "package_edition",
        "emqx-enterprise-5.8.9-debian12-amd64.deb",
        "set emqx_edition",
    ),
    (
        {**FILE, "package_stat": {"exists": False, "sha256": "", "sidecar": ""}},
        {},
        "package_missing",
        f"no file /tmp/{DEB}",
        "put the file there",
    ),
    (
        {**FILE, "package_stat": {"exists": True, "sha256": SHA, "sidecar": ""}},
        {},
        "package_sha256",
        f"neither emqx_package_sha256 nor /tmp/{DEB}.sha256",
        "set emqx_package_sha256",
    ),
    (
        {**FILE, "package_stat": {"exists": True, "sha256": OTHER_SHA, "sidecar": SHA}},
        {},
        "package_sha256",
        f"{OTHER_SHA} of /tmp/{DEB} on the control node",
        "get the package again",
    ),
    # What the user says counts more than the file beside the package.
    (
        {**FILE, "package_source": "host", "package_sha256": OTHER_SHA},
        {},
        "package_sha256",
        f"{SHA} of /tmp/{DEB} on the host",
        "correct emqx_package_sha256",
    ),
    (
        {},
        {"disks": {"/usr": 5 << 30, "/data": (1024 << 20) - 1}},
        "disk",
        "1023 MB",
        "lower emqx_min_free_mb",
    ),
    (
        {},
        {"data_nodes": ["emqx@10.0.0.9"]},
        "data_of_other_node",
        "the data of emqx@10.0.0.9",
        "emqx_node_name: emqx@10.0.0.9",
    ),
]


@pytest.mark.parametrize(
    ("wish", "answer", "code", "seen", "remedy"), FINDINGS, ids=[item[2] for item in FINDINGS]
)
def test_each_finding(wish: Tree, answer: Tree, code: str, seen: str, remedy: str) -> None:
    (finding,) = errors(wish, answer)
    keys = "code host variable expected found remedy message"
    assert set(finding) == set(keys.split())
    assert finding["code"] == code and finding["host"] == "n1"
    assert finding["variable"].startswith(("emqx_", "ansible_"))
    assert seen in finding["found"]
    assert remedy in finding["remedy"]
    assert finding["message"].rstrip(".").endswith(finding["remedy"])
    assert finding["message"].startswith(
        f"Host n1: expected {finding['expected']}, found {finding['found']}: "
    )


@pytest.mark.parametrize(("version", "codes"), [("5.0.26", ["autoclean"]), ("5.1.0", [])])
def test_autoclean_of_versions_that_ignore_it(version: str, codes: list[str]) -> None:
    wish = {**WISH, "version": version, "config": {"cluster.autoclean": "48h"}}
    found = check_host(ANSWER, wish)
    assert [finding["code"] for finding in found["warnings"]] == codes
    assert found["errors"] == []


def test_an_unreachable_host_is_judged_by_its_variables() -> None:
    wish = {**WISH, "config": {"node.name": "x"}}
    found = check_host({"unreachable": "ssh: connect to host n1 port 22: No route to host"}, wish)
    assert [finding["code"] for finding in found["errors"]] == ["owned_key", "unreachable"]
    assert "No route to host" in found["errors"][1]["message"]
    assert "emqx_cluster_hosts" in found["errors"][1]["remedy"]


def test_all_findings_come_at_once() -> None:
    wish = {
        **FILE,
        "cookie": "emqxsecretcookie",
        "config": {"node": {"name": "x", "nosuch": 1}},
        "environment": {"EMQX_NODE__NAME": "x"},
        "package": "/tmp/emqx-5.8.8-el9-arm64.rpm",
        "package_stat": {"exists": False},
    }
    answer = {"disks": {"/usr": 0, "/data": 0}, "data_nodes": ["a@b.c"]}
    assert [finding["code"] for finding in errors(wish, answer)] == [
        "cookie",
        "owned_key",
        "unknown_key",
        "owned_environment",
        "package_format",
        "package_version",
        "package_arch",
        "package_missing",
        "disk",
        "disk",
        "data_of_other_node",
    ]


def test_both_configurations_are_judged() -> None:
    broken = {"a": 1, "a.b": 2}
    found = errors({"config": broken, "base_config": broken})
    assert [finding["variable"] for finding in found] == ["emqx_config", "emqx_base_config"]


@pytest.mark.parametrize("cookie", ["emqxsecretcookie", "hush hush hush hush", "x" * 65])
def test_no_finding_quotes_the_cookie(cookie: str) -> None:
    found = check_host({"unreachable": "no route"}, {**WISH, "cookie": cookie})
    assert "cookie" in {finding["code"] for finding in found["errors"]}
    assert cookie not in json.dumps(found)


def test_values_are_not_quoted_with_their_keys() -> None:
    wish = {
        "config": {"node.cookie": "hushhush"},
        "environment": {"EMQX_NODE__COOKIE": "hushhush"},
    }
    assert "hushhush" not in json.dumps(errors(wish))


def test_what_emqx_only_ignores_is_a_warning() -> None:
    found = check_host(ANSWER, {**WISH, "config": {"quite_unknown": {"a": 1}}})
    assert found["errors"] == []
    assert [finding["code"] for finding in found["warnings"]] == ["unknown_root"]


def test_a_node_without_a_name_is_left_to_the_topology() -> None:
    assert errors({"node_name": ""}, {"data_nodes": ["emqx@10.0.0.9"]}) == []


def test_a_version_that_is_none_ends_the_check() -> None:
    with pytest.raises(InputError, match="emqx_version cannot be used"):
        errors({"version": "latest"})


def test_what_speaks_against_the_certificates() -> None:
    found = ("tls_expired", "emqx_tls_certificate", "a valid one", "an old one", "renew it")
    both = check_host(ANSWER, {**WISH, "tls": {"errors": [found], "warnings": [found]}})
    message = "Host n1: expected a valid one, found an old one: renew it."
    assert [error["message"] for error in both["errors"]] == [message]
    assert [warning["message"] for warning in both["warnings"]] == [message]


def test_a_node_that_no_host_stands_for_is_named() -> None:
    found = check_host(ANSWER, {**WISH, "package_node": "/var/lib/emqx/mnesia"})
    assert found["errors"] == []
    (warning,) = found["warnings"]
    assert (warning["code"], warning["variable"]) == ("package_node", "emqx_instance")
    assert "/var/lib/emqx/mnesia" in warning["message"]


@pytest.mark.parametrize("version", ["", "5.8.8", "5.8.9"])
def test_a_container_may_get_a_newer_image(version: str) -> None:
    assert errors(CONTAINER, {"container": {**ANSWER["container"], "version": version}}) == []


def test_a_container_runs_on_any_system() -> None:
    unknown = platforms.platform({"ID": "arch", "VERSION_ID": ""}, "x86_64")
    assert errors(CONTAINER, {"platform": unknown}) == []


def test_the_way_to_another_version() -> None:
    old = {"package": {"name": "emqx", "version": "5.8.6"}}
    found = errors({"version": "5.10.0"}, old)
    assert [each["code"] for each in found] == ["other_version", "upgrade_path"]
    old = {"package": {"name": "emqx-enterprise", "version": "5.10.4"}}
    wish = {**WISH, "version": "6.0.3", "edition": "enterprise"}
    warnings = check_host({**ANSWER, **old}, wish)["warnings"]
    assert [each["code"] for each in warnings] == ["upgrade_path"]
    assert "durable sessions" in warnings[0]["message"]
