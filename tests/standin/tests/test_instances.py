# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Several nodes from one installation: told apart by their names, or by roots of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin.tests.world import AT_ONCE, World, build, private_network

ONE, TWO = "emqx4@127.0.0.1", "emqx11@127.0.0.1"
MORE_THAN_ONE = "ERROR: More than one EMQX node found running (root dir: /opt/s4)\n"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def world(tmp_path: Path, archive: Path) -> Iterator[World]:
    with private_network():
        made = World(tmp_path, archive, env={**AT_ONCE, "EMQX_WAIT_FOR_START": "25"})
        yield made
        for name in ("s4", "i1"):
            made.kill(name)


def second_node(world: World) -> dict[str, str]:
    """Return the environment of a second node, as EMQX's own scripts start one."""
    return {
        "EMQX_NODE__NAME": TWO,
        "EMQX_NODE__DATA_DIR": str(world.root / "data2"),
        "EMQX_LOG_DIR": str(world.root / "log2"),
        "EMQX_LISTENERS__TCP__DEFAULT__BIND": "127.0.0.1:11899",
        "EMQX_DASHBOARD__LISTENERS__HTTP__BIND": "127.0.0.1:18099",
    }


def test_names_tell_nodes_of_one_root_apart(world: World) -> None:
    for environment in ({}, second_node(world)):
        assert world.emqx("s4", "start", **environment).code == "0"
    assert (world.root / "data2/mnesia" / TWO).is_dir()
    assert list((world.root / "log2").iterdir())
    unnamed = world.emqx("s4", "ctl", "status")
    assert (unnamed.code, unnamed.stderr.startswith(MORE_THAN_ONE)) == ("1", True)
    for name in (ONE, TWO):
        answer = world.emqx("s4", "ctl", "status", EMQX_NODE__NAME=name)
        assert answer.stdout == f"Node '{name}' 5.8.9 is started\n"
    again = world.emqx("s4", "start", **second_node(world))
    assert (again.code, again.stdout) == ("1", f"Node {TWO} is already running!\n")
    assert world.emqx("s4", "stop", EMQX_NODE__NAME=ONE).stdout.endswith("ok\n")
    # The one that is left needs no name.
    assert world.emqx("s4", "ctl", "status").stdout == f"Node '{TWO}' 5.8.9 is started\n"
    assert world.emqx("s4", "ping", EMQX_NODE__NAME=ONE).stderr == (
        f"ERROR: Node {ONE} is not running?\n"
    )


def linked_root(world: World) -> Path:
    """Make a root whose release is that of s4, with another etc directory."""
    vendor, root = world.opt("s4"), world.root / "opt/i1"
    for folder in ("bin", "releases", "etc"):
        (root / folder).mkdir(parents=True)
    parts = [vendor / "lib", *vendor.glob("erts-*"), vendor / "bin/nodetool"]
    parts += [path for path in (vendor / "releases").iterdir() if path.name != "emqx_vars"]
    for part in [*parts, vendor / "etc/vm.args"]:
        (root / part.relative_to(vendor)).symlink_to(part)
    (root / "bin/emqx").write_text(f"#!/usr/bin/env bash\nsource {vendor}/bin/emqx\n")
    (root / "bin/emqx").chmod(0o755)
    (root / "releases/emqx_vars").write_text(
        f"source {vendor}/releases/emqx_vars\nRUNNER_BIN_DIR={root}/bin EMQX_ETC_DIR={root}/etc\n"
    )
    conf = (vendor / "etc/emqx.conf").read_text()
    for old, new in (("emqx4@", "emqx11@"), ("18084", "18099"), ("11884", "11899")):
        conf = conf.replace(old, new, 1)
    (root / "etc/emqx.conf").write_text(conf.replace(f'"{ONE}", ', "").replace(f'"{ONE}"', ""))
    return root


def test_roots_of_links_tell_nodes_of_one_installation_apart(world: World) -> None:
    linked_root(world)
    for node, name in (("s4", ONE), ("i1", TWO)):
        assert world.run([f"/opt/{node}/bin/emqx", "start"]).code == "0"
        assert len(world.vms(node)) == 1
        status = world.run([f"/opt/{node}/bin/emqx", "ctl", "status"])
        assert status.stdout == f"Node '{name}' 5.8.9 is started\n"
    assert world.run(["/opt/i1/bin/emqx", "stop"]).stdout.endswith("ok\n")
    assert world.emqx("s4", "ctl", "status").stdout == f"Node '{ONE}' 5.8.9 is started\n"
    # A node that is down is looked for under the name in its own configuration.
    assert world.run(["/opt/i1/bin/emqx", "ping"]).stderr == (
        f"Node '{TWO}' not responding to pings.\n"
    )
