# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The flavour of 5.10: the licence and what it gates, exit codes, replicants, rebalance."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin.tests.world import AT_ONCE, NODES, World, build, private_network, wait_until
from tests.support.licenses import forged_license_key, license_key
from tests.support.mqtt import Client

SEEDS = 'cluster.static.seeds = ["emqx4@127.0.0.1", "emqx5@127.0.0.1"]'
EVALUATION = "license.key = evaluation"
REPLICANT = "node.role = replicant"
CORES = [NODES["s4"][0], NODES["s5"][0]]
SINGLE = (
    "SINGLE_NODE_LICENSE, make sure this node and peer nodes are configured with a valid license"
)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("packages")
    return lambda version: build(folder, version)


@pytest.fixture
def world(tmp_path: Path, archives: Callable[[str], Path]) -> Iterator[World]:
    speed = {
        **AT_ONCE,
        "EMQX_STANDIN_LICENSE_SECONDS": "1",
        "EMQX_WAIT_FOR_START": "60",
    }
    with private_network():
        made = World(tmp_path, archives("5.10.4"), env=speed)
        yield made
        for name in NODES:
            made.kill(name)


def start(world: World, *nodes: str) -> None:
    for node in nodes:
        answer = world.emqx(node, "start")
        assert answer.stdout.endswith("EMQX Enterprise 5.10.4 is started successfully!\n"), answer


def evaluate(world: World, node: str, expression: str) -> str:
    return world.emqx(node, "eval", expression).stdout.strip()


def running(world: World, node: str) -> list[str]:
    answer = world.emqx(node, "ctl", "cluster", "status", "--json")
    return list(json.loads(answer.stdout)["running_nodes"])


def log(world: World, node: str) -> str:
    files = (world.opt(node) / "log").glob("emqx.log*")
    return "".join(path.read_text(errors="replace") for path in files)


def start_cores(world: World) -> None:
    for node in ("s4", "s5"):
        world.configure(node, SEEDS, EVALUATION)
    start(world, "s4", "s5")
    wait_until(lambda: all(running(world, n) == CORES for n in ("s4", "s5")), "two cores")


def start_replicant(world: World, node: str) -> None:
    world.configure(node, "cluster.discovery_strategy = static", SEEDS, EVALUATION, REPLICANT)
    start(world, node)


def test_community_licence_is_for_one_node(world: World) -> None:
    start(world, "n1", "n2")
    assert evaluate(world, "n1", "emqx_release:edition()") == "ee"
    info = world.emqx("n1", "ctl", "license", "info").stdout
    assert re.search(r"^type            : community$", info, re.MULTILINE)
    answer = world.emqx("n2", "ctl", "cluster", "join", "emqx1@127.0.0.1")
    assert (answer.code, answer.stdout) == (
        "1",
        'Failed to join the cluster: "Node emqx1@127.0.0.1 has a single node license"\n',
    )
    assert running(world, "n2") == ["emqx2@127.0.0.1"]


def test_exit_codes_of_what_fails(world: World) -> None:
    world.configure("n1", EVALUATION)
    start(world, "n1")
    gone = world.emqx("n1", "ctl", "cluster", "join", "emqx9@127.0.0.1")
    assert (gone.code, gone.stdout) == (
        "1",
        "Failed to join the cluster: {node_down,'emqx9@127.0.0.1'}\n",
    )
    leave = world.emqx("n1", "ctl", "cluster", "leave")
    assert (leave.code, leave.stdout) == (
        "1",
        "Failed to leave the cluster: node_not_in_cluster\n",
    )
    evict = world.emqx("n1", "ctl", "cluster", "force-leave", "emqx9@127.0.0.1")
    assert (evict.code, evict.stdout) == (
        "0",
        "Failed to remove the node from cluster: node_not_in_cluster\n",
    )


def test_a_joiner_without_a_licence_stops(world: World) -> None:
    world.configure("n1", EVALUATION)
    start(world, "n1", "n2")
    assert world.emqx("n2", "ctl", "cluster", "join", "emqx1").stdout.startswith("Join the")
    world.wait_vms("n2", 0)
    assert SINGLE in log(world, "n2")
    answer = world.emqx("n2", "start", EMQX_WAIT_FOR_START="10")
    assert answer.code == "1", answer
    world.configure("n2", f'license.key = "{license_key("A")}"')
    start(world, "n2")
    wait_until(lambda: len(running(world, "n1")) == 2, "both nodes")


