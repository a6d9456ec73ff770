# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    CommandError,
    InputError,
    ParseError,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.dial import dial
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import node_atom
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import read_view
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority
from ansible_collections.mqttops.emqx.tests.unit.scripted import (
    DOWN,
    N1,
    N2,
    N3,
    NOT_INSTALLED,
    TWICE,
    UNREACHABLE,
    Answer,
    ScriptedRunner,
    peer,
    view,
)


def ctl(*script: tuple[str, Answer], as_root: bool = False) -> tuple[Ctl, ScriptedRunner]:
    runner = ScriptedRunner(*script)
    return Ctl(runner, as_root=as_root), runner


def test_as_root_the_runner_user_runs_it_without_a_shell() -> None:
    runner = ScriptedRunner(("ping", (0, "pong\n", "")))
    node = Ctl(runner, ["emqx"], "emqx", {"EMQX_NODE__NAME": N2, "LC_ALL": "de"}, as_root=True)
    assert node.run(["ping"], 30) == (0, "pong\n", "")
    assert runner.calls == [
        ["runuser", "-u", "emqx", "--", "timeout", "-k", "5", "30", "emqx", "ping"]
    ]
    assert runner.environments == [{"EMQX_NODE__NAME": N2, "LC_ALL": "C", "TERM": "dumb"}]


@pytest.mark.parametrize(("user", "as_root"), [("", True), ("emqx", False)])
def test_the_caller_runs_it(user: str, as_root: bool) -> None:
    runner = ScriptedRunner(("ping", (0, "pong\n", "")))
    Ctl(runner, ["podman", "exec", "x", "emqx"], user, as_root=as_root).run(["ping"], 7)
    assert runner.calls == [["timeout", "-k", "5", "7", "podman", "exec", "x", "emqx", "ping"]]


def test_colours_are_stripped() -> None:
    red = "\x1b[31mERROR: Graceful shutdown failed PID=[]\x1b(B\x1b[m\n"
    node, _calls = ctl(("stop", (1, "\x1b[31mwarned\n\x1b[0m", red)))
    assert node.run(["stop"], 9) == (1, "warned\n", "ERROR: Graceful shutdown failed PID=[]\n")


@pytest.mark.parametrize("rc", [124, 137, -9])
def test_a_hanging_call(rc: int) -> None:
    node, _calls = ctl(("ctl cluster", (rc, "half", "")))
    with pytest.raises(
        CommandError, match=f"emqx ctl cluster join {N1} gave no answer within 12 s"
    ) as caught:
        node.cluster("join", N1, timeout=12)
    assert caught.value.details["stdout"] == "half"


def test_a_hanging_view_does_not_show_its_expression() -> None:
    node, _calls = ctl(("eval", (124, "", "")))
    with pytest.raises(CommandError, match=r"^emqx eval \.\.\. gave no answer") as caught:
        node.view()
    assert caught.value.details["argv"][-2:] == ["eval", "..."]


def test_a_hanging_call_is_ended_with_its_children() -> None:
    """The real thing: a process that ignores TERM and holds a child."""

    def run(argv: list[str], environment: dict[str, str]) -> Answer:
        argv[argv.index("-k") + 1] = "1"
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    script = (
        "import signal, subprocess; signal.signal(15, signal.SIG_IGN); "
        "subprocess.run(['sleep', '3600'])"
    )
    node = Ctl(run, [sys.executable, "-c", script], user="")
    begin = time.monotonic()
    with pytest.raises(CommandError, match="gave no answer within 1 s"):
        node.run([], 1)
    assert time.monotonic() - begin < 30


def test_cluster_joins_both_streams_and_ignores_the_exit_code() -> None:
    node, _calls = ctl(("ctl cluster leave", (1, "a\n\n", "b\n")))
    assert node.cluster("leave", timeout=5) == "a\nb"


def test_the_expression_survives_any_quoting() -> None:
    node, runner = ctl(("eval", view(N1, [N1])))
    node.view(ask=[N3], seed=N2)
    expression = runner.calls[0][-1]
    assert not set(expression) & set('"$\\`\n%')
    assert f"Ask = ['{N2}', '{N3}'], Seed = '{N2}'," in expression


