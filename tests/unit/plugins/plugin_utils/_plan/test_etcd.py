# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a host gets to be a member of an etcd."""

from __future__ import annotations

import datetime as dt
import hashlib
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    HostState,
    ServiceState,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import etcd
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.addresses import addresses
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import ControlFiles
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority, ip
from ansible_collections.mqttops.emqx.tests.unit.tls_records import observed

NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
DATA = "/var/lib/etcd/mqttops-emqx"
ENVIRONMENT = """\
#
# Managed by Ansible (mqttops.emqx): changes made here are lost.
#
ETCD_NAME="e1"
ETCD_DATA_DIR="/var/lib/etcd/mqttops-emqx"
ETCD_LISTEN_PEER_URLS="https://0.0.0.0:2380"
ETCD_LISTEN_CLIENT_URLS="https://0.0.0.0:2379"
ETCD_INITIAL_ADVERTISE_PEER_URLS="https://10.0.0.1:2380"
ETCD_ADVERTISE_CLIENT_URLS="https://10.0.0.1:2379"
ETCD_INITIAL_CLUSTER="e1=https://10.0.0.1:2380,e2=https://10.0.0.2:2380,e3=https://10.0.0.3:2380"
ETCD_INITIAL_CLUSTER_STATE="new"
ETCD_INITIAL_CLUSTER_TOKEN="mqttops-emqx"
ETCD_CERT_FILE="/etc/mqttops-emqx/etcd/cert.pem"
ETCD_KEY_FILE="/etc/mqttops-emqx/etcd/key.pem"
ETCD_TRUSTED_CA_FILE="/etc/mqttops-emqx/etcd/ca.pem"
ETCD_CLIENT_CERT_AUTH="true"
ETCD_PEER_CERT_FILE="/etc/mqttops-emqx/etcd/cert.pem"
ETCD_PEER_KEY_FILE="/etc/mqttops-emqx/etcd/key.pem"
ETCD_PEER_TRUSTED_CA_FILE="/etc/mqttops-emqx/etcd/ca.pem"
ETCD_PEER_CLIENT_CERT_AUTH="true"
"""


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    """A CA that has signed a pair for EMQX, all where the role keeps them."""
    found = Authority(tmp_path, "ca")
    found.keep_key()
    files = found.issue("client", DNSName("emqx"), days=100)
    files.key.rename(tmp_path / "client-key.pem")
    return found


def settings(folder: Path | str, number: int = 3, **more: t.Any) -> etcd.EtcdSettings:
    members = {f"e{n}": f"10.0.0.{n}" for n in range(1, number + 1)}
    members["e1"] = more.pop("address", "10.0.0.1")
    fixed: dict[str, t.Any] = {
        "archive": "",
        "archive_sha256": "",
        "data_dir": DATA,
        "ca_days": 3650,
        "days": 825,
    }
    return etcd.EtcdSettings(members, ca_dir=str(folder), **{**fixed, **more})


def empty(**more: t.Any) -> HostState:
    fixed: dict[str, t.Any] = {"platform": {"format": "deb", "name": "Debian"}}
    return HostState(**{**fixed, **more})


def member(ca: Authority) -> HostState:
    """A host that has it all."""
    root: dict[str, t.Any] = {"exists": True, "owner": "root", "group": "etcd"}
    checksum = hashlib.sha256(ENVIRONMENT.encode()).hexdigest()
    return empty(
        package_name="etcd-server",
        service=ServiceState(exists=True, enabled=True, active=True),
        files={
            "/usr/bin/etcdctl": FileState(exists=True),
            etcd.DIRECTORY: FileState(mode="0750", **root),
            DATA: FileState(exists=True, owner="etcd", group="etcd", mode="0700"),
            etcd.SETTINGS_FILE: FileState(mode="0640", sha256=checksum, **root),
            **dict.fromkeys(etcd.PATHS.values(), FileState(mode="0640", **root)),
        },
        certificates=observed(ca.issue("e1", DNSName("10.0.0.1"), ip("10.0.0.1"), days=100)),
    )


def plan(
    wanted: etcd.EtcdSettings, state: HostState, *listening: dict[str, t.Any]
) -> dict[str, t.Any]:
    return etcd.plan("e1", wanted, state, listening, ControlFiles(), NOW)


def codes(found: dict[str, t.Any]) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in found["findings"]]


def test_an_empty_host(tmp_path: Path) -> None:
    found = plan(settings(tmp_path / "ca"), empty())
    assert codes(found) == []
    assert (found["foreign"], found["install"], found["runs"]) == (True, "apt", False)
    assert (found["client_todo"], found["member_todo"]) == (True, True)
    assert [each["path"] for each in found["directories"]] == [etcd.DIRECTORY, DATA]
    (file,) = found["files"]
    assert (file["path"], file["content"]) == (etcd.SETTINGS_FILE, ENVIRONMENT)
    (certificate,) = found["member"]["certificates_wanted"]
    assert (certificate["names"], certificate["group"]) == (["10.0.0.1"], "etcd")
    (client,) = found["client"]["certificates_wanted"]
    assert client["key"] == f"{tmp_path}/ca/client-key.pem"


