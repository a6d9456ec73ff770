# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import probe
from ansible_collections.mqttops.emqx.plugins.module_utils._host.sockets import listeners

DIST, RPC = 24370, 25370


def node(number: int, dist: int = DIST, rpc: int = RPC) -> dict[str, t.Any]:
    address = f"127.9.0.{number}"
    return {"name": f"emqx@{address}", "host": address, "dist_port": dist, "rpc_port": rpc}


def states(answer: dict[str, t.Any]) -> dict[tuple[str, str], str]:
    return {(link["to"], link["kind"]): link["state"] for link in answer["links"]}


@pytest.fixture(name="listen")
def _listen() -> t.Iterator[t.Callable[..., dict[int, str]]]:
    """Give a listener for ports that are the test's own, and end it afterwards."""
    used: list[list[int]] = []

    def listen(ports: list[int], seconds: float = 30, expected_peers: int = 0) -> dict[int, str]:
        used.append(ports)
        return probe.listen(ports, False, seconds, expected_peers)

    yield listen
    for ports in used:
        probe.close(ports)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _number in range(count)]
    for opened in sockets:
        opened.bind(("127.0.0.1", 0))
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def test_open_refused_filtered_and_unresolved_are_told_apart() -> None:
    with socket.socket() as opened, socket.socket() as full, socket.socket() as last:
        opened.bind(("127.9.0.1", 0))
        opened.listen(1)
        # Linux drops what comes to a queue that is full, as a firewall does.
        full.bind(("127.9.0.2", 0))
        full.listen(0)
        last.connect(full.getsockname())
        nodes = [
            node(1, opened.getsockname()[1], free_ports(1)[0]),
            node(2, full.getsockname()[1], full.getsockname()[1]),
            {**node(3), "name": "emqx@no.such.invalid", "host": "no.such.invalid"},
        ]
        answer = probe.probe(nodes, "emqx@127.9.0.1", False, 1.5)
    assert states(answer) == {
        ("emqx@127.9.0.1", "distribution"): "open",
        ("emqx@127.9.0.1", "rpc"): "refused",
        ("emqx@127.9.0.2", "distribution"): "filtered",
        ("emqx@127.9.0.2", "rpc"): "filtered",
        ("emqx@no.such.invalid", "distribution"): "unresolved",
        ("emqx@no.such.invalid", "rpc"): "unresolved",
    }
    assert answer["resolved"]["no.such.invalid"] == []
    assert list(answer["listening"]) == [str(nodes[0]["dist_port"])]
    assert answer["listening"][str(nodes[0]["dist_port"])]["pid"] == os.getpid()


def test_no_route() -> None:
    # TEST-NET with a broadcast address: the kernel itself refuses it.
    assert probe.dial([("255.255.255.255", 9)], 1)[("255.255.255.255", 9)] in (
        "no_route",
        "filtered",
    )


def test_whose_address_it_is() -> None:
    assert probe.is_local("127.0.0.1")
    assert not probe.is_local("192.0.2.1")
    peers = [{**node(1), "host": "192.0.2.1"}]
    assert not probe.probe(peers, peers[0]["name"], False, 0.1)["own_address_local"]


def test_listener_answers_and_ends_when_told(listen: t.Callable[..., dict[int, str]]) -> None:
    ports = free_ports(2)
    targets = [("127.0.0.1", port) for port in ports]
    assert listen(ports) == {}
    assert set(probe.dial(targets, 1).values()) == {"open"}
    # Many times, as all peers come at once.
    assert set(probe.dial([("127.0.0.1", ports[0])] * 50, 1).values()) == {"open"}
    assert probe.close(ports)
    assert set(probe.dial(targets, 1).values()) == {"refused"}
    assert not probe.close(ports)


def test_listener_ends_by_itself(listen: t.Callable[..., dict[int, str]]) -> None:
    ports = free_ports(2)
    listen(ports, seconds=2)
    pid = listeners(ports)[ports[0]]["pid"]
    assert pid not in (0, os.getpid())
    gone(ports)


def gone(ports: list[int]) -> None:
    deadline = time.monotonic() + 20
    while listeners(ports):
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.05)


def test_listener_ends_when_all_expected_peers_came_to_each_port(
    listen: t.Callable[..., dict[int, str]],
) -> None:
    ports = free_ports(2)
    listen(ports, seconds=60, expected_peers=2)
    one, other = [("127.0.0.1", port) for port in ports]
    for targets in ([one, other], [one], [one]):
        assert set(probe.dial(targets, 1).values()) == {"open"}
    # It would be gone if connections to one port counted for the other.
    assert set(listeners(ports)) == set(ports)
    assert probe.dial([other], 1) == {other: "open"}
    gone(ports)


def test_what_is_refused_is_tried_until_a_listener_is_there(
    listen: t.Callable[..., dict[int, str]],
) -> None:
    ports = free_ports(2)
    peer = {**node(1, *ports), "host": "127.0.0.1"}
    found = probe.probe([peer], "", False, 1)["links"]
    assert {link["state"] for link in found} == {"refused"}
    timer = threading.Timer(0.2, listen, (ports,), {"expected_peers": 1})
    timer.start()
    assert probe.retry(found)
    timer.join()
    assert {link["state"] for link in found} == {"open"}
    gone(ports)
    # There is nobody any more, and what was open is not tried again.
    assert probe.retry(found)
    assert not probe.retry([*found, {**found[0], "state": "refused"}])


def test_a_way_that_is_not_open_otherwise_is_not_waited_for() -> None:
    begin = time.monotonic()
    assert not probe.retry([{"address": "192.0.2.1", "port": 1, "state": "filtered"}])
    assert time.monotonic() - begin < 0.5


def test_a_second_one_takes_the_place_of_the_first(
    listen: t.Callable[..., dict[int, str]],
) -> None:
    ports = free_ports(2)
    listen(ports)
    first = listeners(ports)[ports[0]]["pid"]
    assert listen(ports) == {}
    assert listeners(ports)[ports[0]]["pid"] != first


def test_killed_it_leaves_nothing(listen: t.Callable[..., dict[int, str]]) -> None:
    ports = free_ports(2)
    listen(ports)
    os.kill(listeners(ports)[ports[0]]["pid"], 9)
    gone(ports)
    assert listen(ports) == {}


def test_busy_ports_are_named_and_left_alone(listen: t.Callable[..., dict[int, str]]) -> None:
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen(1)
        busy, free = other.getsockname()[1], free_ports(1)[0]
        assert listen([busy, free]) == {busy: "Address already in use"}
        assert probe.dial([("127.0.0.1", free)], 1) == {("127.0.0.1", free): "open"}


def test_names_are_asked_for_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(host: str, *_rest: object) -> list[t.Any]:
        time.sleep(0.3 if host == "slow.example" else 30 if host == "dead.example" else 0)
        return [(2, 1, 6, "", ("192.0.2.1", 0)), (2, 1, 6, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    start = time.monotonic()
    found = probe.resolve(["a.example", "slow.example", "dead.example"], False, 3.0)
    assert time.monotonic() - start < 20
    assert found == {
        "a.example": ["192.0.2.1"],
        "slow.example": ["192.0.2.1"],
        "dead.example": [],
    }
