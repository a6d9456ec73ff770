# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Real requests to a server on the loopback that answers as the Kubernetes API does."""

from __future__ import annotations

import json
import socket
import ssl
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import k8s
from tests.support.certificates import Authority, Files, ip
from tests.support.web_server import Reply, Request, closed_port, web_server

TOKEN = "eyJhbGciOi.J9eyJpc3Mi.secret-part"
PATH = "/api/v1/namespaces/mq/endpoints/emqx-headless"


@dataclass
class Api:
    """One Endpoints object, who may read it, and how it answers."""

    subsets: t.Any = None
    text: bytes = b""
    status: int = 200
    url: str = ""
    token: str = TOKEN
    asked: list[Request] = field(default_factory=list)

    def reply(self, request: Request) -> Reply:
        self.asked.append(request)
        if self.text:
            return self.status, self.text
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return refusal(401, "Unauthorized")
        if request.path != PATH:
            return refusal(404, 'endpoints "other" not found')
        found = {"kind": "Endpoints", "apiVersion": "v1", "metadata": {"name": "emqx-headless"}}
        subsets = {} if self.subsets is None else {"subsets": self.subsets}
        return 200, json.dumps({**found, **subsets}).encode()


def refusal(status: int, message: str) -> Reply:
    found = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message}
    return status, json.dumps({**found, "code": status}).encode()


def settings(url: str, **more: str) -> dict[str, t.Any]:
    names = {"namespace": "mq", "service_name": "emqx-headless"}
    return {"apiserver": url, **names, "address_type": "ip", "suffix": "", **more}


@pytest.fixture
def api() -> t.Iterator[Api]:
    made = Api()
    with web_server(made.reply) as made.url:
        yield made


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    return tmp_path


def ask(url: str, account: Path, timeout: float = 5, **more: str) -> dict[str, t.Any]:
    found = k8s.ask(settings(url, **more), timeout, str(account))
    assert TOKEN not in json.dumps(found)
    return found


def failure(url: str, account: Path, timeout: float = 5, **more: str) -> str:
    found = ask(url, account, timeout, **more)
    assert found["entries"] == []
    assert found["asked"] == url
    assert found["detail"]
    assert found["failure"] in k8s.FAILURES
    return str(found["failure"])


