# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes that find one another by a service, which is down, empty and right in turn."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.standin.tests.world import World, build, private_network, wait_until
from tests.support.name_server import Zone, name_server

PAIR = ("a1", "a2")
NAMES = ["emqx@127.0.0.11", "emqx@127.0.0.12"]
# Where Erlang's resolver is pointed at; it asks port 53 only.
SERVER = "127.0.0.53"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def world(tmp_path: Path, archive: Path) -> Iterator[World]:
    (tmp_path / "resolv.conf").write_text(f"nameserver {SERVER}\n")
    settings = tmp_path / "inetrc"
    settings.write_text(f'{{resolv_conf, "{tmp_path}/resolv.conf"}}.\n')
    env = {
        "EMQX_STANDIN_BOOT_SECONDS": "0",
        "EMQX_STANDIN_CLI_SECONDS": "0",
        "ERL_INETRC": str(settings),
    }
    if os.geteuid() != 0:
        pytest.skip("a name server at port 53 needs root")
    with private_network():
        made = World(tmp_path, archive, env=env)
        yield made
        for name in PAIR:
            made.kill(name)


def start(world: World, *lines: str) -> None:
    for node in PAIR:
        world.configure(node, *lines)
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda node: world.emqx(node, "start"), PAIR))
    assert [answer.code for answer in answers] == ["0", "0"], answers


def members(world: World, node: str) -> list[str]:
    shown = world.emqx(node, "ctl", "cluster", "status", "--json").stdout
    return list(json.loads(shown)["running_nodes"])


def dns(name: str, record_type: str) -> tuple[str, str]:
    return (
        "cluster.discovery_strategy = dns",
        f'cluster.dns {{ name = "{name}", record_type = {record_type} }}',
    )


def test_dns(world: World) -> None:
    start(world, *dns("mq.test", "a"))
    # No server, then one without the records: a node goes on looking.
    assert [members(world, node) for node in PAIR] == [[NAMES[0]], [NAMES[1]]]
    zone: Zone = {}
    with name_server(zone, SERVER, 53):
        zone["mq.test.", "A"] = ["127.0.0.11", "127.0.0.12"]
        wait_until(lambda: all(members(world, node) == NAMES for node in PAIR), "two members")


def test_srv_targets_are_the_host_part_of_names(world: World) -> None:
    # The targets of this test are addresses, as there are no names for the loopback.
    zone: Zone = {("_emqx._tcp.mq.test.", "SRV"): ["0 0 1 127.0.0.11.", "0 0 2 127.0.0.12."]}
    with name_server(zone, SERVER, 53):
        start(world, *dns("_emqx._tcp.mq.test", "srv"))
        wait_until(lambda: members(world, "a1") == NAMES, "two members")


def test_another_short_name_is_not_found(world: World) -> None:
    zone: Zone = {("mq.test.", "A"): ["127.0.0.11", "127.0.0.12"]}
    with name_server(zone, SERVER, 53):
        world.configure("a1", *dns("mq.test", "a"))
        world.configure("a2", *dns("mq.test", "a"), node_name="other@127.0.0.12")
        for node in PAIR:
            assert world.emqx(node, "start").code == "0"
        asked = "ekka_cluster_dns:discover(emqx_conf:get([cluster,dns]))"
        found = world.emqx("a1", "eval", asked).stdout
        assert found.split() == ["{ok,['emqx@127.0.0.11','emqx@127.0.0.12']}"]
        assert members(world, "a1") == [NAMES[0]]


def test_no_boot_without_etcd(world: World) -> None:
    world.configure(
        "a1",
        "cluster.discovery_strategy = etcd",
        'cluster.etcd { server = "http://127.0.0.1:1,http://127.0.0.1:2379", prefix = mq }',
    )
    ended = world.emqx("a1", "foreground")
    assert ended.code not in ("0", "")
    assert "ekka_cluster_etcd" in ended.stdout
    assert "econnrefused" in ended.stdout
