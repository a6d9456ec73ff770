# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import dns, etcd
from ansible_collections.mqttops.emqx.plugins.modules import discovery_info

NODES = [
    {"name": "emqx@10.0.0.1", "inventory_host": "n1", "role": "core"},
    {"name": "emqx@10.0.0.2", "inventory_host": "n2", "role": "core"},
]
SEEDS = {"strategy": "static", "settings": {"seeds": ["emqx@10.0.0.1"]}}
DNS = {"strategy": "dns", "settings": {"name": "mq.example", "record_type": "a"}}
RECORDS = [{"address": "10.0.0.1"}, {"address": "10.0.0.2"}]


def run(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    options = {"node": "emqx@10.0.0.1", "nodes": NODES, **options}
    with patch_module_args(options), pytest.raises(SystemExit):
        discovery_info.main()
    return dict(json.loads(capsys.readouterr().out))


def test_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, **SEEDS)
    assert found["changed"] is False
    assert found["discovery"]["names"] == ["emqx@10.0.0.1"]
    assert [item["name"] for item in found["discovery"]["missing"]] == ["emqx@10.0.0.2"]


def test_dns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"entries": RECORDS, "asked": "10.0.0.53", "failure": "", "detail": ""}
    monkeypatch.setattr(dns, "ask", lambda settings, timeout, service_account: asked)
    found = run(capsys, **DNS)
    assert found["discovery"]["names"] == ["emqx@10.0.0.1", "emqx@10.0.0.2"]
    assert found["discovery"]["problems"] == []


def test_a_node_that_is_about_to_go(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["emqx@10.0.0.1", "emqx@10.0.0.9"]

    def ask(*_arguments: object) -> dict[str, t.Any]:
        entries = [{"key": f"mq/ekkacl/nodes/{n}", "value": n, "leased": True} for n in names]
        names[1:] = []
        return {"entries": entries, "asked": "e1", "failure": "", "detail": ""}

    monkeypatch.setattr(etcd, "ask", ask)
    question = {"strategy": "etcd", "settings": {"server": "e1", "prefix": "mq"}}
    seen = [*names]
    assert run(capsys, **question)["discovery"]["names"] == seen
    names.append(seen[1])
    assert run(capsys, **question, settle=5)["discovery"]["names"] == seen[:1]


def test_dnspython_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns, "FOUND", False)
    failed = run(capsys, **DNS)
    assert failed["failed"]
    assert "dnspython (package python3-dnspython or python3-dns)" in failed["msg"]
    # Other strategies do not need it.
    assert "failed" not in run(capsys, **SEEDS)


def test_the_service_account_may_lie_elsewhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = {"service_name": "emqx", "namespace": "mq", "address_type": "ip", "suffix": ""}
    k8s = {"strategy": "k8s", "settings": {"apiserver": "https://k8s", **names}}
    found = run(capsys, **k8s, service_account=str(tmp_path))["discovery"]
    assert found["failure"] == "no_token"
    assert f"{tmp_path}/token" in found["problems"][0]
