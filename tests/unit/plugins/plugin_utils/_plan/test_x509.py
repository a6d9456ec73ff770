# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a certificate."""

from __future__ import annotations

import base64
import datetime as dt
import random
import typing as t
from pathlib import Path

import pytest
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import serialization

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import x509
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority, Files, ip
from ansible_collections.mqttops.emqx.tests.unit.tls_records import public

HOST = "10.0.0.1"
NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
Name = certificates.DNSName


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def good(ca: Authority) -> Files:
    return ca.issue("good", Name(HOST), ip(HOST), days=100)


def codes(files: Files, ca: Path, *names: str, **more: t.Any) -> list[str]:
    wanted = names or (HOST,)
    pems = files.cert.read_bytes(), public(files), ca.read_bytes()
    return [problem.code for problem in x509.problems(*pems, wanted, NOW, **more)]


def test_a_good_one(ca: Authority) -> None:
    assert codes(good(ca), ca.file) == []


def test_an_address_has_to_be_there_as_a_name(ca: Authority) -> None:
    assert codes(ca.issue("bad", ip(HOST)), ca.file) == ["san"]
    assert codes(good(ca), ca.file, "10.0.0.2") == ["san"]


def test_all_names_have_to_be_there(ca: Authority) -> None:
    files = ca.issue("two", Name("a.example.org"), Name("b.example.org"))
    assert codes(files, ca.file, "a.example.org", "b.example.org") == []
    pems = files.cert.read_bytes(), public(files), ca.file.read_bytes()
    (problem,) = x509.problems(*pems, ["a.example.org", "c.example.org"], NOW)
    assert problem.expected.startswith("DNS:c.example.org among")


def test_names_in_any_case_and_with_a_wildcard(ca: Authority) -> None:
    files = ca.issue("wild", Name("*.Example.org"))
    assert codes(files, ca.file, "n1.example.org") == []
    assert codes(files, ca.file, "a.n1.example.org") == ["san"]


def test_expired(ca: Authority) -> None:
    assert codes(ca.issue("old", Name(HOST), days=-1), ca.file) == ["expired"]


def test_another_ca_of_the_same_name(ca: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "ca")
    assert codes(good(other), ca.file) == ["other_ca"]


def test_another_key(ca: Authority) -> None:
    files, other = good(ca), ca.issue("other", Name(HOST))
    assert codes(Files(files.cert, other.key, files.ca), ca.file) == ["other_key"]


def test_a_ca_between(ca: Authority) -> None:
    between = ca.authority("between")
    files = between.issue("n1", Name(HOST))
    assert codes(files, ca.file) == ["other_ca"]
    files.cert.write_bytes(files.cert.read_bytes() + between.file.read_bytes())
    assert codes(files, ca.file) == []


def test_a_bundle_of_cas(ca: Authority, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "other")
    bundle.write_bytes(other.file.read_bytes() + ca.file.read_bytes())
    assert codes(good(ca), bundle) == []


def test_what_is_no_certificate() -> None:
    found = x509.problems(b"", b"", b"", [HOST], NOW)
    assert [problem.code for problem in found] == ["unreadable"]


def test_a_usage_that_nobody_asked_for(ca: Authority) -> None:
    oid = certificates.oid.ExtendedKeyUsageOID.CLIENT_AUTH
    assert codes(ca.issue("client", Name(HOST), usage=[oid]), ca.file) == ["usage"]
    assert codes(ca.issue("client", Name(HOST), usage=[oid]), ca.file, usage=["client"]) == []


@pytest.mark.parametrize("days", [10**6, 10**9, 10**15])
def test_more_days_than_there_are(ca: Authority, days: int) -> None:
    assert x509.ends_within(good(ca).cert.read_bytes(), days, NOW)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_ones_are_problems_and_nothing_is_raised(ca: Authority, seed: int) -> None:
    dice = random.Random(seed)
    files = good(ca)
    der = certificates.load_pem_x509_certificate(files.cert.read_bytes()).public_bytes(
        serialization.Encoding.DER
    )
    key = files.key.read_bytes()
    for _time in range(150):
        broken = bytearray(der)
        for _byte in range(dice.randint(1, 3)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        body = base64.encodebytes(bytes(broken))
        pem = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
        # Which byte was taken decides what is said; where it was none of ours, the signature is.
        assert x509.problems(pem, public(files), ca.file.read_bytes(), [HOST], NOW) or broken == der
        for judge in (x509.authorities, x509.fingerprints, x509.subjects, x509.ends):
            judge(pem)
        assert x509.ends_within(pem, 30, NOW) in (True, False)
        cut = dice.randrange(30, len(key))
        x509.public_key(key[:cut] + b"!" + key[cut:], None)
