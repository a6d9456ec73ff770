# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is said of certificates before a node is started on them."""

from __future__ import annotations

import datetime as dt
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ansible_collections.mqttops.emqx.plugins.module_utils import _certificates
from tests.support.certificates import Authority, Files, ip

HOST = "10.0.0.1"
NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)


def public(files: Files) -> bytes:
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def read(path: str) -> bytes | None:
    return Path(path).read_bytes() if Path(path).is_file() else None


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def good(ca: Authority) -> Files:
    return ca.issue("good", x509.DNSName(HOST), ip(HOST), days=100)


def codes(files: Files, ca: Path, host: str = HOST) -> list[str]:
    found = _certificates.problems(
        files.cert.read_bytes(), public(files), ca.read_bytes(), host, NOW
    )
    return [problem[0] for problem in found]


class TestProblems:
    def test_a_good_one(self, ca: Authority) -> None:
        assert codes(good(ca), ca.file) == []

    def test_an_address_has_to_be_there_as_a_name(self, ca: Authority) -> None:
        assert codes(ca.issue("bad", ip(HOST)), ca.file) == ["san"]
        assert codes(good(ca), ca.file, "10.0.0.2") == ["san"]

    def test_names_in_any_case_and_with_a_wildcard(self, ca: Authority) -> None:
        files = ca.issue("wild", x509.DNSName("*.Example.org"))
        assert codes(files, ca.file, "n1.example.org") == []
        assert codes(files, ca.file, "a.n1.example.org") == ["san"]

    def test_expired(self, ca: Authority) -> None:
        assert codes(ca.issue("old", x509.DNSName(HOST), days=-1), ca.file) == ["expired"]

    def test_another_ca_of_the_same_name(self, ca: Authority, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other", "ca")
        assert codes(good(other), ca.file) == ["other_ca"]

    def test_another_key(self, ca: Authority) -> None:
        files, other = good(ca), ca.issue("other", x509.DNSName(HOST))
        assert codes(Files(files.cert, other.key, files.ca), ca.file) == ["other_key"]

    def test_what_is_no_certificate(self) -> None:
        found = _certificates.problems(b"", b"", b"", HOST, NOW)
        assert [problem[0] for problem in found] == ["unreadable"]


def wish(own_ca: bool, **paths: t.Any) -> dict[str, t.Any]:
    empty = {"certificate": "", "key": "", "ca": "", "ca_key": "", "passphrase": ""}
    shown = {name: str(value) for name, value in paths.items()}
    return {"enabled": True, "own_ca": own_ca, "host": HOST, **empty, **shown}


def answer(files: Files) -> dict[str, str]:
    return {
        "certificate": files.cert.read_text(),
        "ca": files.ca.read_text(),
        "public_key": public(files).decode(),
    }


def plan(wanted: dict[str, t.Any], found: dict[str, str]) -> dict[str, t.Any]:
    return _certificates.plan(wanted, found, read, NOW)


class TestGiven:
    def test_new_and_done(self, ca: Authority) -> None:
        files = good(ca)
        wanted = wish(False, certificate=files.cert, key=files.key, ca=files.ca)
        assert plan(wanted, {}) == {"pending": True, "ca_missing": False, "errors": []}
        assert plan(wanted, answer(files))["pending"] is False

    def test_each_missing_file_is_named(self, ca: Authority) -> None:
        files = good(ca)
        found = plan(wish(False, certificate=files.cert, key="/nowhere/key.pem"), {})["errors"]
        assert [(error[1], error[3]) for error in found] == [
            ("emqx_tls_key", "no file /nowhere/key.pem"),
            ("emqx_tls_ca", "none"),
        ]

    def test_the_certificate_is_named(self, ca: Authority) -> None:
        files = ca.issue("old", x509.DNSName(HOST), days=-1)
        (error,) = plan(
            wish(False, certificate=files.cert, key=files.key, ca=files.ca), answer(files)
        )["errors"]
        assert error[:2] == ("tls_expired", "emqx_tls_certificate")
        assert str(files.cert) in error[3]


class TestOwn:
    def wish(self, ca: Authority, passphrase: str = "secret") -> dict[str, t.Any]:
        key = ca.folder / "ca-key.pem"
        key.write_bytes(
            ca.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        return wish(True, ca=ca.file, ca_key=key, passphrase=passphrase)

    def test_nothing_there_yet(self, tmp_path: Path) -> None:
        wanted = wish(True, ca=tmp_path / "ca.pem", ca_key=tmp_path / "key", passphrase="secret")
        assert plan(wanted, {}) == {"pending": True, "ca_missing": True, "errors": []}

    def test_done(self, ca: Authority) -> None:
        found = plan(self.wish(ca), answer(good(ca)))
        assert found == {"pending": False, "ca_missing": False, "errors": []}

    def test_made_anew_before_it_ends(self, ca: Authority) -> None:
        soon = ca.issue("soon", x509.DNSName(HOST), days=29)
        assert plan(self.wish(ca), answer(soon))["pending"] is True

    def test_no_passphrase(self, ca: Authority) -> None:
        (error,) = plan(self.wish(ca, ""), {})["errors"]
        assert error[:2] == ("tls_passphrase", "emqx_tls_ca_passphrase")

    def test_another_passphrase(self, ca: Authority) -> None:
        (error,) = plan(self.wish(ca, "other"), {})["errors"]
        assert error[0] == "tls_passphrase"
        assert "other" not in error[3].replace("another", "")

    def test_a_ca_without_its_key(self, ca: Authority) -> None:
        (error,) = plan(wish(True, ca=ca.file, ca_key="/nowhere", passphrase="x"), {})["errors"]
        assert error[0] == "tls_ca_key"


def test_nothing_to_do_without_tls() -> None:
    assert plan({"enabled": False}, {}) == {"pending": False, "ca_missing": False, "errors": []}


class TestReview:
    def review(self, files: Files, ca: Authority) -> dict[str, t.Any]:
        pem = {
            "use": "rpc",
            "paths": {"certificate": "/tls/cert.pem"},
            "certificate": files.cert.read_text(encoding="utf-8"),
            "public_key": public(files).decode(),
            "ca": ca.file.read_text(encoding="utf-8"),
        }
        return _certificates.review([pem], HOST, NOW)

    def test_good_ones_of_one_ca(self, ca: Authority) -> None:
        found = self.review(good(ca), ca)
        assert (found["problems"], found["ending"]) == ([], [])
        assert found["ca"] == self.review(ca.issue("more", x509.DNSName(HOST), days=90), ca)["ca"]

    def test_what_is_wrong_now_and_soon(self, ca: Authority) -> None:
        (expired,) = self.review(ca.issue("old", x509.DNSName(HOST), days=-1), ca)["problems"]
        assert (expired["use"], expired["path"]) == ("rpc", "/tls/cert.pem")
        assert (expired["code"], expired["expected"][:24]) == (
            "expired",
            "the certificate to be va",
        )
        (ending,) = self.review(ca.issue("new", x509.DNSName(HOST), days=10), ca)["ending"]
        assert ending["code"] == "expired"

    def test_another_ca_and_none_at_all(self, ca: Authority, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other", "ca")
        assert self.review(good(other), other)["ca"] != self.review(good(ca), ca)["ca"]
        pem = {"use": "rpc", "paths": {"certificate": "/none"}}
        blank = {**pem, "certificate": "", "public_key": "", "ca": ""}
        found = _certificates.review([blank], HOST, NOW)
        assert [each["code"] for each in found["problems"]] == ["unreadable"]
        assert found["ca"] == ""
        assert _certificates.review([], HOST, NOW) == {"problems": [], "ending": [], "ca": ""}
