# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Causes that need more than a line of evidence: listeners, licences, files, limits, addresses."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.found import Socket
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.sockets import conflicts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Listener

PROXY = {"process": "haproxy", "pid": 77, "unit": "haproxy.service"}
DASHBOARD = Listener("dashboard:http", "dashboard", 18083)


def judge(scene: Scene, **more: t.Any) -> list[Finding]:
    return list(diagnose(scene.nodes, scene.evidence, **more).findings)


def codes(scene: Scene, **more: t.Any) -> list[str]:
    return [finding.code for finding in judge(scene, **more)]


def listens(scene: Scene, host: str, *listeners: Listener) -> None:
    scene.nodes[host] = dataclasses.replace(scene.nodes[host], listeners=listeners)


def socket(port: int, address: str = "", protocol: str = "tcp") -> dict[str, t.Any]:
    return {"port": port, "address": address, "protocol": protocol, **PROXY}


# Ports


@pytest.mark.parametrize(
    ("own", "other", "taken"),
    [
        ("", "", True),
        ("", "127.0.0.1", True),
        ("127.0.0.1", "", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.0.0.1", False),
        ("0.0.0.0", "10.0.0.1", True),
        ("0.0.0.0", "::1", False),
        ("0.0.0.0", "::", True),
        ("::", "10.0.0.1", True),
        ("[::1]", "::1", True),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("fd00::1", "fd00::2", False),
    ],
)
def test_which_addresses_exclude_each_other(own: str, other: str, taken: bool) -> None:
    held = Socket(8883, addresses=(other,) if other else ())
    assert conflicts(Listener("ssl:default", "mqtt", 8883, address=own), held) is taken


def test_a_proxy_in_place_of_a_listener_that_is_not_enabled_is_right() -> None:
    scene = Scene()
    scene.down("n2", active="inactive")
    scene.on_host("n2", sockets=[socket(8883)])
    listens(scene, "n2", Listener("ssl:default", "mqtt", 8883, enabled=False))
    assert codes(scene) == ["stopped"]
    listens(scene, "n2", Listener("ssl:default", "mqtt", 8883))
    (found,) = judge(scene)
    assert (found.code, found.subject) == ("port_in_use", "ssl:default")
    assert "port 8883 of n2 is taken by haproxy (pid 77, unit haproxy.service)" in found.found


def test_a_process_on_another_address_is_no_conflict() -> None:
    scene = Scene()
    scene.down("n2", active="inactive")
    scene.on_host("n2", sockets=[socket(18083, "203.0.113.7")])
    listens(scene, "n2", dataclasses.replace(DASHBOARD, address="127.0.0.1"))
    assert codes(scene) == ["stopped"]
    listens(scene, "n2", DASHBOARD)
    (found,) = judge(scene)
    assert found.code == "port_in_use"
    assert "n2: haproxy listens on tcp 18083 on 203.0.113.7" in found.evidence


def test_tcp_and_udp_ports_are_two() -> None:
    scene = Scene()
    scene.down("n2", active="inactive")
    scene.on_host("n2", sockets=[socket(14567)])
    listens(scene, "n2", Listener("quic:default", "mqtt", 14567, "udp"))
    assert codes(scene) == ["stopped"]
    scene.on_host("n2", sockets=[socket(14567, protocol="udp")])
    assert codes(scene) == ["port_in_use"]


@pytest.mark.parametrize(
    ("line", "subject", "words"),
    [
        (
            "Failed to start listener tcp:default on 203.0.113.7:1883: {eaddrnotavail,x}.",
            "tcp:default",
            "on 203.0.113.7:1883 (eaddrnotavail, the host does not have this address)",
        ),
        (
            "[error] Failed to start Ranch listener 'http:dashboard' in ranch_tcp:listen(#{a => 1 "
            "... [{port,80}]}) for reason eacces (permission denied)",
            "http:dashboard",
            "on port 80 (eacces, EMQX's user may not open ports below 1024)",
        ),
        (
            "Failed to start listener wss:default on [fd00::7]:8084: no_cert.",
            "wss:default",
            "on [fd00::7]:8084 (no_cert, it has no certificate)",
        ),
    ],
)
def test_a_listener_that_cannot_be_opened(line: str, subject: str, words: str) -> None:
    scene = Scene()
    scene.down("n2", active="activating", sub="auto-restart")
    scene.log("n2", "listen", line)
    scene.log("n2", "listen", line)
    (found,) = judge(scene)
    assert (found.code, found.subject, found.hosts) == ("listen_failed", subject, ("n2",))
    assert words in found.found
    assert found.evidence == (f"n2, emqx.log.1: {line}",)
    (found,) = judge(scene, to_build=True)
    assert found.severity == "warning"


def test_of_a_node_in_operation_such_a_line_is_old() -> None:
    scene = Scene()
    scene.log("n2", "listen", "Failed to start listener tcp:x on 1883: eaddrinuse")
    assert codes(scene) == []


# Licences


def test_a_licence_that_emqx_refuses() -> None:
    scene = Scene(version="5.10.4")
    for host in scene.hosts:
        scene.config(host, license="key")
        scene.down(host, active="activating", sub="auto-restart")
        scene.log(host, "license_refused", "failed_to_start_app emqx_license ... invalid_format")
    found = judge(scene)
    assert [each.code for each in found] == ["license_refused"] * 3
    assert "EMQX on n1 refuses its licence (a key), so it does not start" in found[0].found
    assert found[0].subject == "emqx_license"
    # The next deployment writes another one.
    assert {each.severity for each in judge(scene, to_build=True)} == {"warning"}


def test_a_licence_that_the_command_line_names() -> None:
    scene = Scene(version="5.10.4")
    scene.config("n3", license="file")
    scene.down("n3", reason="failed: emqx_license_parser_v20220101, invalid_signature")
    (found,) = judge(scene)
    assert (found.code, found.hosts) == ("license_refused", ("n3",))


def test_a_crash_without_a_log_names_a_licence_as_what_may_be_wrong() -> None:
    scene = Scene(version="5.10.4")
    scene.config("n3", license="key")
    scene.down("n3", active="failed")
    (found,) = judge(scene)
    assert found.code == "crashed"
    assert "n3: license.key is a key, which EMQX may have refused" in found.evidence


# Tables after a join


def test_tables_that_are_being_copied_are_not_waited_for() -> None:
    scene = Scene()
    scene.waits("n3", "n1")
    scene.view("n3", copying_tables=["emqx_admin", "emqx_app"])
    (found,) = judge(scene)
    assert (found.code, found.severity) == ("copying_tables", "warning")
    assert "the node of n3 is copying emqx_admin and emqx_app from emqx@10.0.0.1" in found.found


def test_copying_some_tables_does_not_hide_a_wait_for_others() -> None:
    scene = Scene()
    scene.down("n2", active="inactive", sub="dead")
    scene.waits("n3", "n2")
    scene.view("n3", copying_tables=["emqx_admin"])
    assert "waiting_for_tables" in codes(scene)


def test_a_view_that_only_copies_names_its_tables() -> None:
    scene = Scene()
    scene.view("n3", state="booting", copying_tables=["a"], reason="copying table(s) a from others")
    (found,) = judge(scene)
    assert (found.code, found.evidence) == ("copying_tables", ("copying table(s) a from others",))


def test_tables_of_members_that_run_are_copied_too() -> None:
    scene = Scene()
    scene.waits("n3", "n1", "n2")
    assert codes(scene) == ["copying_tables"]


# Files, limits, logins


def test_files_that_the_configuration_names() -> None:
    scene = Scene()
    scene.down("n2", active="failed")
    scene.on_host(
        "n2",
        configured_files=[
            {"path": "/pki/a.key", "key": "listeners.ssl.default.ssl_options.keyfile"},
            {"path": "/pki/b.key", "key": "bridges.x.keyfile", "exists": True, "readable": False},
            {"path": "/etc/emqx/keys", "key": "api_key.bootstrap_file", "exists": False},
        ],
    )
    (found,) = judge(scene)
    assert (found.code, found.severity) == ("unusable_files", "error")
    assert "/pki/b.key cannot be read by EMQX's user" in found.found
    assert "/etc/emqx/keys does not exist" in found.found
    assert "/pki/a.key" not in found.found
    assert "api_key.bootstrap_file" in found.remedy


def test_files_by_their_paths() -> None:
    scene = Scene()
    scene.on_host("n2", configured_files={"/pki/a.key": {"exists": False}})
    (found,) = judge(scene)
    assert "/pki/a.key does not exist" in found.found


def test_a_limit_of_open_files_lower_than_the_one_asked_for() -> None:
    scene = Scene()
    process = {"node": scene.names["n2"], "pid": 100, "open_files": 50, "open_files_limit": 20000}
    scene.on_host("n2", processes=[{**process, "cookie_fingerprint": "c00c1e"}])
    wanted = dict.fromkeys(scene.hosts, 1048576)
    (found,) = judge(scene, nofile=wanted)
    assert (found.code, found.severity, found.hosts) == ("open_files_limit", "warning", ("n2",))
    assert found.expected == "1048576 open files at most"
    assert "a limit of 20000" in found.found
    assert codes(scene) == []
    assert codes(scene, nofile={**wanted, "n2": 20000}) == []


@pytest.mark.parametrize(
    ("listeners", "severity"),
    [
        ([], "error"),
        ([DASHBOARD], "error"),
        ([dataclasses.replace(DASHBOARD, address="127.0.0.1")], "warning"),
        ([dataclasses.replace(DASHBOARD, address="10.0.0.1")], "error"),
        ([dataclasses.replace(DASHBOARD, enabled=False)], "warning"),
    ],
)
def test_the_vendors_login(listeners: list[Listener], severity: str) -> None:
    scene = Scene()
    scene.view("n2", default_login=True)
    scene.view("n1", default_login=False)
    if listeners:
        listens(scene, "n2", Listener("tcp:default", "mqtt", 1883), *listeners)
    (found,) = judge(scene)
    assert (found.code, found.severity, found.hosts) == ("default_password", severity, ())
    # It is no reason to refuse a deployment.
    assert [each.severity for each in judge(scene, to_build=True)] == ["warning"]


# Addresses


def translated(scene: Scene) -> None:
    """Give n3 a name with a public address, which it does not have."""
    scene.on_host("n3", addresses=["192.168.1.3"])
    scene.evidence["n3"]["links"]["probe"]["own_address_local"] = False


def test_a_public_address_as_node_name() -> None:
    scene = Scene()
    translated(scene)
    scene.down("n3")
    for other in ("n1", "n2"):
        scene.link(other, "n3", "filtered")
    found = judge(scene)
    assert found[0].code == "name_not_own"
    assert found[0].found == (
        "10.0.0.3, the address in the name of n3's node, is none of n3's own: as a public one, or "
        "that of a load balancer, it is translated on the way (NAT)"
    )
    assert found[0].remedy.startswith("set emqx_node_address of n3 to an address of its own")
    assert found[0].evidence == ("addresses of n3: 192.168.1.3",)
    # It is said once, and not that an address leads to itself.
    assert "name_elsewhere" not in [each.code for each in found]
    assert not any("10.0.0.3 is 10.0.0.3" in line for each in found for line in each.lines())


def test_an_own_name_that_leads_elsewhere() -> None:
    scene = Scene()
    scene.nodes["n3"] = dataclasses.replace(scene.nodes["n3"], host="n3.example.org")
    scene.evidence["n3"]["links"]["probe"]["resolved"]["n3.example.org"] = ["10.0.0.99"]
    scene.evidence["n3"]["links"]["probe"]["own_address_local"] = False
    scene.down("n3")
    (found,) = judge(scene)
    assert found.found.startswith("the name of n3's own node leads elsewhere: n3.example.org is")
    assert "getent ahosts n3.example.org" in found.remedy


# What was not looked at


def test_a_run_for_one_host_knows_its_limits() -> None:
    scene = Scene()
    for host in ("n1", "n3"):
        scene.evidence[host] = {}
    (found,) = judge(scene)
    assert (found.code, found.hosts) == ("not_examined", ("n1", "n3"))
    assert found.severity == "warning"


def test_what_a_host_sees_of_those_that_were_left_out_counts() -> None:
    scene = Scene()
    for host in ("n1", "n3"):
        scene.evidence[host] = {}
    scene.sees("n2", "n1 n2", "n3 emqx@10.0.0.9")
    stale, left_out = judge(scene)
    assert stale.code == "stale_member"
    assert (left_out.code, left_out.severity) == ("not_examined", "error")
    assert left_out.evidence == ("n2 lists emqx@10.0.0.3 as stopped",)
