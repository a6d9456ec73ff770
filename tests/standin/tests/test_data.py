# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""What nodes leave in their data directory, and how a view reads while tables are copied."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin.tests.world import AT_ONCE, NODES, World, build, private_network, wait_until

WAITING = "[T || T <- mnesia:system_info(tables), mnesia:table_info(T, where_to_read) =:= nowhere]"
SOURCES = "mnesia:table_info(emqx_admin, active_replicas)"
MISSING = "mnesia:system_info(db_nodes) -- mnesia:system_info(running_db_nodes)"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def world(tmp_path: Path, archive: Path) -> Iterator[World]:
    env = {
        **AT_ONCE,
        "EMQX_WAIT_FOR_START": "60",
    }
    with private_network():
        made = World(tmp_path, archive, env=env)
        yield made
        for name in NODES:
            made.kill(name)


def evaluate(world: World, node: str, expression: str) -> str:
    return " ".join(world.emqx(node, "eval", expression).stdout.split())


def test_each_start_adds_files(world: World) -> None:
    data = world.opt("n1") / "data"
    for count in (1, 2):
        assert world.emqx("n1", "start").code == "0"
        for pattern in ("app.*.config", "vm.*.args"):
            assert len(list((data / "configs").glob(pattern))) == count
        assert world.emqx("n1", "stop").code == "0"
    assert (data / "trace").is_dir()
    uuid = r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"
    for name in ("node.uuid", "cluster.uuid"):
        assert re.fullmatch(uuid, (data / name).read_text())


def test_a_command_on_a_stopped_node_writes(world: World) -> None:
    data = world.opt("n1") / "data"
    shutil.rmtree(data)
    data.mkdir()
    answer = world.emqx("n1", "ctl", "status", HOME=str(data))
    assert answer.code == "1"
    assert sorted(path.name for path in data.iterdir()) == [".erlang.cookie", "configs"]
    cookie = (data / ".erlang.cookie").read_text()
    assert cookie.isupper()
    world.emqx("n1", "ping", HOME=str(data))
    assert (data / ".erlang.cookie").read_text() == cookie


def test_tables_are_copied_after_a_join(world: World) -> None:
    for node in ("n1", "n2"):
        assert world.emqx(node, "start", EMQX_STANDIN_COPY_SECONDS="4").code == "0"
    assert evaluate(world, "n2", WAITING) == "[]"
    assert world.emqx("n2", "ctl", "cluster", "join", "emqx1").stdout.startswith("Join the")
    assert "emqx_admin" in evaluate(world, "n2", WAITING)
    # Waiting for a peer that is down looks the same, but for these two.
    assert evaluate(world, "n2", MISSING) == "[]"
    assert f"'{NODES['n1'][0]}'" in evaluate(world, "n2", SOURCES)
    assert evaluate(world, "n2", "emqx:is_running()") == "false"
    assert evaluate(world, "n1", WAITING) == "[]"
    wait_until(lambda: evaluate(world, "n2", "emqx:is_running()") == "true", "readiness")
    assert evaluate(world, "n2", WAITING) == "[]"
    uuids = [(world.opt(node) / "data/cluster.uuid").read_text() for node in ("n1", "n2")]
    assert len(set(uuids)) == 2, "a joiner keeps the file that it has"


def test_tables_of_a_node_that_stopped_later_are_waited_for(world: World) -> None:
    for node in ("n1", "n2"):
        assert world.emqx(node, "start").code == "0"
    world.emqx("n2", "ctl", "cluster", "join", "emqx1")
    wait_until(lambda: evaluate(world, "n2", "emqx:is_running()") == "true", "readiness")
    for node in ("n2", "n1"):
        assert world.emqx(node, "stop").code == "0"
    world.run(["bash", "-c", "setsid /opt/n2/bin/emqx foreground >/dev/null 2>&1 &"])
    wait_until(lambda: world.emqx("n2", "ping").code == "0", "a node that answers")
    wait_until(lambda: evaluate(world, "n2", MISSING) == f"['{NODES['n1'][0]}']", "a missing node")
    assert "emqx_admin" in evaluate(world, "n2", WAITING)
    assert f"'{NODES['n1'][0]}'" not in evaluate(world, "n2", SOURCES)
