# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.ports import node_ports
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("emqx@10.0.0.12", 0),
        ("emqx1@h.example", 1),
        ("node-12@h.example", 12),
        ("emqx2024@h.example", 2024),
        ("e1mqx@h.example", 0),
        ("a1b007@h.example", 7),
        ("emqx60001@h.example", 1),
        ("emqx20240601@h.example", 20240601 % 60000),
        ("emqx\u0663@h.example", 0),
    ],
)
def test_all_trailing_digits_count(name: str, offset: int) -> None:
    assert node_ports(name) == {
        "offset": offset,
        "distribution": 4370 + offset,
        "rpc": 5370 + offset,
    }


def test_manual() -> None:
    assert node_ports("emqx3@h.example", "manual") == {
        "offset": 3,
        "distribution": 4373,
        "rpc": 5369,
    }
    assert node_ports("emqx3@h.example", "manual", 7000)["rpc"] == 7000


def test_bad_port_discovery() -> None:
    with pytest.raises(InputError, match="'auto', expected stateless or manual"):
        node_ports("emqx@h", "auto")