def test_key_in_a_file_is_read_again(world: World) -> None:
    stored = world.root / "license"
    stored.write_text(license_key("First") + "\n")
    world.configure("n1", f'license.key = "file://{stored}"')
    start(world, "n1")
    info = world.emqx("n1", "ctl", "license", "info").stdout
    assert info.splitlines()[0] == "customer        : First"
    assert "type            : official" in info.splitlines()
    assert license_key("First") not in world.emqx("n1", "ctl", "conf", "show", "license").stdout
    stored.write_text(license_key("Second"))
    wait_until(
        lambda: "Second" in world.emqx("n1", "ctl", "license", "info").stdout, "the other key"
    )
    stored.write_text("no key")
    wait_until(lambda: "emqx_license_refresh_failed" in log(world, "n1"), "a complaint")
    assert "Second" in world.emqx("n1", "ctl", "license", "info").stdout


@pytest.mark.parametrize(
    ("license_key", "reason"),
    [("nonsense", "bad_license_format"), (forged_license_key("A"), "invalid_signature")],
)
def test_no_boot_with_a_key_that_is_refused(world: World, license_key: str, reason: str) -> None:
    world.configure("n1", f'license.key = "{license_key}"')
    assert world.emqx("n1", "check_config").code == "0"
    answer = world.emqx("n1", "start", EMQX_WAIT_FOR_START="10")
    assert answer.code == "1"
    shown = log(world, "n1")
    assert f"failed_to_start_app emqx_license: #{{parse_results => [#{{error => {reason}," in shown


def test_replicant_follows_a_core(world: World) -> None:
    start_cores(world)
    world.emqx("s4", "ctl", "admins", "add", "early", "Kept0by0the0core", "")
    start_replicant(world, "s6")
    both = [*CORES, NODES["s6"][0]]
    nodes = ("s4", "s5", "s6")
    wait_until(lambda: all(running(world, node) == both for node in nodes), "three on each")
    assert [evaluate(world, n, "mria_rlog:role()") for n in ("s4", "s6")] == ["core", "replicant"]
    for node in ("s4", "s6"):
        assert evaluate(world, node, "mria:cluster_nodes(cores)") == f"['{CORES[0]}','{CORES[1]}']"
    assert evaluate(world, "s4", "mnesia:system_info(db_nodes)").count("@") == 2
    assert evaluate(world, "s6", "mnesia:system_info(db_nodes)") == f"['{NODES['s6'][0]}']"

    # Data: copied at the start, then followed; what is written here goes to the core.
    size = "mnesia:table_info(emqx_admin, size)"
    assert evaluate(world, "s6", size) == evaluate(world, "s5", size) == "2"
    world.emqx("s6", "ctl", "admins", "add", "late", "Kept0by0the0core", "")
    wait_until(lambda: evaluate(world, "s4", size) == "3", "the user on the core")
    wait_until(lambda: evaluate(world, "s6", size) == "3", "the user on the replicant")

    # The core goes, the replicant moves on.
    upstream = re.findall(r"'(.+)'", evaluate(world, "s6", "mria_status:upstream_node(emqx_shard)"))
    first = {name: node for node in ("s4", "s5") for name in [NODES[node][0]]}[upstream[0]]
    other = {"s4": "s5", "s5": "s4"}[first]
    assert evaluate(world, first, "mria_status:replicants()") == f"['{NODES['s6'][0]}']"
    assert world.emqx(first, "stop").code == "0"
    wait_until(
        lambda: evaluate(world, other, "mria_status:replicants()") == f"['{NODES['s6'][0]}']",
        "the replicant on the other core",
    )
    status = json.loads(world.emqx("s6", "ctl", "cluster", "status", "--json").stdout)
    assert status["stopped_nodes"] == [NODES[first][0]]

    # A replicant that is gone is remembered by nobody.
    assert world.emqx("s6", "stop").code == "0"
    wait_until(lambda: running(world, other) == [NODES[other][0]], "the core alone")
    status = json.loads(world.emqx(other, "ctl", "cluster", "status", "--json").stdout)
    assert status["stopped_nodes"] == [NODES[first][0]]