@pytest.mark.parametrize("name", ["emqx", "a@b@c", "x@h'], halt(), ['", "", "emqx@", "@h", "a b@c"])
def test_names_that_are_no_node_names(name: str) -> None:
    with pytest.raises(InputError, match="is not a node name: expected NAME@HOST"):
        node_atom(name)


@pytest.mark.parametrize("name", [N1, "emqx@a-b.example.org", "n_1@fd00::1"])
def test_names_that_are_node_names(name: str) -> None:
    assert node_atom(name) == f"'{name}'"


def test_a_ready_node() -> None:
    answer = view(
        N1,
        [N1, N2],
        [N3],
        {N2: peer([N1, N2], [N3], config="dashboard=7 listeners=8"), "x@y": UNREACHABLE},
        {"emqx_admin": 2, "emqx_authn_scram_mnesia": 3, "emqx_enhanced_authn_scram_mnesia": 4},
        sync=f"{N1}=4 {N2}=3",
        config="rule_engine=123",
    )
    seen = read_view(*answer)
    assert (seen.state, seen.node, seen.version, seen.edition) == (
        "ready",
        N1,
        "5.8.9",
        "opensource",
    )
    assert (seen.running, seen.stopped) == ((N1, N2), (N3,))
    assert seen.known == {N2, N3}
    assert (seen.uptime_ms, seen.rpc_server_port) == (61740, 5369)
    assert seen.data == {"dashboard_users": 2, "mqtt_scram_users": 7}
    assert seen.sync == {N1: 4, N2: 3}
    assert seen.config == {"rule_engine": "123"}
    other = seen.peers[N2]
    assert (other.reachable, other.ready, other.role) == (True, True, "core")
    assert (other.running, other.stopped) == ((N1, N2), (N3,))
    assert other.config == {"dashboard": "7", "listeners": "8"}
    assert not seen.peers["x@y"].reachable
    assert not seen.peers["x@y"].ready


def test_others_tell_of_themselves_through_a_node() -> None:
    other = view(N2, [N1, N2], [N3], version="5.8.8", data={"emqx_admin": 7})
    booting = view(N3, [], ready="false", sync="unknown")
    seen = read_view(*view(N1, [N1, N2], others=[other, booting], data={"emqx_admin": 2}))
    assert seen.others == {N2: read_view(*other), N3: read_view(*booting)}
    assert (seen.node, seen.version, seen.data) == (N1, "5.8.9", {"dashboard_users": 2})
    assert (seen.others[N2].version, seen.others[N3].state) == ("5.8.8", "booting")


@pytest.mark.parametrize(("asked", "term"), [({}, "false"), ({"others": True}, "true")])
def test_others_are_asked_where_wanted(asked: dict[str, t.Any], term: str) -> None:
    host, runner = ctl(("eval", view(N1, [N1])))
    assert host.view(**asked).others == {}
    assert f"N <- Alive, {term}]" in runner.calls[0][-1]


def test_what_a_version_does_not_know_is_none() -> None:
    said = {line.split()[1] for line in view(N1, [N1])[1].splitlines() if " " in line}
    silent = said - {"node", "running", "stopped", "ready", "data", "done"}
    unknown: dict[str, t.Any] = dict.fromkeys(silent, "unknown")
    seen = read_view(*view(N1, [N1], **unknown))
    assert seen.state == "ready"
    assert {getattr(seen, key) for key in ("version", "edition", "role", "discovery")} == {None}
    assert (seen.uptime_ms, seen.rpc_server_port, seen.sync, seen.config) == (None,) * 4


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (view(N1, [], ready="false"), "its database is not up yet"),
        (view(N1, []), "its database is not up yet"),
        (view(N1, [N2]), "its applications are still starting"),
        (view(N1, [N1], ready="false"), "its applications are still starting"),
        (view(N1, [N1], ready="unknown"), "its applications are still starting"),
        (
            view(N1, [N1], ready="false", role="replicant", cores="", upstream=""),
            "a replicant boots with a core only, and found none: its discovery names no core that "
            "runs and that it can reach (seeds, ports between the nodes, cookie)",
        ),
        (
            view(N1, [N1], ready="false", role="replicant", cores=f"{N2} {N3}", upstream=""),
            f"a replicant boots with a core of exactly its own version (5.8.9) only, and found "
            f"{N2}, {N3}: they run another version, or are not ready",
        ),
        (
            view(N1, [], ready="false", waiting_tables="emqx_app emqx_acl", waiting_nodes=N2),
            f"still waiting for table(s) emqx_app, emqx_acl from {N2}: nodes that stopped later "
            "hold newer copies, start all cores at once",
        ),
    ],
)
def test_a_booting_node(answer: Answer, reason: str) -> None:
    seen = read_view(*answer)
    assert (seen.state, seen.reason) == ("booting", reason)


