# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import socket
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._host import probe as _probe
from ansible_collections.mqttops.emqx.plugins.modules import cluster_probe


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@pytest.fixture(name="node")
def _node() -> t.Iterator[dict[str, t.Any]]:
    ports = [free_port(), free_port()]
    yield {
        "name": "emqx@127.0.0.1",
        "host": "127.0.0.1",
        "dist_port": ports[0],
        "rpc_port": ports[1],
        "role": "core",
    }
    _probe.close(ports)


def run(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        cluster_probe.main()
    return dict(json.loads(capsys.readouterr().out))


def test_stand_in_probe_and_end(node: dict[str, t.Any], capsys: pytest.CaptureFixture[str]) -> None:
    options = {"node": node["name"], "nodes": [node]}
    started = run(capsys, state="listening", seconds=20, **options)
    assert (started["changed"], started["busy"]) == (False, {})
    probe = run(capsys, **options)["probe"]
    assert {link["state"] for link in probe["links"]} == {"open"}
    assert sorted(probe["listening"]) == sorted([str(node["dist_port"]), str(node["rpc_port"])])
    assert run(capsys, state="closed", **options)["closed"]
    probe = run(capsys, **options)["probe"]
    assert {link["state"] for link in probe["links"]} == {"refused"}
    assert probe["listening"] == {}
    assert not run(capsys, state="closed", **options)["closed"]


def test_a_node_that_is_not_among_the_nodes(
    node: dict[str, t.Any], capsys: pytest.CaptureFixture[str]
) -> None:
    failed = run(capsys, node="emqx@192.0.2.1", nodes=[node])
    assert failed["failed"]
    assert failed["failure"]["code"] == "input"
    assert "found emqx@192.0.2.1 in none of them" in failed["msg"]
