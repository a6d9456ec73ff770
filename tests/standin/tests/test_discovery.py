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

from tests.standin.tests.world import AT_ONCE, World, build, private_network, wait_until
from tests.support.name_server import Zone, name_server
from tests.support.web_server import Reply, Request, closed_port, web_server

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
        **AT_ONCE,
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


ADDRESSES = [{"ip": "127.0.0.11", "hostname": "mq-0"}, {"ip": "127.0.0.12"}]


def k8s(url: str, kind: str) -> list[str]:
    keys = {
        "apiserver": url,
        "service_name": "mq",
        "namespace": "iot",
        "address_type": kind,
    }
    return ["cluster.discovery_strategy = k8s", f"cluster.k8s = {json.dumps(keys)}"]


def test_k8s_api_that_is_down(world: World) -> None:
    """A core boots, logs the error and goes on asking."""
    world.configure("a1", *k8s(closed_port(), "ip"))
    assert world.emqx("a1", "start").code == "0"
    log = world.opt("a1") / "log/emqx.log.1"
    wait_until(lambda: log.read_text().count("Discovery error: ") >= 2, "two attempts")
    assert "econnrefused" in log.read_text()
    assert world.emqx("a1", "eval", "emqx:is_running()").stdout == "true\n"
    assert members(world, "a1") == [NAMES[0]]


def test_k8s(world: World) -> None:
    subsets: list[object] = []
    asked: list[Request] = []

    def reply(request: Request) -> Reply:
        asked.append(request)
        found = {"kind": "Endpoints", "subsets": subsets}
        return (200 if subsets else 404), json.dumps(found).encode()

    with web_server(reply) as url:
        start(world, *k8s(url, "ip"))
        assert [members(world, node) for node in PAIR] == [[NAMES[0]], [NAMES[1]]]
        subsets[:] = [{"addresses": None}, {"addresses": ADDRESSES, "notReadyAddresses": [{}]}]
        wait_until(lambda: all(members(world, node) == NAMES for node in PAIR), "two members")
        assert asked[0].path == "/api/v1/namespaces/iot/endpoints/mq"
        # Without a ServiceAccount a node asks all the same.
        assert asked[0].headers["authorization"].strip() == "Bearer"
        for kind, suffix, expected in (
            ("dns", "pod.x", "['emqx@127-0-0-11.iot.pod.x','emqx@127-0-0-12.iot.pod.x']"),
            ("hostname", "svc.x", "['emqx@mq-0.mq.iot.svc.x']"),
            ("hostname", "", "['emqx@mq-0']"),
        ):
            options = f'address_type=>{kind},suffix=>"{suffix}"'
            asks = f"ekka_cluster_k8s:discover((emqx_conf:get([cluster,k8s]))#{{{options}}})"
            assert world.emqx("a1", "eval", asks).stdout.split() == [f"{{ok,{expected}}}"]
