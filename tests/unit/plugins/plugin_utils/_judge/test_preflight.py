# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from scenes import node

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms, versions
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    ERROR,
    Finding,
    is_error,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.checks_files import named_paths
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.preflight import check_host
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    HostState,
    Layout,
    Listener,
    Node,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.reads import host_info

Tree = t.Dict[str, t.Any]
COOKIE = "Qm7rT2xw9LkPz4aB"
DEBIAN = platforms.platform({"ID": "debian", "VERSION_ID": "12"}, "x86_64")
ALPINE = platforms.platform({"ID": "alpine", "VERSION_ID": "3.20"}, "x86_64")
INSTALLED: Tree = {"package_name": "emqx", "package_version": "5.8.9"}
NODE = node("emqx@10.0.0.1", "n1")


def layout_of(data: str = "/var/lib/emqx") -> Layout:
    empty: dict[str, t.Any] = {"str": "", "bool": False, "Texts": ()}
    given = {field.name: empty.get(str(field.type), {}) for field in dataclasses.fields(Layout)}
    return Layout(**{**given, "data": data, "etc": "/etc/emqx", "user": "emqx"})


def host_state(**changes: t.Any) -> HostState:
    given: Tree = {
        "platform": DEBIAN,
        "addresses": ("10.0.0.1", "fe80::1"),
        "disks": {"/usr": 5 << 30, "/var/lib/emqx": 5 << 30},
    }
    return HostState(**{**given, **changes})


def release_of(settings: Settings, host: HostState) -> Release:
    """Return what these settings would install on a host, as the plan has it."""
    tarball = settings.package_type == "tarball" or settings.package.endswith(".tar.gz")
    kind = "container" if settings.in_container else "tarball" if tarball else "package"
    edition = settings.edition or versions.edition_of("emqx", settings.version)
    package = versions.package_of(edition, settings.version)
    installed = {
        "container": str(host.container.get("version") or ""),
        "tarball": host.release,
        "package": host.package_version,
    }[kind]
    name = host.package_name if kind == "package" else ""
    return Release(
        edition=edition,
        package=package,
        version=settings.version,
        kind=kind,
        format="deb",
        file="",
        source="download",
        location="",
        installed=installed,
        installed_package=name,
        needed=installed != settings.version or name not in ("", package),
    )


def check(
    given: Tree | None = None,
    answer: Tree | None = None,
    own: Node | None = NODE,
    **more: t.Any,
) -> list[Finding]:
    variables = {"cookie": COOKIE, **(given or {})}
    missing = variables.pop("missing", None)
    settings, host = Settings(**variables), host_state(**(answer or {}))
    release = release_of(settings, host)
    more = {"inventory_host": "n1", "missing_files": missing, **more}
    return check_host(settings, own, layout_of(), release, host, **more)


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({}, {}),
        ({}, INSTALLED),
        ({}, {**INSTALLED, "data_nodes": ("emqx@10.0.0.1",)}),
        ({}, {"data_nodes": ("emqx@10.0.0.1", "emqx@old.example")}),
        ({"package_type": "tarball"}, {"release": "5.8.9"}),
        ({"package": "/tmp/emqx-5.8.9-debian12-amd64.tar.gz"}, {"platform": ALPINE}),
        ({"config": {"mqtt.max_packet_size": "2MB", "node": {"process_limit": 9}}}, {}),
        ({"environment": {"EMQX_LOG__CONSOLE__LEVEL": "debug", "ERL_FLAGS": "+S 4"}}, {}),
        ({"base_config": {"mqtt.max_packet_size": "2MB"}}, {}),
    ],
)
def test_a_healthy_host_has_no_findings(given: Tree, answer: Tree) -> None:
    assert check(given, answer) == []


