# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The HOCON reader and the key checks, through the compiled modules of the package."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.standin.tests.world import build

ROOT_KEYS = 'node { name = "emqx@10.0.0.1", cookie = c, data_dir = data }\n'


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hocon")
    subprocess.run(["tar", "-C", root, "-xzf", build(root / "packages")], check=True)
    return root


def check(runtime: Path, conf: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`emqx check_config` of `conf`."""
    (runtime / "etc/emqx.conf").write_text(conf)
    return subprocess.run(
        [runtime / "bin/emqx", "check_config"],
        env={**os.environ, "TERM": "dumb", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def parse(runtime: Path, tmp_path: Path, text: str) -> str:
    """The parsed value as an Erlang term on one line."""
    source = tmp_path / "x.hocon"
    source.write_text(text)
    code = f'io:format("~0p", [hocon:parse_file("{source}")]), halt().'
    (ebin,) = runtime.glob("lib/emqx-*/ebin")
    done = subprocess.run(
        ["erl", "-noinput", "-boot", "start_clean", "-pa", ebin, "-eval", code],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.replace(str(source), "FILE")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("", "{ok,#{}}"),
        ("# only\n// comments", "{ok,#{}}"),
        ("{ a = 1 }", '{ok,#{<<"a">> => 1}}'),
        ("a.b.c = 1\na.b.d : 2", '{ok,#{<<"a">> => #{<<"b">> => #{<<"c">> => 1,<<"d">> => 2}}}}'),
        ('a { "x.y" = 1 }', '{ok,#{<<"a">> => #{<<"x.y">> => 1}}}'),
        ('"a".b = 1', '{ok,#{<<"a">> => #{<<"b">> => 1}}}'),
        ("a = 1\na = 2", '{ok,#{<<"a">> => 2}}'),
        ("a { b = 1 }\na { c = 2 }", '{ok,#{<<"a">> => #{<<"b">> => 1,<<"c">> => 2}}}'),
        ("a = [1, 2\n3,]", '{ok,#{<<"a">> => [1,2,3]}}'),
        ("a = 1.5, b = true, c = null", '{ok,#{<<"a">> => 1.5,<<"b">> => true,<<"c">> => null}}'),
        ("a = one two", '{ok,#{<<"a">> => <<"one two">>}}'),
        (r'a = "q\"\\\n\u0041"', '{ok,#{<<"a">> => <<"q\\"\\\\\\nA">>}}'),
        ('a = """x\n"y""""', '{ok,#{<<"a">> => <<"x\\n\\"y\\"">>}}'),
        ("a = 12MB", '{ok,#{<<"a">> => <<"12MB">>}}'),
    ],
)
def test_values(runtime: Path, tmp_path: Path, text: str, term: str) -> None:
    assert parse(runtime, tmp_path, text) == term


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a = 1\nb {\n", 2, "syntax error before: "),
        ("a = 1\n}", 2, "syntax error before: '}'"),
        ("a 1", 1, "syntax error before: 1"),
        ("a = [1", 1, "syntax error before: "),
        ('a = "x', 1, 'illegal characters \\"\\\\\\"\\"'),
        ("a = ${b}", 1, 'illegal characters \\"$\\"'),
    ],
)
def test_errors(runtime: Path, tmp_path: Path, text: str, line: int, reason: str) -> None:
    assert parse(runtime, tmp_path, text) == (
        f'{{error,{{parse_error,#{{file => "FILE",line => {line},reason => "{reason}"}}}}}}'
    )


@pytest.mark.parametrize(
    ("line", "code", "output"),
    [
        ("rpc.port_discovery = manual\nrpc.server_port = 5369", 0, ""),
        ("rpc.tcp_server_port = 5369\nrpc.driver = tcp", 0, ""),
        ("rpc.nosuch = 1", 1, 'path => "rpc",reason => unknown_fields,unknown => "nosuch"'),
        ("cluster.core_nodes = []", 127, 'unknown => "core_nodes"'),
        ("cluster.links = []", 127, 'unknown => "links"'),
        ("cluster.static.nosuch = 1", 127, 'path => "cluster.static"'),
        ("cluster.autoclean = banana", 127, "Not a valid duration"),
        ("node.max_ports = 10", 127, "Expected: 1024..134217727, Got: 10"),
        ("node.dist_net_ticktime = 15s", 0, ""),
        ("cluster.autoheal = perhaps", 127, "not_a_boolean"),
        ("cluster.discovery_strategy = dns", 0, ""),
        ("listeners.tcp.default.bind = 70000", 1, "bad_ip_port"),
        ('listeners.tcp.default.bind = "[::1]:1883"', 0, ""),
        ("dashboard.listeners.http.bind = nonsense", 1, "dashboard.listeners.http.bind"),
        ("authentication = [{ mechanism = password_based }]", 0, ""),
    ],
)
def test_keys(runtime: Path, line: str, code: int, output: str) -> None:
    done = check(runtime, ROOT_KEYS + line + "\n")
    shown = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode, output in shown) == (code, True), shown


def test_dns_needs_an_address_in_the_node_name(runtime: Path) -> None:
    dns = "cluster { discovery_strategy = dns, dns { name = x, record_type = a } }\n"
    done = check(runtime, ROOT_KEYS.replace("10.0.0.1", "h1.example") + dns)
    assert done.returncode == 1
    assert "Node name must be of name@IP format" in done.stdout


def test_environment_is_on_top(runtime: Path) -> None:
    good = ROOT_KEYS + "rpc.server_port = 5369\n"
    assert check(runtime, good, EMQX_RPC__SERVER_PORT="99999").returncode == 1
    assert check(runtime, good, EMQX_RPC__SERVER_PORT="5400").returncode == 0


def test_files_below_emqx_conf(runtime: Path) -> None:
    """base.hocon < cluster.hocon < emqx.conf: a bad value counts unless it is overridden."""
    base = runtime / "etc/base.hocon"
    packaged = base.read_text()
    base.write_text("mqtt.max_packet_size = abc\n")
    try:
        assert check(runtime, ROOT_KEYS).returncode == 1
        assert check(runtime, ROOT_KEYS + "mqtt.max_packet_size = 1MB\n").returncode == 0
    finally:
        base.write_text(packaged)
