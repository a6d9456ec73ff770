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

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import tls
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
    found = tls.problems(files.cert.read_bytes(), public(files), ca.read_bytes(), host, NOW)
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

    def test_a_ca_between(self, ca: Authority) -> None:
        between = ca.authority("between")
        files = between.issue("n1", x509.DNSName(HOST))
        assert codes(files, ca.file) == ["other_ca"]
        files.cert.write_bytes(files.cert.read_bytes() + between.file.read_bytes())
        assert codes(files, ca.file) == []

    def test_a_bundle_of_cas(self, ca: Authority, tmp_path: Path) -> None:
        bundle = tmp_path / "bundle.pem"
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other", "other")
        bundle.write_bytes(other.file.read_bytes() + ca.file.read_bytes())
        assert codes(good(ca), bundle) == []

    def test_what_is_no_certificate(self) -> None:
        found = tls.problems(b"", b"", b"", HOST, NOW)
        assert [problem[0] for problem in found] == ["unreadable"]


def wish(own_ca: bool, **given: t.Any) -> dict[str, t.Any]:
    empty = {"certificate": "", "key": "", "ca": "", "ca_key": "", "passphrase": ""}
    shown = {name: v if isinstance(v, (bool, int)) else str(v) for name, v in given.items()}
    return {
        "enabled": True,
        "own_ca": own_ca,
        "host": HOST,
        "days": 825,
        "renew_days": 30,
        "active": False,
        "rotates": False,
        **empty,
        **shown,
    }


def answer(files: Files) -> dict[str, str]:
    return {
        "certificate": files.cert.read_text(),
        "ca": files.ca.read_text(),
        "public_key": public(files).decode(),
    }


def plan(wanted: dict[str, t.Any], found: dict[str, str]) -> dict[str, t.Any]:
    return tls.plan(wanted, found, read, NOW)


def states(found: dict[str, t.Any]) -> tuple[bool, bool, bool]:
    assert (found["errors"], found["warnings"]) == ([], [])
    return found["pending"], found["complete"], found["renew"]


NEW = (True, False, True)
DONE = (False, True, False)


class TestGiven:
    def wish(self, files: Files, **more: t.Any) -> dict[str, t.Any]:
        return wish(False, certificate=files.cert, key=files.key, ca=files.ca, **more)

    def test_new_and_done(self, ca: Authority) -> None:
        files = good(ca)
        assert states(plan(self.wish(files), {})) == NEW
        assert states(plan(self.wish(files, active=True), answer(files))) == DONE

    def test_each_missing_file_is_named(self, ca: Authority) -> None:
        files = good(ca)
        found = plan(wish(False, certificate=files.cert, key="/nowhere/key.pem"), {})["errors"]
        assert [(error[1], error[3]) for error in found] == [
            ("emqx_tls_key", "no file /nowhere/key.pem"),
            ("emqx_tls_ca", "none"),
        ]

    def test_the_certificate_is_named(self, ca: Authority) -> None:
        files = ca.issue("old", x509.DNSName(HOST), days=-1)
        (error,) = plan(self.wish(files), answer(files))["errors"]
        assert error[:2] == ("tls_expired", "emqx_tls_certificate")
        assert str(files.cert) in error[3]

    def test_a_key_with_a_passphrase(self, ca: Authority) -> None:
        files = good(ca)
        files.key.write_bytes(
            encrypted(serialization.load_pem_private_key(files.key.read_bytes(), None))
        )
        (error,) = plan(self.wish(files), {})["errors"]
        assert error[:4] == (
            "tls_key",
            "emqx_tls_key",
            "a private key in PEM",
            "a key with a passphrase",
        )

    def test_one_that_ends_soon_is_warned_of(self, ca: Authority) -> None:
        files = ca.issue("soon", x509.DNSName(HOST), days=29)
        found = plan(self.wish(files), answer(files))
        assert (found["errors"], found["pending"]) == ([], False)
        assert [warning[0] for warning in found["warnings"]] == ["tls_ends"]

    def test_another_one_on_a_running_node_is_left_to_the_rotation(self, ca: Authority) -> None:
        wanted = self.wish(good(ca), active=True)
        other = answer(ca.issue("other", x509.DNSName(HOST), days=90))
        found = plan(wanted, other)
        assert (found["pending"], found["renew"], found["errors"]) == (False, True, [])
        assert [warning[0] for warning in found["warnings"]] == ["tls_renew"]
        assert plan({**wanted, "rotates": True}, other)["warnings"] == []
        assert plan({**wanted, "active": False}, other)["pending"] is True


