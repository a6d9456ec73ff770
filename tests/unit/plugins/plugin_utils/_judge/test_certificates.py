# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the diagnosis says of certificates that hosts have."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import DNSName
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose
from tests.support.certificates import Authority


def issue(scene: Scene, ca: Authority, host: str, days: int = 100, **more: t.Any) -> None:
    """Give a host a certificate, as evidence_info reads it."""
    files = ca.issue(host, DNSName(scene.nodes[host].host), days=days)
    key = serialization.load_pem_private_key(files.key.read_bytes(), None).public_key()
    public = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pem = {
        "use": "distribution",
        "paths": {"certificate": "/tls/cert.pem"},
        "certificate": files.cert.read_text(encoding="utf-8"),
        "public_key": public.decode(),
        "ca": files.ca.read_text(encoding="utf-8"),
    }
    uses = more.pop("uses", ["distribution"])
    scene.on_host(host, certificates=[{**pem, "use": use, **more} for use in uses])


def judge(scene: Scene, to_build: bool = False) -> list[Finding]:
    now = time.time()
    for host in scene.hosts:
        if "evidence" in scene.evidence[host]["host"]:
            scene.on_host(host, time=now)
    return list(diagnose(scene.nodes, scene.evidence, (now, now), to_build).findings)


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def test_good_ones_are_no_finding(ca: Authority) -> None:
    scene = Scene(2)
    for host in scene.hosts:
        issue(scene, ca, host)
    assert judge(scene) == []


def test_one_that_has_expired(ca: Authority) -> None:
    scene = Scene()
    scene.down("n3", active="active")
    issue(scene, ca, "n3", days=-1)
    (found,) = judge(scene)
    assert (found.code, found.hosts) == ("certificate_expired", ("n3",))
    assert found.found.startswith("the distribution certificate of n3 is refused by its peers")


def test_one_that_ends_soon_is_named_once_for_all_its_uses(ca: Authority) -> None:
    scene = Scene()
    issue(scene, ca, "n3", days=5, uses=["rpc", "distribution"])
    (found,) = judge(scene)
    assert (found.code, found.severity) == ("certificate_ends", "warning")
    assert "the distribution and rpc certificate of n3 ends soon" in found.found


def test_another_ca(ca: Authority, tmp_path: Path) -> None:
    scene = Scene()
    scene.split("n1 n2", "n3")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "other")
    for host, authority in (("n1", ca), ("n2", ca), ("n3", other)):
        issue(scene, authority, host)
    (found,) = judge(scene)
    assert found.code == "certificate_other_ca"
    assert "n3 trusts another CA than n1 and n2" in found.found


def test_one_that_is_about_to_be_replaced_is_a_warning(ca: Authority) -> None:
    scene = Scene()
    issue(scene, ca, "n2", days=-1)
    assert [each.severity for each in judge(scene, to_build=True)] == ["error"]
    scene.evidence["n2"]["plan"] = {"renews": True}
    assert [each.severity for each in judge(scene, to_build=True)] == ["warning"]


@pytest.mark.parametrize("other", ["disk", "lost"])
def test_it_hides_no_other_fault(ca: Authority, other: str) -> None:
    scene = Scene(5)
    scene.down("n4", active="active")
    issue(scene, ca, "n4", days=-1)
    if other == "disk":
        scene.down("n1")
        scene.on_host("n1", disks={"/d": scene.space(0)})
    else:
        scene.lost("n3")
    code = {"disk": "disk_full", "lost": "unreachable"}[other]
    assert sorted(each.code for each in judge(scene)) == sorted(["certificate_expired", code])


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nAA==\n", "\ud800", "x" * 10**6])
def test_a_text_that_is_none_is_a_finding(ca: Authority, text: str) -> None:
    scene = Scene()
    issue(scene, ca, "n2", certificate=text)
    (found,) = judge(scene)
    assert (found.code, found.hosts) == ("certificate_unreadable", ("n2",))
