# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes over IPv6 and over TLS, as recorded of 5.8.9 with certificates good and bad."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from tests.standin.tests.world import AT_ONCE, World, build, private_network, wait_until
from tests.support.certificates import Authority, Files, ip

PAIR = ("s4", "s5")
RECORDED_FAILURE = (
    "Make sure '127.0.0.1' is a resolvable and reachable hostname.\n"
    "Shutting down emqx5@127.0.0.1 from to_erl pipe.\n"
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def world(tmp_path: Path, archive: Path) -> Iterator[World]:
    with private_network():
        made = World(tmp_path, archive, env={**AT_ONCE, "EMQX_WAIT_FOR_START": "25"})
        yield made
        for name in PAIR:
            made.kill(name)


def names(host: str) -> list[str]:
    return [f"emqx{node[1]}@{host}" for node in PAIR]


def start(world: World) -> None:
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda node: world.emqx(node, "start"), PAIR))
    assert [answer.code for answer in answers] == ["0", "0"], answers


def wait_for_both(world: World, host: str) -> None:
    wait_until(
        lambda: all(
            name in world.emqx(node, "ctl", "cluster", "status").stdout
            for node in PAIR
            for name in names(host)
        ),
        "two members on both",
    )


def listening(port: int) -> list[str]:
    shown = subprocess.run(
        ["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True
    )
    return [line.split()[3] for line in shown.stdout.splitlines()]


def configure_tls(world: World, node: str, files: Files, proto: str = "inet_tls") -> None:
    both = f'{{certfile,"{files.cert}"}},{{keyfile,"{files.key}"}},{{cacertfile,"{files.ca}"}}'
    world.configure(
        node,
        f"cluster.proto_dist = {proto}",
        f'cluster.static.seeds = ["{names("127.0.0.1")[0]}", "{names("127.0.0.1")[1]}"]',
        "rpc.protocol = ssl",
        f'rpc.certfile = "{files.cert}"',
        f'rpc.keyfile = "{files.key}"',
        f'rpc.cacertfile = "{files.ca}"',
    )
    (world.opt(node) / "etc/ssl_dist.conf").write_text(
        f"[{{server,[{both},{{verify,verify_peer}},{{fail_if_no_peer_cert,true}}]}},\n"
        f" {{client,[{both},{{verify,verify_peer}}]}}].\n"
    )


def shake_hands(port: int, ca: Path, own: Files | None) -> None:
    """One TLS connection; the verdict on our own certificate comes with the first read."""
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = False
    if own:
        context.load_cert_chain(own.cert, own.key)
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    with context.wrap_socket(plain) as tls:
        tls.settimeout(2)
        tls.recv(1)


def test_ipv6(world: World) -> None:
    for node in PAIR:
        world.configure(
            node,
            "cluster.proto_dist = inet6_tcp",
            f'cluster.static.seeds = ["{names("::1")[0]}", "{names("::1")[1]}"]',
            'rpc { listen_address = "::", ipv6_only = true }',
            f'listeners.tcp.default.bind = "[::]:188{node[1]}"',
            f"dashboard.listeners.http {{ bind = 1808{node[1]}, inet6 = true }}",
            node_name=f"emqx{node[1]}@::1",
        )
    start(world)
    wait_for_both(world, "::1")
    for port in (4374, 4375, 5374, 5375, 1884, 1885, 18084, 18085):
        assert listening(port) == [f"*:{port}"], port


def test_tls(world: World, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    good = authority.issue("good", DNSName("127.0.0.1"), ip("127.0.0.1"))
    for node in PAIR:
        configure_tls(world, node, good)
    start(world)
    wait_for_both(world, "127.0.0.1")
    stranger = Authority(tmp_path, "other-ca").issue("stranger", DNSName("127.0.0.1"))
    for port in (4374, 5375):
        for own in (None, stranger):
            with pytest.raises(ssl.SSLError, match="alert"):
                shake_hands(port, good.ca, own)
        with pytest.raises(TimeoutError):
            shake_hands(port, good.ca, good)
    assert world.emqx("s4", "stop").code == "0"
    world.wait_vms("s4", 0)
    answer = world.emqx("s4", "ctl", "cluster", "status")
    assert answer.code != "0"
    assert re.fullmatch(
        r"/opt/s4/bin/emqx: line \d+: SSL_DIST_OPTFILE: unbound variable\n", answer.stderr
    )


@pytest.mark.parametrize("fault", ["san", "ca", "expired"])
def test_bad_certificates_look_all_the_same(world: World, tmp_path: Path, fault: str) -> None:
    authority = Authority(tmp_path, "ca")
    bad = {
        # for a name on an IP address, too, the name has to be there as a DNS entry
        "san": authority.issue("san", ip("127.0.0.1")),
        "ca": Authority(tmp_path, "other").issue("foreign", DNSName("127.0.0.1")),
        "expired": authority.issue("expired", DNSName("127.0.0.1"), days=-1),
    }[fault]
    good = authority.issue("good", DNSName("127.0.0.1"))
    configure_tls(world, "s4", good)
    configure_tls(world, "s5", Files(bad.cert, bad.key, authority.file))
    assert world.emqx("s4", "start").code == "0"
    answer = world.emqx("s5", "start", EMQX_WAIT_FOR_START="2")
    assert answer.code == "2", answer
    assert answer.stdout == RECORDED_FAILURE
    assert "Node 'emqx5@127.0.0.1' not responding to pings.\n" in answer.stderr
    status = world.emqx("s4", "ctl", "cluster", "status", "--json").stdout
    assert json.loads(status)["running_nodes"] == ["emqx4@127.0.0.1"]
    for node in PAIR:
        logs = "".join(
            path.read_text(errors="replace") for path in (world.opt(node) / "log").iterdir()
        )
        logs = logs.replace(str(world.root), "")
        assert not re.search(r"\btls\b|certificate|\balert\b", logs, re.IGNORECASE), logs


def test_plain_and_tls_nodes_do_not_meet(world: World, tmp_path: Path) -> None:
    configure_tls(world, "s4", Authority(tmp_path, "ca").issue("good", DNSName("127.0.0.1")))
    start(world)
    answer = world.emqx("s5", "ctl", "cluster", "join", names("127.0.0.1")[0])
    assert "Failed to join the cluster" in answer.stdout + answer.stderr


def test_no_blank_in_the_path_of_the_options(world: World, tmp_path: Path) -> None:
    configure_tls(world, "s4", Authority(tmp_path, "ca").issue("good", DNSName("127.0.0.1")))
    answer = world.emqx("s4", "foreground", EMQX_SSL_DIST_OPTFILE="/tmp/a b.conf")
    assert answer.code == "1"
    assert "ERROR: Got space in: /tmp/a b.conf\n" in answer.stderr
