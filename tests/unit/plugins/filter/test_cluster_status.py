# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.filter.cluster_status import cluster_status
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority

HOST = "n1.example.org"


def test_the_status_judges_what_the_hosts_have(tmp_path: Path) -> None:
    files = Authority(tmp_path, "ca").issue("n1", DNSName(HOST), days=100)
    tls = {"certificate": files.cert.read_text(), "public_key": "", "ca": files.ca.read_text()}
    nodes = {"n1": {"name": f"emqx@{HOST}", "host": HOST, "role": "core"}}
    found = cluster_status(nodes, {"n1": {"tls": tls, "unreachable": True, "msg": "gone"}})
    assert [problem.partition(": expected")[0] for problem in found["problems"]] == [
        "n1: unreachable: gone",
        "n1: its certificate",
    ]
