# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Real requests to a gateway on the loopback, with what etcd 3.4 answers."""

from __future__ import annotations

import base64
import errno
import json
import socket
import ssl
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import etcd
from tests.support.certificates import Authority, Files, ip
from tests.support.web_server import Reply, Request, closed_port, web_server

HEADER = {"cluster_id": "1", "member_id": "2", "revision": "3", "raft_term": "2"}
NODE = "emqx@10.0.0.1"
NODE_KEY = f"mq/ekkacl/nodes/{NODE}"


@dataclass
class Gateway:
    """The keys of an etcd, and how it answers."""

    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    api: str = "/v3"
    refuses: tuple[int, dict[str, t.Any]] | None = None
    text: bytes = b""
    url: str = ""

    def answer(self, path: str, body: dict[str, t.Any]) -> tuple[int, dict[str, t.Any]]:
        if self.refuses:
            return self.refuses
        if path == f"{self.api}/kv/txn":
            self.delete(body["compare"][0], body["success"][0]["request_delete_range"]["key"])
            return 200, {"header": HEADER}
        key, end = (decode(body.get(k, "")) for k in ("key", "range_end"))
        if path != f"{self.api}/kv/range":
            return 404, {"error": "Not Found", "code": 5, "message": "Not Found"}
        found = [
            {"key": encode(k), **({"value": encode(v)} if v else {}), **lease_of(lease)}
            for k, (v, lease) in sorted(self.keys.items())
            if key <= k < end
        ]
        # An empty answer has no key for them at all.
        return 200, {"header": HEADER, **({"kvs": found} if found else {})}

    def delete(self, compare: dict[str, str], key: str) -> None:
        assert (compare["target"], compare["result"]) == ("LEASE", "EQUAL")
        _value, lease = self.keys.get(decode(compare["key"]), ("", ""))
        if compare["lease"] == (lease or "0"):
            self.keys.pop(decode(key), None)


def decode(text: str) -> str:
    return base64.b64decode(text).decode()


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def lease_of(lease: str) -> dict[str, str]:
    return {"lease": lease} if lease else {}


@contextmanager
def serve(gateway: Gateway, tls: ssl.SSLContext | None = None) -> t.Iterator[None]:
    def reply(request: Request) -> Reply:
        status, answer = gateway.answer(request.path, json.loads(request.body))
        return status, gateway.text or json.dumps(answer).encode()

    with web_server(reply, tls) as gateway.url:
        yield


@pytest.fixture
def gateway() -> t.Iterator[Gateway]:
    made = Gateway({NODE_KEY: (NODE, "77"), "mq/ekkacl/nodes0": ("other", "")})
    with serve(made):
        yield made


def settings(*servers: str, **options: t.Any) -> dict[str, t.Any]:
    given = {"ssl_options": {"enable": True, **options}} if options else {}
    return {"server": ",".join(servers), "prefix": "mq", **given}


def failure(given: dict[str, t.Any], timeout: float = 5) -> str:
    found = etcd.ask(given, timeout)
    assert found["entries"] == []
    assert found["asked"]
    assert found["detail"]
    assert found["failure"] in etcd.FAILURES
    return str(found["failure"])