def test_topology_over_http(world: World) -> None:
    world.configure("n1", EVALUATION)
    start(world, "n1")
    world.configure(
        "s6", f"cluster {{ discovery_strategy = static, static.seeds = [\"{NODES['n1'][0]}\"] }}",
        EVALUATION, REPLICANT, cookie="Replay0cookie",
    )  # fmt: skip
    start(world, "s6")
    answer = world.http("GET", 18081, "/api/v5/cluster/topology", "", "key")
    assert json.loads(answer.stdout) == [
        {
            "core_node": NODES["n1"][0],
            "replicant_nodes": [{"node": NODES["s6"][0], "streams": 1}],
        }
    ]
    nodes = json.loads(world.http("GET", 18081, "/api/v5/nodes", "", "key").stdout)
    assert {n["node"]: (n["role"], n["edition"]) for n in nodes} == {
        NODES["n1"][0]: ("core", "Enterprise"),
        NODES["s6"][0]: ("replicant", "Enterprise"),
    }
    answer = world.emqx("n1", "ctl", "cluster", "join", NODES["s6"][0])
    assert answer.code == "1"


def test_no_boot_without_a_core_of_this_version(
    world: World, archives: Callable[[str], Path]
) -> None:
    world.configure("s6", SEEDS, EVALUATION, REPLICANT)
    answer = world.emqx("s6", "start", EMQX_WAIT_FOR_START="5")
    assert answer.code == "3", answer
    world.kill("s6")
    start_cores(world)
    world.archive = archives("5.10.3")
    world.configure("s40", "cluster.discovery_strategy = static", SEEDS, EVALUATION, REPLICANT)
    answer = world.emqx("s40", "start", EMQX_WAIT_FOR_START="5")
    assert answer.code == "3", answer
    assert "no core of version 5.10.3" in log(world, "s40")


def test_replicant_joined_by_hand_keeps_its_seed(world: World) -> None:
    start_cores(world)
    start_replicant(world, "s6")
    joined = world.emqx("s6", "ctl", "cluster", "join", "emqx5")
    assert joined.stdout == f"Failed to join the cluster: {{already_in_cluster,'{CORES[1]}'}}\n"
    refused = world.emqx("s5", "ctl", "cluster", "join", NODES["s6"][0])
    assert (refused.code, refused.stdout.split("{")[1].split(",")[0]) == (
        "1",
        "already_in_cluster",
    )


def test_evacuation(world: World) -> None:
    start(world, "n1")
    clients = [Client("127.0.0.1", 11881, client_id=f"c{number}") for number in range(3)]
    available = "/api/v5/load_rebalance/availability_check"

    def rebalance(*arguments: str) -> tuple[str, str]:
        answer = world.emqx("n1", "ctl", "rebalance", *arguments)
        return answer.code, answer.stdout

    assert rebalance("node-status") == ("0", "Rebalance disabled\n")
    assert rebalance("status") == ("0", "")
    assert world.http("GET", 18081, available, "", "").code == "200"
    waits = ("--wait-health-check", "1", "--wait-takeover", "1")
    started = rebalance("start", "--evacuation", "--conn-evict-rate", "1", *waits)
    assert started == ("1", "Rebalance(evacuation) started\n")
    assert "Rebalance state: waiting_health_check\n" in rebalance("node-status")[1]
    assert rebalance("start", "--evacuation")[1] == "Rebalance is already enabled\n"
    wait_until(lambda: not Client("127.0.0.1", 11881).accepted, "no refusal")
    assert world.http("GET", 18081, available, "", "").code == "503"
    wait_until(lambda: "Rebalance state: prohibiting\n" in rebalance("node-status")[1], "no client")
    assert not any(client.is_open() for client in clients)
    shown = rebalance("status")[1]
    assert "Node 'emqx1@127.0.0.1': evacuation\nRebalance state: prohibiting\n" in shown
    assert "Connection eviction rate: 1 connections/second\n" in shown
    assert "  current_connected: 0\n" in shown
    assert "  initial_connected: 3\n" in shown
    assert rebalance("stop") == ("1", "Rebalance(evacuation) stopped\n")
    assert rebalance("stop")[1] == "Rebalance is already disabled\n"
    assert Client("127.0.0.1", 11881).accepted
