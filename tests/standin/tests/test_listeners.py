# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Listeners by the configuration, and what is logged where one cannot listen."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin.tests.world import NODES, World, build, private_network
from tests.support.mqtt import Client

PORTS = {"tcp": 1883, "ssl": 8883, "ws": 8083, "wss": 8084}
ALL = [f"listeners.{kind}.default.enable = true" for kind in PORTS]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def world(tmp_path: Path, archive: Path) -> Iterator[World]:
    env = {"EMQX_STANDIN_BOOT_SECONDS": "0", "EMQX_STANDIN_CLI_SECONDS": "0"}
    with private_network():
        made = World(tmp_path, archive, env={**env, "EMQX_WAIT_FOR_START": "30"})
        yield made
        for name in NODES:
            made.kill(name)


def start(world: World, *lines: str) -> None:
    world.configure("n1", *lines)
    answer = world.emqx("n1", "start")
    assert answer.code == "0", answer


def failure(world: World, *lines: str) -> str:
    """Start a node that cannot listen, and return its log."""
    world.configure("n1", *lines)
    assert world.emqx("n1", "check_config").code == "0"
    assert world.emqx("n1", "start", EMQX_WAIT_FOR_START="10").code == "1"
    return (world.opt("n1") / "log/emqx.log.1").read_text()


def listening() -> set[str]:
    """Return addresses and ports, without those between nodes and of the helper."""
    shown = subprocess.run(["ss", "-Htln"], check=True, capture_output=True, text=True).stdout
    found = {line.split()[3] for line in shown.splitlines()}
    return {place for place in found if not place.endswith((":4371", ":5371"))}


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_defaults(world: World) -> None:
    """All four of MQTT on all addresses, HTTPS only where it is asked for."""
    conf = world.opt("n1") / "etc/emqx.conf"
    kept = [line for line in conf.read_text().splitlines() if not line.startswith("listeners.")]
    conf.write_text("\n".join([*kept, ""]))
    assert world.emqx("n1", "start").code == "0"
    expected = {f"0.0.0.0:{port}" for port in PORTS.values()} | {"127.0.0.1:18081"}
    assert listening() == expected
    shown = world.emqx("n1", "ctl", "listeners").stdout
    assert "ssl:default\n  listen_on       : 0.0.0.0:8883\n" in shown
    assert Client("127.0.0.1", 1883).accepted
    assert Client("127.0.0.1", 8883, tls=True).accepted


def test_what_is_disabled_does_not_listen(world: World) -> None:
    start(world, "listeners.tcp.default.enable = false", "listeners.tcp.own.bind = 1999")
    assert listening() == {"0.0.0.0:1999", "127.0.0.1:18081"}
    assert "tcp:default" in world.emqx("n1", "ctl", "listeners").stdout


def test_dashboard_with_tls(world: World) -> None:
    start(world, "dashboard.listeners { http.bind = 0, https.bind = 18094 }")
    assert not is_open(18081)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = socket.create_connection(("127.0.0.1", 18094), timeout=10)
    with context.wrap_socket(connection) as secure:
        secure.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
        assert secure.recv(15) == b"HTTP/1.1 200 OK"


def test_address_of_no_interface(world: World) -> None:
    shown = failure(world, 'listeners.tcp.default.bind = "203.0.113.7:1883"')
    text = "[error] Failed to start listener tcp:default on 203.0.113.7:1883: eaddrnotavail."
    assert text in shown


def test_dashboard_address_of_no_interface(world: World) -> None:
    shown = failure(world, 'dashboard.listeners.http.bind = "203.0.113.7:18083"')
    assert "[error] Failed to start Ranch listener 'http:dashboard' in ranch_tcp:listen(" in shown
    assert "for reason eaddrnotavail (can't assign requested address)" in shown


def test_port_of_root(world: World) -> None:
    """Without the capability for it, as the runner user has none."""
    world.configure("n1", "listeners.tcp.default.bind = 80")
    boot = ["setpriv", "--bounding-set=-net_bind_service", "/opt/n1/bin/emqx", "foreground"]
    answer = world.run(boot)
    assert answer.code != "0"
    assert "Failed to start listener tcp:default on 0.0.0.0:80: eacces." in answer.stdout


def test_certificate_that_is_not_there(world: World) -> None:
    options = '{ certfile = "${EMQX_ETC_DIR}/none.pem", keyfile = "${EMQX_ETC_DIR}/none.key" }'
    shown = failure(world, *ALL[1:2], f"listeners.ssl.default.ssl_options = {options}")
    assert "Failed to start listener ssl:default on 0.0.0.0:8883: " in shown
    assert "file_read => enoent" in shown
