# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What status and doctor say of the certificates that hosts have."""

from __future__ import annotations

import datetime as dt
import typing as t
from pathlib import Path

import pytest
from cryptography.x509 import DNSName
from hypothesis import given, strategies

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificate_health
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority, Files
from ansible_collections.mqttops.emqx.tests.unit.tls_records import observed, public

HOST = "10.0.0.1"
NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def good(ca: Authority) -> Files:
    return ca.issue("good", DNSName(HOST), days=100)


class TestHealth:
    def judged(self, **found: dict[str, str]) -> dict[str, dict[str, str]]:
        return certificate_health.health(found, dict.fromkeys(found, HOST), NOW, 30)

    def test_by_the_ca_that_most_trust(self, ca: Authority, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        foreign = observed(Authority(tmp_path / "new", "foreign").issue("n3", DNSName(HOST)))
        sound = observed(good(ca))
        found = self.judged(n1=sound, n2=sound, n3=foreign, n4={})
        assert {host: bool(judged["problem"]) for host, judged in found.items()} == {
            "n1": False,
            "n2": False,
            "n3": True,
        }
        assert "expected a certificate signed by CN=ca" in found["n3"]["problem"]
        assert found["n1"]["ends"] == f"{NOW + dt.timedelta(days=100):%Y-%m-%d}"

    def test_one_that_ends_soon(self, ca: Authority) -> None:
        found = self.judged(n1=observed(ca.issue("soon", DNSName(HOST), days=29)))
        assert found["n1"]["problem"] == f"it ends on {found['n1']['ends']}"


class TestReview:
    def review(self, files: Files, ca: Authority) -> dict[str, t.Any]:
        pem = {
            "use": "rpc",
            "paths": {"certificate": "/tls/cert.pem"},
            "certificate": files.cert.read_text(encoding="utf-8"),
            "public_key": public(files).decode(),
            "ca": ca.file.read_text(encoding="utf-8"),
        }
        return certificate_health.review([pem], HOST, NOW)

    def test_good_ones_of_one_ca(self, ca: Authority) -> None:
        found = self.review(good(ca), ca)
        assert (found["problems"], found["ending"]) == ([], [])
        assert found["ca"] == self.review(ca.issue("more", DNSName(HOST), days=90), ca)["ca"]

    def test_what_is_wrong_now_and_soon(self, ca: Authority) -> None:
        (expired,) = self.review(ca.issue("old", DNSName(HOST), days=-1), ca)["problems"]
        assert (expired["use"], expired["path"]) == ("rpc", "/tls/cert.pem")
        assert (expired["code"], expired["expected"][:24]) == (
            "expired",
            "the certificate to be va",
        )
        (ending,) = self.review(ca.issue("new", DNSName(HOST), days=10), ca)["ending"]
        assert ending["code"] == "expired"

    def test_another_ca_and_none_at_all(self, ca: Authority, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other", "ca")
        assert self.review(good(other), other)["ca"] != self.review(good(ca), ca)["ca"]
        pem = {"use": "rpc", "paths": {"certificate": "/none"}}
        blank = {**pem, "certificate": "", "public_key": "", "ca": ""}
        found = certificate_health.review([blank], HOST, NOW)
        assert [each["code"] for each in found["problems"]] == ["unreadable"]
        assert found["ca"] == ""
        nothing = certificate_health.review([], HOST, NOW)
        assert nothing == {"problems": [], "ending": [], "ca": ""}


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=5,
)
PEM = strategies.dictionaries(
    strategies.sampled_from(["use", "paths", "certificate", "public_key", "ca"]), JSON
)


@given(strategies.lists(PEM | JSON))
def test_whatever_a_host_says_is_judged(pems: list[t.Any]) -> None:
    found = certificate_health.review(pems, HOST, NOW)
    assert len(found["problems"]) >= sum(isinstance(pem, dict) for pem in pems)
    hosts = {f"n{number}": pem for number, pem in enumerate(pems)}
    assert hosts.keys() >= certificate_health.health(hosts, dict.fromkeys(hosts, HOST), NOW).keys()