class TestAsk:
    def test_addresses(self, api: Api, account: Path) -> None:
        api.subsets = [
            {
                "addresses": [
                    {"ip": "10.0.0.1", "hostname": "emqx-0", "targetRef": {"kind": "Pod"}},
                    {"ip": "10.0.0.2"},
                ],
                "ports": [{"name": "mqtt", "port": 1883, "protocol": "TCP"}],
            },
            # The same address once more, for other ports.
            {
                "addresses": [{"ip": "10.0.0.2"}],
                "notReadyAddresses": [{"ip": "10.0.0.3"}],
                "ports": [],
            },
        ]
        assert ask(api.url, account) == {
            "entries": [
                {"ip": "10.0.0.1", "hostname": "emqx-0", "ready": True},
                {"ip": "10.0.0.2", "hostname": "", "ready": True},
                {"ip": "10.0.0.3", "hostname": "", "ready": False},
            ],
            "asked": api.url,
            "failure": "",
            "detail": "",
        }
        (request,) = api.asked
        assert (request.method, request.path) == ("GET", PATH)

    @pytest.mark.parametrize("subsets", [None, [], [{"ports": []}], [{"addresses": None}]])
    def test_a_service_that_selects_nothing(self, api: Api, account: Path, subsets: t.Any) -> None:
        api.subsets = subsets
        found = ask(api.url, account)
        assert (found["entries"], found["failure"]) == ([], "")

    def test_a_token_that_nobody_knows(self, api: Api, account: Path) -> None:
        api.token = "another"
        assert failure(api.url, account) == "unauthorized"

    def test_a_token_without_the_right(self, api: Api, account: Path) -> None:
        message = 'endpoints "emqx-headless" is forbidden: User "x" cannot get resource'
        api.status, api.text = refusal(403, message)
        found = ask(api.url, account)
        assert (found["failure"], found["detail"]) == ("forbidden", message)

    def test_no_service(self, api: Api, account: Path) -> None:
        assert failure(api.url, account, service_name="other") == "no_service"

    @pytest.mark.parametrize(
        ("status", "text"),
        [
            (200, b"<html>"),
            (200, b"[]"),
            (200, b"null"),
            (200, b'{"kind": "Service"}'),
            (200, b'{"kind": "Endpoints", "subsets": "none"}'),
            (200, b'{"kind": "Endpoints", "subsets": [{"addresses": [{"hostname": "x"}]}]}'),
            # Not of the API, whatever it means.
            (404, b"not found"),
            (401, b'{"kind": "Login"}'),
            (500, b'{"kind": "Status", "message": "etcd is down"}'),
        ],
    )
    def test_nonsense(self, api: Api, account: Path, status: int, text: bytes) -> None:
        api.status, api.text = status, text
        assert failure(api.url, account) == "bad_answer"

    def test_who_sends_the_token_back(self, api: Api, account: Path) -> None:
        api.status, api.text = refusal(401, f"bad token {TOKEN}")
        assert ask(api.url, account)["detail"] == "bad token (the token)"

    @pytest.mark.parametrize("text", ["", "\n", "two\nlines", "b\u00e4r"])
    def test_what_is_no_token(self, api: Api, account: Path, text: str) -> None:
        (account / "token").write_text(text, encoding="utf-8")
        assert failure(api.url, account) == "no_token"
        assert api.asked == []

    def test_no_token_at_all(self, api: Api, tmp_path: Path) -> None:
        assert failure(api.url, tmp_path / "nowhere") == "no_token"

    def test_refused(self, account: Path) -> None:
        assert failure(closed_port(), account) == "k8s_refused"

    def test_unresolved(self, account: Path) -> None:
        assert failure("https://k8s.invalid", account) == "k8s_unresolved"

    def test_a_url_that_is_none(self, account: Path) -> None:
        assert failure("https://k8s:port", account) == "k8s_other"

    def test_silent(self, account: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            assert failure(f"http://{address}", account, 0.1) == "k8s_silent"
            assert failure(f"https://{address}", account, 0.1) == "k8s_no_tls"

    def test_the_port_of_https(self, account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[t.Any] = []

        def connect(address: t.Any, *_arguments: t.Any) -> None:
            seen.append(address)
            raise TimeoutError("timed out")

        monkeypatch.setattr(socket, "create_connection", connect)
        assert failure("https://10.0.0.1", account) == "k8s_filtered"
        assert failure("https://[fd00::1]/", account) == "k8s_filtered"
        assert seen == [("10.0.0.1", 443), ("fd00::1", 443)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ca")


def context(files: Files) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files.cert, files.key)
    return made


@pytest.fixture
def secure(authority: Authority) -> t.Iterator[Api]:
    made = Api(subsets=[{"addresses": [{"ip": "10.0.0.1"}]}])
    own = authority.issue("api", DNSName("localhost"), ip("127.0.0.1"))
    with web_server(made.reply, context(own)) as url:
        made.url = url.replace("127.0.0.1", "localhost")
        yield made


class TestTls:
    def test_the_ca_of_the_cluster(self, secure: Api, account: Path, authority: Authority) -> None:
        (account / "ca.crt").write_bytes(authority.file.read_bytes())
        assert len(ask(secure.url, account)["entries"]) == 1

    def test_without_a_ca_nothing_is_verified(self, secure: Api, account: Path) -> None:
        assert len(ask(secure.url, account)["entries"]) == 1

    def test_another_ca(self, secure: Api, account: Path, tmp_path: Path) -> None:
        other = Authority(tmp_path, "other")
        (account / "ca.crt").write_bytes(other.file.read_bytes())
        assert failure(secure.url, account) == "k8s_other_ca"
        # Who is not trusted does not see the token.
        assert secure.asked == []

    def test_another_name(self, secure: Api, account: Path, authority: Authority) -> None:
        (account / "ca.crt").write_bytes(authority.file.read_bytes())
        other = context(authority.issue("other", DNSName("kubernetes")))
        with web_server(secure.reply, other) as url:
            assert failure(url.replace("127.0.0.1", "localhost"), account) == "k8s_other_name"

    def test_an_address_that_emqx_does_not_verify(
        self, secure: Api, account: Path, authority: Authority
    ) -> None:
        (account / "ca.crt").write_bytes(authority.file.read_bytes())
        assert failure(secure.url.replace("localhost", "127.0.0.1"), account) == "k8s_address"

    def test_what_is_no_ca(self, secure: Api, account: Path) -> None:
        (account / "ca.crt").write_text("nonsense", encoding="ascii")
        assert failure(secure.url, account) == "k8s_file"

    def test_expired(self, account: Path, authority: Authority) -> None:
        (account / "ca.crt").write_bytes(authority.file.read_bytes())
        old = authority.issue("old", DNSName("localhost"), days=-1)
        with web_server(Api().reply, context(old)) as url:
            assert failure(url.replace("127.0.0.1", "localhost"), account) == "k8s_expired"

    def test_a_server_that_wants_a_certificate(self, account: Path, authority: Authority) -> None:
        picky = context(authority.issue("picky", ip("127.0.0.1")))
        picky.load_verify_locations(cafile=str(authority.file))
        picky.verify_mode = ssl.CERT_REQUIRED
        with web_server(Api().reply, picky) as url:
            assert failure(url, account) == "k8s_certificate_refused"

    def test_a_server_without_tls(self, api: Api, account: Path) -> None:
        found = failure(api.url.replace("http", "https"), account, 1)
        assert found in ("k8s_no_tls", "k8s_closed")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://10.0.0.9:6443", True),
        ("https://10.0.0.9/", True),
        ("https://[fd00::9]:6443", True),
        ("https://10.example.org", False),
        ("https://kubernetes.default.svc:443", False),
    ],
)
def test_named_by_address(url: str, found: bool) -> None:
    assert k8s.named_by_address(url) is found
