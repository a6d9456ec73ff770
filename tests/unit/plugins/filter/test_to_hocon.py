# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.filter.to_hocon import FilterModule

to_hocon = FilterModule().filters()["to_hocon"]


def test_dotted_keys_are_paths() -> None:
    config = {"mqtt.max_packet_size": "2MB", '"a.b"': 1, "mqtt": {"strict_mode": True}}
    assert to_hocon(config) == (
        'mqtt {\n  max_packet_size = "2MB"\n  strict_mode = true\n}\n"a.b" = 1\n'
    )


def test_indent() -> None:
    assert to_hocon({"a": {"b": 1}}, indent=4) == "a {\n    b = 1\n}\n"


def test_overlays_win_key_by_key() -> None:
    base = {"node.role": "core", "node": {"name": "a@b.c"}, "x": [1, 2]}
    overlays = [{"node": {"role": "replicant"}, "x": [3]}, {"node.max_ports": 1024}]
    assert to_hocon(base, overlays) == (
        'node {\n  role = "replicant"\n  name = "a@b.c"\n  max_ports = 1024\n}\nx = [\n  3\n]\n'
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["a"],), "to_hocon: HOCON text is made of a dictionary, found list"),
        (("a = 1",), "found str"),
        ((None,), "found NoneType"),
        (({}, [5]), "found int"),
        (({"a": 1, "a.b": 2},), "a is given twice"),
        (({"a": {"b": float("nan")}},), "a.b is nan"),
        (({"a..b": 1},), "not a path of keys"),
    ],
)
def test_wrong_input(arguments: tuple[t.Any, ...], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        to_hocon(*arguments)