def test_a_member_that_has_it_all(ca: Authority) -> None:
    found = plan(settings(ca.folder), member(ca))
    assert codes(found) == []
    todo = ("install", "client_todo", "member_todo", "files", "directories", "unit_left")
    assert [found[key] for key in todo] == ["", False, False, [], [], False]
    assert (found["restarts"], found["runs"], found["foreign"]) == (False, True, False)


def test_another_ca_restarts_the_members(ca: Authority, tmp_path: Path) -> None:
    found = plan(settings(tmp_path / "new"), member(ca))
    assert (found["member_todo"], found["restarts"], found["runs"]) == (True, True, False)


def test_another_certificate_restarts_none(ca: Authority) -> None:
    soon = observed(ca.issue("e1", DNSName("10.0.0.1"), days=20))
    state = member(ca)
    found = plan(settings(ca.folder), HostState(**{**state.__dict__, "certificates": soon}))
    assert (found["member_todo"], found["restarts"], found["runs"]) == (True, False, True)


def test_a_release_in_place_of_the_package(ca: Authority) -> None:
    sha256 = "0123456789ab" + "c" * 52
    archive: dict[str, t.Any] = {"archive": "/srv/etcd.tar.gz", "archive_sha256": sha256}
    found = plan(settings(ca.folder, **archive), member(ca))
    assert codes(found) == []
    assert (found["install"], found["reload"], found["restarts"]) == ("archive", True, True)
    (unit,) = found["files"]
    assert "ExecStart=/opt/mqttops-etcd/0123456789ab/etcd\n" in unit["content"]
    assert found["ctl"] == "/opt/mqttops-etcd/0123456789ab/etcdctl"
    state = member(ca)
    left = {**state.files, etcd.OWN_UNIT: FileState(exists=True)}
    found = plan(settings(ca.folder), HostState(**{**state.__dict__, "files": left}))
    assert (found["unit_left"], found["reload"], found["restarts"]) == (True, True, True)


@pytest.mark.parametrize(
    ("changes", "code", "subject"),
    [
        ({"number": 2}, "etcd_hosts", "etcd_hosts"),
        ({"archive": "x.tar.gz"}, "etcd_checksum", "etcd_archive_sha256"),
        ({"archive": "x", "archive_sha256": "A" * 64}, "etcd_checksum", "etcd_archive_sha256"),
        ({"data_dir": "/"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": "/srv"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": "/var/lib"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": "/usr/lib/etcd"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": "/etc"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": "var/lib/etcd/x"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": "/var/lib/etcd/../../../etc"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": "/var/lib/etcd/a\nb"}, "etcd_data_dir", "etcd_data_dir"),
        ({"data_dir": '/var/lib/etcd/a"b'}, "etcd_data_dir", "etcd_data_dir"),
        ({"address": "fd00::1"}, "etcd_address", "etcd_address"),
        ({"address": "a\nb"}, "etcd_address", "etcd_address"),
        ({"days": 30}, "tls_renew_days", "etcd_days"),
        ({"ca_days": 0}, "tls_ca_days", "etcd_ca_days"),
        ({"ca_days": 10**8}, "tls_ca_days", "etcd_ca_days"),
    ],
)
def test_settings_that_cannot_be(
    tmp_path: Path, changes: dict[str, t.Any], code: str, subject: str
) -> None:
    assert codes(plan(settings(tmp_path / "ca", **changes), empty())) == [(code, subject)]


@pytest.mark.parametrize("data_dir", [DATA, "/data/etcd", "/srv/a-b_c.d", "/var/lib/etcd"])
def test_places_for_data(tmp_path: Path, data_dir: str) -> None:
    assert codes(plan(settings(tmp_path / "ca", data_dir=data_dir), empty())) == []


def test_hosts_that_cannot_be(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "ca")
    found = plan(wanted, empty(platform={"format": "rpm", "name": "Rocky Linux 9"}))
    assert codes(found) == [("etcd_platform", "etcd_archive")]
    foreign = empty(service=ServiceState(exists=True, active=True))
    (finding,) = plan(wanted, foreign)["findings"]
    assert finding.sentence().startswith(
        "Host e1, etcd.service: expected none, found an etcd that this role did not set up: take"
    )
    data = empty(files={f"{DATA}/member": FileState(exists=True)})
    assert codes(plan(wanted, data)) == [("etcd_data", "etcd_data_dir")]
    (finding,) = plan(wanted, empty(), {"name": "nc", "port": 2380}, {"name": "x", "port": 80})[
        "findings"
    ]
    assert finding.sentence() == (
        "Host e1: expected nobody on the ports 2379 and 2380 of etcd, found nc on 2380: take "
        "another host, or stop it."
    )


def test_a_key_of_the_ca_with_a_passphrase(ca: Authority) -> None:
    form = serialization.PrivateFormat.PKCS8
    secret = serialization.BestAvailableEncryption(b"secret words")
    pem = ca.key.private_bytes(serialization.Encoding.PEM, form, secret)
    (ca.folder / "ca-key.pem").write_bytes(pem)
    assert codes(plan(settings(ca.folder), member(ca))) == [("tls_ca_key", "etcd_ca_dir")]


def test_addresses_of_the_members() -> None:
    variables = {"a": {"etcd_address": "10.0.0.1", "ansible_host": "x"}, "b": {"ansible_host": "y"}}
    found = addresses(["a", "b", "c"], variables, "etcd_address")
    assert found == {"a": "10.0.0.1", "b": "y", "c": "c"}
