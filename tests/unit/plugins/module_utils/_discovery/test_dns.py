# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Real questions to a name server on the loopback."""

from __future__ import annotations

import socket
import typing as t

import dns.resolver
import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import dns as _dns
from tests.support.name_server import Zone, name_server

ZONE: Zone = {
    ("mq.example.", "A"): ["10.0.0.1", "10.0.0.2"],
    ("mq.example.", "AAAA"): ["fd00::1"],
    ("_emqx._tcp.mq.example.", "SRV"): ["0 0 4370 b1.example.", "0 0 4371 b1.example."],
}


@pytest.fixture(name="server")
def _server() -> t.Iterator[int]:
    with name_server(ZONE) as port:
        yield port


def use(monkeypatch: pytest.MonkeyPatch, port: int, *servers: str) -> None:
    """Have the host's resolver be these servers at a port of the loopback."""

    def resolver() -> dns.resolver.Resolver:
        made = real(configure=False)
        made.nameservers = list(servers)
        made.port = port
        return made

    real = dns.resolver.Resolver
    monkeypatch.setattr(dns.resolver, "Resolver", resolver)


@pytest.mark.parametrize(
    ("name", "record_type", "entries", "failure"),
    [
        ("mq.example", "a", [{"address": "10.0.0.1"}, {"address": "10.0.0.2"}], ""),
        ("mq.example.", "aaaa", [{"address": "fd00::1"}], ""),
        # EMQX ignores the port: two records with one target are one node
        ("_emqx._tcp.mq.example", "srv", [{"target": "b1.example"}], ""),
        ("other.example", "a", [], "no_such_name"),
        ("mq.example", "srv", [], "no_records"),
        ("broken.example", "a", [], "dns_silent"),
        ("localhost", "a", [], "no_such_name"),
    ],
)
def test_answers(
    monkeypatch: pytest.MonkeyPatch,
    server: int,
    name: str,
    record_type: str,
    entries: list[dict[str, str]],
    failure: str,
) -> None:
    use(monkeypatch, server, "127.0.0.1")
    found = _dns.ask({"name": name, "record_type": record_type}, 5)
    assert sorted(found["entries"], key=str) == sorted(entries, key=str)
    assert (found["failure"], found["asked"]) == (failure, "127.0.0.1")
    assert bool(found["detail"]) == bool(failure)


def test_a_silent_server_costs_no_more_than_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        use(monkeypatch, int(silent.getsockname()[1]), "127.0.0.1")
        found = _dns.ask({"name": "mq.example", "record_type": "a"}, 0.3)
    assert (found["entries"], found["failure"]) == ([], "dns_silent")


def test_the_next_server_answers_where_the_first_is_silent(
    monkeypatch: pytest.MonkeyPatch, server: int
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", server))
        use(monkeypatch, server, "127.0.0.2", "127.0.0.1")
        found = _dns.ask({"name": "mq.example", "record_type": "a"}, 2)
    assert len(found["entries"]) == 2


def test_the_no_of_a_later_server_does_not_hide_the_silence_of_the_first(
    monkeypatch: pytest.MonkeyPatch, server: int
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", server))
        use(monkeypatch, server, "127.0.0.2", "127.0.0.1")
        found = _dns.ask({"name": "other.example", "record_type": "a"}, 1)
    assert (found["failure"], found["asked"]) == ("dns_silent", "127.0.0.2")
    assert "127.0.0.1 says: The DNS query name does not exist" in found["detail"]


def test_a_host_without_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolver() -> dns.resolver.Resolver:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", resolver)
    found = _dns.ask({"name": "mq.example", "record_type": "a"}, 1)
    assert (found["failure"], found["asked"]) == ("no_resolver", "")