FINDINGS: list[tuple[Tree, Tree, str, str, str]] = [
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
        {"missing": {"emqx_etcd_ca": "pki/ca.pem"}},
        {},
        "missing_file",
        "no file pki/ca.pem",
        "correct the path",
    ),
    (
        {"missing": {"emqx_etcd_key": "MIGH\nAgEA"}},
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
    (
        {"version": "5.7.2", "config": {"rpc.client_num": 1}},
        {},
        "key_not_in_version",
        "EMQX 5.7.2 (opensource)",
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
        {"package_name": "emqx", "package_version": "5.8.6"},
        "other_version",
        "EMQX 5.8.6 installed",
        "run the playbook upgrade",
    ),
    (
        {"package_type": "tarball"},
        {"release": "5.8.6"},
        "other_version",
        "EMQX 5.8.6 installed",
        "run the playbook upgrade",
    ),
    (
        {"deployment": "container", "version": "5.10.4"},
        {"container": {"version": "5.3.2"}},
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
        {"container": {"version": "5.8.9"}},
        "other_kind",
        "EMQX 5.8.9 in a container",
        "set emqx_deployment to container",
    ),
    (
        {"deployment": "container"},
        INSTALLED,
        "other_kind",
        "the package emqx 5.8.9 installed",
        "set emqx_deployment to package",
    ),
    (
        {"deployment": "container"},
        {"container": {"version": "5.8.10"}},
        "downgrade",
        "5.8.9",
        "set emqx_version to 5.8.10 or newer",
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
        {"data_nodes": ("emqx@10.0.0.9",)},
        "data_of_other_node",
        "the data of emqx@10.0.0.9",
        "emqx_node_name: emqx@10.0.0.9",
    ),
]


@pytest.mark.parametrize(
    ("given", "answer", "code", "seen", "remedy"), FINDINGS, ids=[item[2] for item in FINDINGS]
)
def test_each_finding(given: Tree, answer: Tree, code: str, seen: str, remedy: str) -> None:
    (finding,) = check(given, answer)
    assert (finding.code, finding.hosts, finding.severity) == (code, ("n1",), ERROR)
    assert finding.subject.startswith(("emqx_", "ansible_"))
    assert seen in finding.found
    assert remedy in finding.remedy
    assert finding.sentence().startswith(
        f"Host n1, {finding.subject}: expected {finding.expected}, found {finding.found}: "
    )


@pytest.mark.parametrize(("version", "codes"), [("5.0.26", ["autoclean"]), ("5.1.0", [])])
def test_autoclean_of_versions_that_ignore_it(version: str, codes: list[str]) -> None:
    found = check({"version": version, "config": {"cluster.autoclean": "48h"}})
    assert [finding.code for finding in found] == codes
    assert not any(map(is_error, found))


def test_an_unreachable_host_is_judged_by_its_variables() -> None:
    reason = "ssh: connect to host n1 port 22: No route to host"
    found = check({"config": {"node.name": "x"}}, {"unreachable": reason})
    assert [finding.code for finding in found] == ["owned_key", "unreachable"]
    assert "No route to host" in found[1].sentence()
    assert "emqx_cluster_hosts" in found[1].remedy


def test_all_findings_come_at_once() -> None:
    given = {
        "cookie": "emqxsecretcookie",
        "config": {"node": {"name": "x", "nosuch": 1}},
        "environment": {"EMQX_NODE__NAME": "x"},
    }
    answer = {"disks": {"/usr": 0, "/data": 0}, "data_nodes": ("a@b.c",), "platform": ALPINE}
    others = [Finding("package_arch", "a", "b", "c"), Finding("tls_san", "a", "b", "c", ("n9",))]
    found = check(given, answer, package_node="/var/lib/emqx/mnesia", besides=others)
    assert [finding.code for finding in found] == [
        "cookie",
        "owned_key",
        "unknown_key",
        "owned_environment",
        "platform",
        "disk",
        "disk",
        "data_of_other_node",
        "package_node",
        "package_arch",
        "tls_san",
    ]
    # Those that name their hosts keep them.
    assert [finding.hosts for finding in found[-2:]] == [("n1",), ("n9",)]


def test_both_configurations_are_judged() -> None:
    broken = {"a": 1, "a.b": 2}
    found = check({"config": broken, "base_config": broken})
    assert [finding.subject for finding in found] == ["emqx_config", "emqx_base_config"]


@pytest.mark.parametrize("cookie", ["emqxsecretcookie", "hush hush hush hush", "x" * 65])
def test_no_finding_quotes_the_cookie(cookie: str) -> None:
    found = check({"cookie": cookie}, {"unreachable": "no route"})
    assert "cookie" in {finding.code for finding in found}
    assert cookie not in json.dumps([finding.as_dict() for finding in found])


def test_values_are_not_quoted_with_their_keys() -> None:
    given = {
        "config": {"node.cookie": "hushhush"},
        "environment": {"EMQX_NODE__COOKIE": "hushhush"},
    }
    found = check(given)
    assert len(found) == 2
    assert "hushhush" not in json.dumps([finding.as_dict() for finding in found])