class TestAsk:
    def test_keys_of_the_prefix_only(self, gateway: Gateway) -> None:
        assert etcd.ask(settings(gateway.url), 5) == {
            "entries": [{"key": NODE_KEY, "value": NODE, "leased": True}],
            "asked": gateway.url,
            "failure": "",
            "detail": "",
        }

    def test_none(self, gateway: Gateway) -> None:
        gateway.keys.clear()
        assert etcd.ask(settings(gateway.url), 5)["entries"] == []

    def test_a_key_that_nobody_keeps_alive(self, gateway: Gateway) -> None:
        gateway.keys[NODE_KEY] = (NODE, "")
        assert etcd.ask(settings(gateway.url), 5)["entries"][0]["leased"] is False

    def test_the_next_server_where_one_is_down(self, gateway: Gateway) -> None:
        found = etcd.ask(settings(closed_port(), f" {gateway.url}"), 5)
        assert (found["asked"], found["failure"]) == (gateway.url, "")

    def test_etcd_3_3(self, gateway: Gateway) -> None:
        gateway.api = "/v3beta"
        assert etcd.ask(settings(gateway.url), 5)["failure"] == ""

    def test_the_lock_of_a_node_at_work_is_none_of_our_business(self, gateway: Gateway) -> None:
        gateway.keys["mq/ekkacl/lock//4e46"] = ("", "77")
        assert etcd.ask(settings(gateway.url), 5)["failure"] == ""

    def test_a_lock_that_nobody_keeps_alive(self, gateway: Gateway) -> None:
        gateway.keys["mq/ekkacl/lock//4e46"] = ("", "")
        found = etcd.ask(settings(gateway.url), 5)
        assert (found["failure"], found["detail"]) == ("etcd_locked", "mq/ekkacl/lock//4e46")

    @pytest.mark.parametrize(
        ("status", "message", "expected"),
        [
            (503, "etcdserver: no leader", "etcd_no_leader"),
            (503, "etcdserver: request timed out", "etcd_no_leader"),
            (400, "etcdserver: user name is empty", "etcd_user"),
            (403, "etcdserver: permission denied", "etcd_user"),
            (404, "Not Found", "etcd_other"),
        ],
    )
    def test_refusals(self, gateway: Gateway, status: int, message: str, expected: str) -> None:
        gateway.refuses = (status, {"error": message, "code": 14, "message": message})
        assert failure(settings(gateway.url)) == expected

    @pytest.mark.parametrize(
        "text",
        [
            b"<html>",
            b"[]",
            b'{"health": "true"}',
            b'{"header": {}, "kvs": "x"}',
            b'{"header": {}, "kvs": [{"value": "eA=="}]}',
            b'{"header": {}, "kvs": [{"key": 5}]}',
            b'{"header": {}, "kvs": [{"key": "x"}]}',
            b"[" * 100_000,
        ],
    )
    def test_no_etcd(self, gateway: Gateway, text: bytes) -> None:
        gateway.text = text
        assert failure(settings(gateway.url)) == "etcd_other"

    def test_refused(self) -> None:
        assert failure(settings(closed_port())) == "etcd_refused"

    def test_unresolved(self) -> None:
        assert failure(settings("http://etcd.invalid:2379")) == "etcd_unresolved"

    def test_who_never_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(etcd, "_ANSWER_SECONDS", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            # It takes the connection: what is silent is behind it.
            assert failure(settings(f"http://{address}"), 0.1) == "etcd_no_leader"
            hello = settings(f"https://{address}", verify="verify_none")
            assert failure(hello, 0.1) == "etcd_no_tls"

    @pytest.mark.parametrize(
        "error", [TimeoutError(), OSError(errno.EHOSTUNREACH, "no"), OSError(errno.ENETUNREACH, "")]
    )
    def test_filtered(self, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
        def connect(*_arguments: t.Any) -> None:
            raise error

        monkeypatch.setattr(socket, "create_connection", connect)
        found = etcd.ask(settings("http://10.0.0.1:2379"), 5)
        assert found["failure"] == "etcd_filtered"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ca")


@pytest.fixture(scope="module")
def own(authority: Authority) -> Files:
    return authority.issue("own", DNSName("127.0.0.1"), ip("127.0.0.1"))


@pytest.fixture
def secure(authority: Authority, own: Files) -> t.Iterator[Gateway]:
    """One that asks for a client certificate, as etcd does with client-cert-auth."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.load_cert_chain(own.cert, own.key)
    context.verify_mode = ssl.CERT_REQUIRED
    made = Gateway({NODE_KEY: (NODE, "77")})
    with serve(made, context):
        yield made


def pair(files: Files) -> dict[str, str]:
    return {"certfile": str(files.cert), "keyfile": str(files.key)}


class TestTls:
    def test_the_options_decide_and_not_the_scheme(
        self, secure: Gateway, authority: Authority, own: Files
    ) -> None:
        good = {"verify": "verify_peer", "cacertfile": str(authority.file), **pair(own)}
        for url in (secure.url, secure.url.replace("https", "http")):
            assert etcd.ask(settings(url, **good), 5)["failure"] == ""
        old = settings(secure.url, **good)
        old["ssl"] = old.pop("ssl_options")
        assert etcd.ask(old, 5)["failure"] == ""
        assert etcd.ask(settings(secure.url, verify="verify_none", **pair(own)), 5)["entries"]
        assert failure(settings(secure.url)) == "etcd_closed"

    def test_another_ca(self, secure: Gateway, own: Files, tmp_path: Path) -> None:
        other = Authority(tmp_path, "other")
        tls = {"verify": "verify_peer", "cacertfile": str(other.file), **pair(own)}
        assert failure(settings(secure.url, **tls)) == "etcd_other_ca"

    def test_another_name(self, secure: Gateway, authority: Authority, own: Files) -> None:
        tls = {"verify": "verify_peer", "cacertfile": str(authority.file), **pair(own)}
        url = secure.url.replace("127.0.0.1", "localhost")
        assert failure(settings(url, **tls)) == "etcd_other_name"

    def test_no_client_certificate(self, secure: Gateway, authority: Authority) -> None:
        tls = {"verify": "verify_peer", "cacertfile": str(authority.file)}
        assert failure(settings(secure.url, **tls)) == "etcd_no_certificate"

    def test_a_client_certificate_of_another_ca(
        self, secure: Gateway, authority: Authority, tmp_path: Path
    ) -> None:
        stranger = Authority(tmp_path, "other").issue("stranger", DNSName("x"))
        tls = {"verify": "verify_peer", "cacertfile": str(authority.file), **pair(stranger)}
        assert failure(settings(secure.url, **tls)) == "etcd_certificate_refused"

    def test_expired(self, authority: Authority, own: Files) -> None:
        old = authority.issue("old", ip("127.0.0.1"), days=-1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(old.cert, old.key)
        gateway = Gateway()
        tls = {"verify": "verify_peer", "cacertfile": str(authority.file), **pair(own)}
        with serve(gateway, context):
            assert failure(settings(gateway.url, **tls)) == "etcd_expired"

    def test_a_server_without_tls(self, gateway: Gateway, authority: Authority) -> None:
        tls = {"verify": "verify_peer", "cacertfile": str(authority.file)}
        found = failure(settings(gateway.url, **tls), 1)
        assert found in ("etcd_no_tls", "etcd_closed")

    def test_a_file_that_is_not_there(self, secure: Gateway, tmp_path: Path) -> None:
        missing = str(tmp_path / "none.pem")
        given = settings(secure.url, verify="verify_peer", cacertfile=missing)
        assert failure(given) == "etcd_file"
        assert missing in etcd.ask(given, 5)["detail"]


class TestStale:
    KEYS = ("mq/ekkacl/nodes/emqx@gone", "mq/ekkacl/lock//4e46")

    def test_keys_and_locks_that_nobody_keeps_alive(self, gateway: Gateway) -> None:
        gateway.keys.update({key: ("", "") for key in self.KEYS})
        gateway.keys["mq/ekkacl/lock//4e47"] = ("", "77")
        assert etcd.stale_keys(settings(gateway.url), 5) == list(self.KEYS)

    def test_one_that_is_taken_up_meanwhile_stays(self, gateway: Gateway) -> None:
        gateway.keys[self.KEYS[1]] = ("", "")
        etcd.delete_stale(settings(gateway.url), [NODE_KEY, *self.KEYS], 5)
        assert list(gateway.keys) == [NODE_KEY, "mq/ekkacl/nodes0"]

    def test_no_server(self) -> None:
        url = closed_port()
        with pytest.raises(etcd.EtcdError, match="found a refused connection") as raised:
            etcd.stale_keys(settings(url), 5)
        assert raised.value.details == {"server": url}