@pytest.mark.parametrize("flag", [{"up": "false"}, {"booted": "false"}, {"booting": "true"}])
def test_a_booting_peer(flag: dict[str, str]) -> None:
    seen = read_view(*view(N1, [N1, N2], peers={N2: {**peer([N1, N2]), **flag}}))
    assert seen.peers[N2].reachable
    assert not seen.peers[N2].ready


def test_a_peer_without_a_database_is_not_ready() -> None:
    assert not read_view(*view(N1, [N1], peers={N2: peer([])})).peers[N2].ready


@pytest.mark.parametrize(
    ("answer", "reason", "installed"),
    [
        (DOWN, "Node 'emqx2@127.0.0.1' not responding to pings.", True),
        ((1, "", "ERROR: Node emqx1@127.0.0.1 is not running?\n"), "is not running?", True),
        ((127, "", "ERROR: call_hocon_failed: -s x\n"), "call_hocon_failed", True),
        ((1, "", ""), "exit code 1", True),
        (NOT_INSTALLED, "No such file or directory", False),
        ((127, "", "failed to execute timeout: No such file"), "failed to execute", False),
        ((1, "", "runuser: user emqx does not exist or\n"), "user emqx does not exist", False),
    ],
)
def test_a_node_that_is_down(answer: Answer, reason: str, installed: bool) -> None:
    seen = read_view(*answer)
    assert (seen.state, seen.installed, seen.running) == ("down", installed, ())
    assert reason in seen.reason


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (TWICE, "set EMQX_NODE__NAME in the option environment"),
        (
            (1, "", "ERROR: EMQX_NODE__COOKIE is different from the cookie used by a@b\n"),
            "take EMQX_NODE__COOKIE out of the environment",
        ),
        (
            (1, "You need to be root or use sudo to run this command\n", ""),
            "run the task as root \\(become\\) or as the user that runs EMQX",
        ),
    ],
)
def test_a_call_that_says_nothing_about_the_node(answer: Answer, advice: str) -> None:
    with pytest.raises(CommandError, match=advice):
        read_view(*answer)


def test_an_answer_that_breaks_off() -> None:
    rc, out, err = view(N1, [N1])
    with pytest.raises(ParseError, match="broke off in the middle"):
        read_view(rc, out.replace("mqttops done ok\n", ""), err)


def test_an_answer_without_our_lines() -> None:
    with pytest.raises(ParseError, match="printed nothing that is known: true"):
        read_view(0, "true\n", "")


def test_dial_tells_open_refused_and_unresolved_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert dial("127.0.0.1", port, timeout=0.2) == "open"
    assert dial("127.0.0.1", port) == "refused"
    assert dial("no-such-host.invalid", port) == "unresolved"


@pytest.mark.parametrize("mutual", [False, True])
def test_dial_knows_tls(tmp_path: Path, mutual: bool) -> None:
    files = Authority(tmp_path, "ca").issue("n1", DNSName("n1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE
    context.load_verify_locations(files.ca)

    def serve(server: socket.socket) -> None:
        connection = server.accept()[0]
        with connection, contextlib.suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        assert dial("127.0.0.1", server.getsockname()[1]) == "tls"
        thread.join()


def test_dial_gives_up_on_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_args: object, **_options: object) -> socket.socket:
        raise socket.timeout("timed out")

    monkeypatch.setattr(socket, "create_connection", silent)
    assert dial("192.0.2.1", 4370) == "filtered"


def test_a_replicant_names_its_core() -> None:
    node, _calls = ctl(("eval", view(N1, [N1, N2], role="replicant", upstream=N2)))
    assert node.view().upstream == (N2,)