@pytest.mark.parametrize(
    ("key", "remedy"),
    [("quite_unknown", "check that it takes effect"), ("mqttt", "did you mean mqtt?")],
)
def test_what_emqx_only_ignores_is_a_warning(key: str, remedy: str) -> None:
    (found,) = check({"config": {key: {"a": 1}}})
    assert (found.code, found.severity) == ("unknown_root", "warning")
    assert (found.hosts, found.found) == (("n1",), key)
    assert remedy in found.remedy


def test_a_key_of_another_version_is_named() -> None:
    (found,) = check({"version": "5.7.2", "config": {"rpc.client_num": 1}})
    assert found.expected == "EMQX 5.8.0 or newer for rpc.client_num"


def test_a_node_without_a_name_is_left_to_the_model() -> None:
    assert check({}, {"data_nodes": ("emqx@10.0.0.9",)}, None) == []


def test_a_node_that_is_about_to_be_renamed_has_data_of_its_old_name() -> None:
    assert check({}, {"data_nodes": ("emqx@10.0.0.9",)}, renames=True) == []


def test_a_node_that_no_host_stands_for_is_named() -> None:
    (warning,) = check(package_node="/var/lib/emqx/mnesia")
    assert (warning.code, warning.severity) == ("package_node", "warning")
    assert warning.subject == "emqx_instance"
    assert "/var/lib/emqx/mnesia" in warning.sentence()


@pytest.mark.parametrize("version", ["", "5.8.8", "5.8.9"])
def test_a_container_may_get_a_newer_image(version: str) -> None:
    assert check({"deployment": "container"}, {"container": {"version": version}}) == []


def test_a_container_runs_on_any_system() -> None:
    unknown = platforms.platform({"ID": "arch", "VERSION_ID": ""}, "x86_64")
    assert check({"deployment": "container"}, {"platform": unknown}) == []


def test_upgrades_that_are_refused_and_those_with_a_loss() -> None:
    old = {"package_name": "emqx", "package_version": "5.8.6"}
    found = check({"version": "5.10.0"}, old)
    assert [each.code for each in found] == ["other_version", "upgrade_path"]
    old = {"package_name": "emqx-enterprise", "package_version": "5.10.4"}
    found = check({"version": "6.0.3", "edition": "enterprise"}, old)
    warnings = [each for each in found if not is_error(each)]
    assert [each.code for each in warnings] == ["upgrade_path"]
    assert "durable sessions" in warnings[0].sentence()


LISTENERS: list[tuple[Listener, Tree, Tree, list[str]]] = [
    (Listener("tcp:default", "mqtt", 1883), {}, {}, []),
    (Listener("tcp:default", "mqtt", 1883, address="10.0.0.1"), {}, {}, []),
    (Listener("tcp:default", "mqtt", 1883, address="127.0.0.1"), {}, {}, []),
    (Listener("tcp:default", "mqtt", 1883, address="::"), {}, {}, []),
    (Listener("tcp:default", "mqtt", 1883, address="203.0.113.7"), {}, {}, ["listener_address"]),
    (
        Listener("tcp:default", "mqtt", 1883, address="203.0.113.7"),
        {"deployment": "container", "container_network": "emqx"},
        {},
        [],
    ),
    (Listener("tcp:default", "mqtt", 1883, address="203.0.113.7", enabled=False), {}, {}, []),
    (Listener("dashboard:http", "dashboard", 80), {}, {}, ["listener_port"]),
    (
        Listener("dashboard:http", "dashboard", 80),
        {"tuning_sysctl": {"net.ipv4.ip_unprivileged_port_start": 80}},
        {},
        [],
    ),
    (
        Listener("dashboard:http", "dashboard", 80),
        {},
        {"sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"}},
        [],
    ),
]


@pytest.mark.parametrize(("listener", "given", "answer", "codes"), LISTENERS)
def test_listeners_that_cannot_be_opened(
    listener: Listener, given: Tree, answer: Tree, codes: list[str]
) -> None:
    found = check(given, answer, node("emqx@10.0.0.1", "n1", listeners=(listener,)))
    assert [each.code for each in found] == codes
    assert all(listener.name in each.sentence() and each.hosts == ("n1",) for each in found)


