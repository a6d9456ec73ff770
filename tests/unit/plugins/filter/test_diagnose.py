# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import DNSName
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.filter import diagnose as filter_file
from tests.support.certificates import Authority

diagnose = filter_file.FilterModule().filters()["diagnose"]


def test_certificates_are_judged_on_the_control_node(tmp_path: Path) -> None:
    scene, ca = Scene(2), Authority(tmp_path, "ca")
    for host, days in (("n1", 100), ("n2", -1)):
        files = ca.issue(host, DNSName(str(scene.nodes[host]["host"])), days=days)
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
        scene.found(host, certificates=[pem])
    found = diagnose(scene.nodes, scene.evidence)["findings"]
    assert [(each["code"], each["hosts"]) for each in found] == [("certificate_expired", ["n2"])]


def test_clocks_are_compared_between_two_times() -> None:
    scene = Scene(2)
    assert diagnose(scene.nodes, scene.evidence, "995.5", "1010")["findings"] == []
    found = diagnose(scene.nodes, scene.evidence, 2000, 2010)["findings"]
    assert [each["code"] for each in found] == ["clock", "clock"]


def test_hosts_of_another_group_and_empty_answers_are_left_out() -> None:
    scene = Scene(2)
    evidence = {**scene.evidence, "n2": {"view": {}, "found": {}}, "elsewhere": {"view": {"a": 1}}}
    assert diagnose(scene.nodes, evidence)["findings"] == []


def test_the_documentation_names_the_arguments() -> None:
    text = Path(filter_file.__file__).with_suffix(".yml").read_text(encoding="utf-8")
    options = yaml.safe_load(text)["DOCUMENTATION"]["options"]
    assert list(options) == ["_input", "evidence", "begin", "end", "to_build"]