class TestOwn:
    def wish(self, ca: Authority, passphrase: str = "secret", **more: t.Any) -> dict[str, t.Any]:
        key = ca.folder / "ca-key.pem"
        key.write_bytes(encrypted(ca.key))
        return wish(True, ca=ca.file, ca_key=key, passphrase=passphrase, **more)

    def test_nothing_there_yet(self, tmp_path: Path) -> None:
        wanted = wish(True, ca=tmp_path / "ca.pem", ca_key=tmp_path / "key", passphrase="secret")
        found = plan(wanted, {})
        assert states(found) == NEW
        assert (found["ca_missing"], found["ca"]) == (True, "")

    def test_done(self, ca: Authority) -> None:
        found = plan(self.wish(ca), answer(good(ca)))
        assert states(found) == DONE
        assert (found["ca_missing"], found["ca"]) == (False, ca.file.read_text())

    def test_made_anew_before_it_ends(self, ca: Authority) -> None:
        soon = answer(ca.issue("soon", x509.DNSName(HOST), days=29))
        assert plan(self.wish(ca), soon)["pending"] is True
        assert plan(self.wish(ca, renew_days=28), soon)["pending"] is False
        (warning,) = plan(self.wish(ca, active=True), soon)["warnings"]
        assert warning[0] == "tls_renew"
        assert warning[4] == "run the playbook rotate_certs"

    def test_a_running_node_with_one_that_no_peer_takes(self, ca: Authority) -> None:
        old = answer(ca.issue("old", x509.DNSName(HOST), days=-1))
        found = plan(self.wish(ca, active=True), old)
        assert [error[0] for error in found["errors"]] == ["tls_expired"]
        assert plan(self.wish(ca, active=True, rotates=True), old)["errors"] == []

    def test_another_ca_of_a_running_node(self, ca: Authority, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        new = Authority(tmp_path / "new", "ca")
        (error,) = plan(self.wish(new, active=True), answer(good(ca)))["errors"]
        assert error[0] == "tls_ca_change"
        assert error[2] != error[3]
        assert plan(self.wish(new), answer(good(ca)))["pending"] is True

    def test_a_ca_that_ends_soon_is_warned_of_and_renews_nothing(self, ca: Authority) -> None:
        found = plan(
            self.wish(ca, renew_days=400, days=825),
            answer(ca.issue("n1", x509.DNSName(HOST), days=500)),
        )
        assert (found["pending"], found["renew"]) == (False, False)
        assert [warning[0] for warning in found["warnings"]] == ["tls_ca_ends"]

    def test_renewal_that_would_never_end(self, ca: Authority) -> None:
        found = plan(self.wish(ca, days=90, renew_days=90), {})
        assert [error[0] for error in found["errors"]] == ["tls_renew_days"]

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


def encrypted(key: t.Any) -> bytes:
    return bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )


class TestHealth:
    def judged(self, **found: dict[str, str]) -> dict[str, dict[str, str]]:
        return tls.health(found, dict.fromkeys(found, HOST), NOW, 30)

    def test_by_the_ca_that_most_trust(self, ca: Authority, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        foreign = answer(Authority(tmp_path / "new", "foreign").issue("n3", x509.DNSName(HOST)))
        sound = answer(good(ca))
        found = self.judged(n1=sound, n2=sound, n3=foreign, n4={})
        assert {host: bool(judged["problem"]) for host, judged in found.items()} == {
            "n1": False,
            "n2": False,
            "n3": True,
        }
        assert "expected a certificate signed by CN=ca" in found["n3"]["problem"]
        assert found["n1"]["ends"] == f"{NOW + dt.timedelta(days=100):%Y-%m-%d}"

    def test_one_that_ends_soon(self, ca: Authority) -> None:
        found = self.judged(n1=answer(ca.issue("soon", x509.DNSName(HOST), days=29)))
        assert found["n1"]["problem"] == f"it ends on {found['n1']['ends']}"


def test_nothing_to_do_without_tls() -> None:
    found = plan({"enabled": False}, {})
    assert states(found) == DONE


class TestReview:
    def review(self, files: Files, ca: Authority) -> dict[str, t.Any]:
        pem = {
            "use": "rpc",
            "paths": {"certificate": "/tls/cert.pem"},
            "certificate": files.cert.read_text(encoding="utf-8"),
            "public_key": public(files).decode(),
            "ca": ca.file.read_text(encoding="utf-8"),
        }
        return tls.review([pem], HOST, NOW)

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
        found = tls.review([blank], HOST, NOW)
        assert [each["code"] for each in found["problems"]] == ["unreadable"]
        assert found["ca"] == ""
        assert tls.review([], HOST, NOW) == {"problems": [], "ending": [], "ca": ""}