KEYFILE = {"listeners.ssl.default.ssl_options.keyfile": "/pki/mq.key"}
ROOTS_ONLY = FileState(exists=True, mode="0600", owner="root", group="root", uid="0", gid="0")


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        (FileState(), "no file /pki/mq.key"),
        (ROOTS_ONLY, "/pki/mq.key of root:root with mode 0600"),
        (dataclasses.replace(ROOTS_ONLY, mode="0640", group="emqx", gid="999"), ""),
        (dataclasses.replace(ROOTS_ONLY, mode="0400", owner="emqx"), ""),
        (dataclasses.replace(ROOTS_ONLY, mode="0640", group="ssl-cert", gid="104"), ""),
        (
            dataclasses.replace(ROOTS_ONLY, mode="0640"),
            "/pki/mq.key of root:root with mode 0640",
        ),
        (dataclasses.replace(ROOTS_ONLY, mode="0644"), ""),
    ],
)
@pytest.mark.parametrize("needed", [True, False])
def test_files_that_the_configuration_will_name(state: FileState, seen: str, needed: bool) -> None:
    answer = {"files": {"/pki/mq.key": state}, **({} if needed else INSTALLED)}
    found = check({"config": KEYFILE}, answer)
    assert [each.code for each in found] == (["configured_file"] if seen else [])
    assert all(each.found == seen and each.subject == "emqx_config" for each in found)
    assert all("listeners.ssl.default.ssl_options.keyfile" in each.expected for each in found)


def test_a_folder_that_emqx_may_not_enter_is_named() -> None:
    open_to_all = dataclasses.replace(ROOTS_ONLY, mode="0644")
    files = {"/pki/mq.key": open_to_all, "/pki": dataclasses.replace(ROOTS_ONLY, mode="0700")}
    (found,) = check({"config": KEYFILE}, {"files": files})
    assert found.found == "/pki/mq.key below /pki of root:root with mode 0700"
    files["/pki"] = dataclasses.replace(ROOTS_ONLY, mode="0711")
    assert check({"config": KEYFILE}, {"files": files}) == []


def test_a_host_is_asked_about_the_files_and_the_folders_above_them() -> None:
    settings = Settings(config={"api_key.bootstrap_file": "/srv/mq/keys"})
    asked = host_info(settings, layout_of())["files"]
    assert {"/srv", "/srv/mq", "/srv/mq/keys"} <= set(asked)


def test_files_that_the_package_brings_are_no_finding() -> None:
    given = {"config": {"listeners.ssl.a.ssl_options.keyfile": "${EMQX_ETC_DIR}/certs/key.pem"}}
    answer = {"files": {"/etc/emqx/certs/key.pem": FileState()}}
    assert check(given, answer) == []
    assert [each.code for each in check(given, {**answer, **INSTALLED})] == ["configured_file"]


def test_which_paths_a_configuration_names() -> None:
    settings = Settings(
        config={
            "authorization.sources": [
                {"type": "file", "path": "${EMQX_ETC_DIR}/acl.conf"},
                {"type": "http", "path": "/authz"},
            ],
            "api_key": {"bootstrap_file": "/etc/emqx/keys"},
            "listeners.ws.default.websocket.path": "/mqtt",
            "listeners.wss.off": {"enable": False, "ssl_options": {"keyfile": "/pki/off.pem"}},
            "listeners.ssl.a.ssl_options": {
                "certfile": "-----BEGIN CERTIFICATE-----\nAA==",
                "keyfile": "etc/certs/key.pem",
            },
        },
        environment={"EMQX_DASHBOARD__LISTENERS__HTTPS__SSL_OPTIONS__CERTFILE": "/pki/d.pem"},
        base_config={"connectors.mqtt.a.password": "file:///pki/word"},
        license="file:///srv/emqx/license",
    )
    assert named_paths(settings, layout_of()) == {
        "/etc/emqx/acl.conf": ("emqx_config", "authorization.sources.path"),
        "/etc/emqx/keys": ("emqx_config", "api_key.bootstrap_file"),
        "/pki/d.pem": ("emqx_environment", "dashboard.listeners.https.ssl_options.certfile"),
        "/pki/word": ("emqx_base_config", "connectors.mqtt.a.password"),
        "/srv/emqx/license": ("emqx_license", "license.key"),
    }
    assert named_paths(dataclasses.replace(settings, deployment="container"), layout_of()) == {}
