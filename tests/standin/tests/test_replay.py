# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The recorded sequence again, on stand-in nodes: same text, same stream, same exit code.

One recording is one story, so the sections run in their order and share their nodes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.standin.tests.transcript import Section, sections
from tests.standin.tests.world import (
    AT_ONCE,
    HERE,
    NODES,
    Answer,
    World,
    build,
    private_network,
    wait_until,
)

RECORDED = {s.key: s for s in sections(HERE / "transcripts" / "5.8.9-cli.md")}

DYING_VM = "depends on how fast the second VM, started on a running node, dies"
ABORTED_BOOT = "depends on how far the shutdown of an aborted boot has come"
LEFT_OUT = {
    "static without seeds: ctl cluster status": DYING_VM,
    "stop": DYING_VM,
    "s5: cluster status right after start": "depends on the random 0-3 s before the discovery",
    "s4: ctl status": ABORTED_BOOT,
    "s4: ctl status after s6 is up": ABORTED_BOOT,
    "s4: start after s6 is up": ABORTED_BOOT,
    "s4: cluster status#3": ABORTED_BOOT,
    "REST invite_async n2": "not part of the stand-in",
    **{f"REST invitation status t+{t}s": "not part of the stand-in"
       for t in ("0.0", "0.5", "1.0", "1.5", "2.0", "2.5")},
    "s6: start with stdout and stderr as a PIPE (does it hang?)": "every command here has pipes",
}  # fmt: skip

# The recording lost the quotes of these.
ARGV = {
    "n2: join garbage name": ["/opt/n2/bin/emqx", "ctl", "cluster", "join", "not a node"],
    "n2: admins add user before join":
        ["/opt/n2/bin/emqx", "ctl", "admins", "add", "bob", "Passw0rd_bob", "made on n2"],
    "n2: admins add bob again (succeeds only if wiped)":
        ["/opt/n2/bin/emqx", "ctl", "admins", "add", "bob", "Passw0rd_bob2", "made after join"],
    "n2: start after force-left-while-down, data/mnesia removed":
        ["bash", "-c", "mv /opt/n2/data/mnesia /opt/n2.mnesia.bak; /opt/n2/bin/emqx start"],
    "s6: stop when down, TERM=xterm": ["bash", "-c", "/opt/s6/bin/emqx stop 2>&1 | cat -v"],
}  # fmt: skip
ENV = {
    "n2 ctl with wrong EMQX_NODE__COOKIE env": {"EMQX_NODE__COOKIE": "other"},
    "n2: EMQX_NODE__NAME of another node": {"EMQX_NODE__NAME": "emqx1@127.0.0.1"},
    "s4: ctl status with EMQX_NODE__NAME": {"EMQX_NODE__NAME": "emqx4@127.0.0.1"},
    "s6: ctl status, TERM=xterm": {"TERM": "xterm"},
    "s6: ctl status node down, TERM=xterm": {"TERM": "xterm"},
    "s6: stop when down, TERM=xterm": {"TERM": "xterm"},
}
AUTH = {
    "REST nodes without auth": "",
    "REST nodes with wrong key": "wrong",
    "REST nodes (bearer)": "bearer",
    "REST login bad": "",
    "REST login default": "",
}
# What discovery does within seconds, the recording saw at some moment of it.
EVENTUALLY = {
    "s6: cluster status right after start",
    "s4: cluster status",
    "s4: cluster status#2",
    "s6: status 3s after discovery enable",
    "s6: status after leave+restart",
    "a1: cluster status",
}
# Only the first lines were recorded, or only they concern the stand-in.
FIRST_LINES = {"ctl unknown command": 10, "s4: conf cluster_sync status": 10}


def wipe_and_start_together(world: World) -> None:
    for name in ("s4", "s5", "s6"):
        world.kill(name)
        world.wipe(name)
    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(lambda n: world.emqx(n, "start").code, ("s4", "s5", "s6")))
    assert codes == ["0", "0", "0"]
    joined(world)


def in_operation(world: World, name: str) -> None:
    """After a join, the applications come back by themselves."""
    wait_until(lambda: "is started" in world.emqx(name, "ctl", "status").stdout, f"{name} started")


def joined(world: World) -> None:
    """Discovery goes on after a start."""
    wait_until(
        lambda: world.emqx("s4", "ctl", "cluster", "status").stdout.count("@") == 3, "3 nodes"
    )
    for name in ("s4", "s5", "s6"):
        in_operation(world, name)


def missing_conf(world: World) -> None:
    (world.opt("n2") / "etc/emqx.conf").unlink()


def default_cookie(world: World) -> None:
    world.kill("n2")
    world.configure("n2", cookie="emqxsecretcookie")


def wipe_s6(world: World) -> None:
    world.kill("s6")
    world.wipe("s6")


def stop_s6(world: World) -> None:
    assert world.emqx("s6", "stop").code == "0"


def nothing(_world: World) -> None:
    """Most commands followed the one before them directly."""


def rejoin_n2(world: World) -> None:
    time.sleep(1)
    assert "successfully" in world.emqx("n2", "ctl", "cluster", "join", "emqx1").stdout


def start_and_join_n2(world: World) -> None:
    world.wipe("n2")
    assert world.emqx("n2", "start").code == "0"
    rejoin_n2(world)


