# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.filter.node_ports import FilterModule

node_ports = FilterModule().filters()["node_ports"]


def test_stateless() -> None:
    assert node_ports("emqx1@h.example") == {"offset": 1, "distribution": 4371, "rpc": 5371}


def test_manual() -> None:
    ports = node_ports("emqx1@h.example", port_discovery="manual", server_port="7000")
    assert ports == {"offset": 1, "distribution": 4371, "rpc": 7000}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("emqx",), "found 'emqx'"),
        ((None,), "found None"),
        (("a@b", "auto"), "'auto', expected stateless or manual"),
        (("a@b", "manual", "x"), "'x'"),
    ],
)
def test_wrong_input(arguments: tuple[t.Any, ...], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        node_ports(*arguments)
