# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the role certificates does on a host."""

from __future__ import annotations

import datetime as dt
import typing as t
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificate_tasks
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.authority import (
    Authority as Settings,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificate_tasks import (
    CertificateTasks,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificates import Wanted
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import ControlFiles
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority
from ansible_collections.mqttops.emqx.tests.unit.tls_records import observed

HOST = "n1.example.org"
NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
PATHS = {part: f"/srv/tls/{part}.pem" for part in ("certificate", "key", "ca")}


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    found = Authority(tmp_path, "ca")
    found.keep_key()
    return found


def wanted(**more: t.Any) -> Wanted:
    fixed = {**PATHS, "names": (HOST,), "owner": "root", "group": "ssl"}
    return Wanted(**{**fixed, **more})


def plan(
    item: Wanted, found: t.Mapping[str, str] | None = None, folder: Path | str = "/srv/ca"
) -> CertificateTasks:
    settings = Settings(str(folder), "CA")
    return certificate_tasks.tasks("n1", settings, [item], [found or {}], ControlFiles(), NOW)


def paths(tasks: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    return [task["path"].rpartition("/")[2] for task in tasks]


def done(found: CertificateTasks) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return the files that are signed, given, trusted, and only guarded."""
    assert found.findings == ()
    return paths(found.sign), paths(found.given), paths(found.trust), paths(found.rights)


ALL = ["certificate.pem", "key.pem", "ca.pem"]


def test_a_host_with_nothing(ca: Authority) -> None:
    found = plan(wanted(names=(HOST, "10.0.0.1", "fd00::1")), folder=ca.folder)
    assert done(found) == (["certificate.pem"], [], ["ca.pem"], [])
    (request,) = found.sign
    names = f"DNS:{HOST},DNS:10.0.0.1,DNS:fd00::1,IP:10.0.0.1,IP:fd00::1"
    assert request["alternative_names"] == names
    assert (request["common_name"], request["usage"]) == (HOST, "serverAuth,clientAuth")
    assert (request["owner"], request["group"], request["mode"]) == ("root", "ssl", "0640")
    assert found.trust[0]["content"] == ca.file.read_text()
    assert found.directories == (
        {"path": "/srv/tls", "owner": "root", "group": "ssl", "mode": "0750"},
    )


def test_a_host_that_has_it_all(ca: Authority) -> None:
    found = observed(ca.issue("n1", DNSName(HOST), days=100))
    assert done(plan(wanted(), found, ca.folder)) == ([], [], [], ALL)


def test_what_is_there_may_stay(ca: Authority) -> None:
    soon = observed(ca.issue("n1", DNSName(HOST), days=10))
    signed: tuple[list[str], ...] = (["certificate.pem"], [], [], ["ca.pem"])
    assert done(plan(wanted(), soon, ca.folder)) == signed
    assert done(plan(wanted(replace=False), soon, ca.folder)) == ([], [], [], ALL)
    without = {**soon, "public_key": ""}
    assert done(plan(wanted(replace=False), without, ca.folder)) == signed


def test_a_ca_to_be_made(tmp_path: Path) -> None:
    found = plan(wanted(), folder=tmp_path / "new")
    assert found.ca_missing
    assert done(found) == (["certificate.pem"], [], [], [])


def test_only_what_is_trusted_needs_no_ca_of_ours(ca: Authority) -> None:
    item = Wanted(ca=PATHS["ca"], trust=ca.file.read_text())
    found = plan(item, folder="/proc/none")
    assert not found.ca_missing
    assert done(found) == ([], [], ["ca.pem"], [])


def test_a_pair_of_the_user(ca: Authority) -> None:
    files = ca.issue("n1", DNSName(HOST), days=100)
    option = {
        **PATHS,
        "names": [HOST],
        "usage": ["server"],
        "given_certificate": str(files.cert),
        "given_key": files.key.read_text(),
        "trust": str(ca.file),
    }
    item = certificate_tasks.wanted(option)
    assert item.given
    found = plan(item, folder="/proc/none")
    assert not found.ca_missing
    assert done(found) == ([], ["certificate.pem", "key.pem"], ["ca.pem"], [])
    assert found.given[1]["content"] == files.key.read_text()
    assert done(plan(item, observed(files), "/proc/none")) == ([], [], [], ALL)


@pytest.mark.parametrize(
    ("item", "subject"),
    [
        (wanted(key=""), "certificates_wanted[0]"),
        (wanted(names=()), "certificates_wanted[0]"),
        (wanted(ca="ca.pem"), "certificates_wanted[0]"),
        (wanted(names=("a/CN=b",)), "certificates_wanted[0].names"),
        (wanted(names=("a,IP:10.0.0.1",)), "certificates_wanted[0].names"),
        (wanted(mode="416"), "certificates_wanted[0]"),
        (wanted(directory_mode="u=rwx"), "certificates_wanted[0]"),
        (wanted(names=("-a",)), "certificates_wanted[0].names"),
        (wanted(names=("a\nb",)), "certificates_wanted[0].names"),
        (
            wanted(given=True, given_certificate="/nowhere", given_key="/etc/hostname"),
            "certificates_wanted[0].given_certificate",
        ),
    ],
)
def test_what_cannot_be(item: Wanted, subject: str) -> None:
    found = plan(item)
    assert found.findings[0].subject == subject
    assert not found.sign
    assert not found.as_dict()["warnings"]
    assert subject in found.as_dict()["errors"][0]


def test_what_ends_soon_is_no_error(ca: Authority) -> None:
    item = wanted(given=True, trust=str(ca.file))
    files = ca.issue("n1", DNSName(HOST), days=10)
    pair = {"given_certificate": str(files.cert), "given_key": str(files.key)}
    found = plan(Wanted(**{**item.__dict__, **pair})).as_dict()
    assert (found["errors"], len(found["warnings"])) == ([], 1)