# What the recording's author did between two commands.
BEFORE: dict[str, Callable[[World], None]] = {
    "emqx pid, node up": lambda w: w.wait_vms("n1", 2),
    "ctl unknown command": lambda w: w.wait_vms("n1", 1),
    "n2: start with a different cookie": lambda w: w.configure("n2", cookie="Other0cookie"),
    "n2: ctl status after editing name+cookie in emqx.conf while running":
        lambda w: w.configure("n2", node_name="emqx22@127.0.0.1", cookie="Third0cookie"),
    "n2: start": lambda w: w.configure("n2"),
    "n2: start renamed emqx3 while emqx2 is a member":
        lambda w: w.configure("n2", node_name="emqx3@127.0.0.1"),
    "n2: start with old name again": lambda w: w.configure("n2"),
    "start: wrong type": lambda w: w.wait_vms("n2", 1),
    "start: static without seeds": lambda w: w.wait_vms("n2", 1),
    "start: bad bind port": lambda w: w.wait_vms("n2", 1),
    "ctl status": lambda w: w.wait_vms("n2", 1),
    "check_config: port in use (by n1)": lambda w: w.kill("n2"),
    "start: hostname not resolvable in node name": lambda w: w.kill("n2"),
    "missing emqx.conf: check_config": missing_conf,
    "default cookie: start (warning)": default_cookie,
    "n2: admins add bob again (succeeds only if wiped)": lambda w: in_operation(w, "n2"),
    "n2: start#2": lambda w: w.configure("n2"),
    "REST cluster#3": rejoin_n2,
    "n2: stop#6": start_and_join_n2,
    "n2: status 5s later": lambda w: time.sleep(1),
    "s6: status 8s after leave": lambda w: time.sleep(8),
    "s6: start after wiping data/mnesia (static)": wipe_s6,
    "s4: stop": joined,
    "s6: start (last stopped)": lambda w: w.kill("s4"),
    "s4: conf cluster_sync status": wipe_and_start_together,
    "s6: ctl status node down, TERM=xterm": stop_s6,
    "s6: check_config role=replicant": lambda w: w.configure("s6", "node.role = replicant"),
}  # fmt: skip

NORMAL = [
    (r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", "TIME"),
    (r"^WARNING: \d+ is marked <defunct>.*\n.*\n", ""),
    (r"^\d+$", "PID"),
    (r"failed \d+ probes", "failed N probes"),
    (r"/\w+_erl_pipes/", "/USER_erl_pipes/"),
    (r"erlang\.pipe\.\d+", "erlang.pipe.N"),
    (r"line => \d+,reason", "line => N,reason"),
    (r"nodetool__escript__[0-9_]+", "nodetool"),
    (r"uptime    : .*", "uptime    : UPTIME"),
    (r" \(stand-in\)", ""),
    (r'"token":"[^"]+"', '"token":"TOKEN"'),
    (r",stacktrace => .*", ",stacktrace =>"),
]


def normal(text: str) -> str:
    for pattern, replacement in NORMAL:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return re.sub(r"(?<=Running nodes: ).*", in_order, text).strip("\n")


def in_order(names: re.Match[str]) -> str:
    """`ps` lists by process id, which says nothing about the order of the starts."""
    return " ".join(sorted(names[0].split()))


def comparable(key: str, method: str, answer: Answer) -> tuple[str, str, str, str]:
    """What two answers have to have in common."""
    stdout = normal(answer.stdout)
    if key in FIRST_LINES:
        stdout = "\n".join(stdout.splitlines()[: FIRST_LINES[key]])
    if method and '"cluster_sessions"' in stdout:
        # node details: their members and order, up to where the recording was cut
        stdout = " ".join(re.findall(r'"(\w+)":', stdout[: stdout.find('"version"')]))
    return answer.code, stdout, normal(answer.stderr), answer.content_type


def perform(world: World, section: Section) -> Answer:
    key = section.key
    if section.method:
        auth = AUTH.get(key, "key")
        answer = world.http(section.method, section.port, section.command, section.body, auth)
        if key == "REST login default":
            world.token = json.loads(answer.stdout)["token"]
        return answer
    # seconds that only a start which is going to fail has to wait out
    env = {"EMQX_WAIT_FOR_START": "60" if section.code == "0" else "5", **ENV.get(key, {})}
    return world.run(ARGV.get(key) or section.command.split(" "), **env)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root: Path = tmp_path_factory.mktemp("replay")
    speed = {
        **AT_ONCE,
        "EMQX_WAIT_FOR_START": "60",
    }
    with private_network():
        made = World(root, build(root / "packages"), env=speed)
        yield made
        for name in NODES:
            made.kill(name)


def test_every_left_out_section_is_recorded() -> None:
    named = {*LEFT_OUT, *ARGV, *ENV, *AUTH, *EVENTUALLY, *FIRST_LINES, *BEFORE}
    assert named <= set(RECORDED)


def story() -> list[str]:
    """The sections in their order.

    Only the first ping goes ahead of the second start: whether the VM of that start is up by then,
    and the ping refused with two of them, is a matter of milliseconds.
    """
    keys = [key for key in RECORDED if key not in LEFT_OUT]
    keys.remove("emqx ping, node up")
    keys.insert(keys.index("emqx start n1 again while running"), "emqx ping, node up")
    return keys


@pytest.mark.parametrize("key", story())
def test_section(world: World, key: str) -> None:
    section = RECORDED[key]
    if section.added:
        world.configure("n2", section.added)
    BEFORE.get(key, nothing)(world)
    recorded = Answer(section.code, section.stdout, section.stderr, section.content_type)
    expected = comparable(key, section.method, recorded)
    if key in EVENTUALLY:
        wait_until(lambda: comparable(key, "", perform(world, section)) == expected, str(expected))
    found = comparable(key, section.method, perform(world, section))
    assert found == expected, world.last_words(section.command)
