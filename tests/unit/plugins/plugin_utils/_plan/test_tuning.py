# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import tuning

RESERVED = "net.ipv4.ip_local_reserved_ports"
RANGE = "net.ipv4.ip_local_port_range"


class TestPlan:
    @pytest.mark.parametrize(
        ("key", "live", "wanted", "value", "pending"),
        [
            ("net.core.somaxconn", "4096", 32768, "32768", True),
            ("net.core.somaxconn", "32768", 32768, "32768", False),
            ("net.core.somaxconn", "65535", 32768, "32768", True),
            (RANGE, "32768\t60999", "1024 65535", "1024 65535", True),
            (RANGE, "1024\t65535", "1024   65535", "1024 65535", False),
            ("net.ipv4.tcp_rmem", "1024\t4096\t16777216", "1024 4096 16777216", None, False),
            ("net.ipv4.tcp_tw_reuse", "2", True, "1", True),
            # Limits of the whole machine are kept where they are higher.
            ("fs.file-max", "9223372036854775807", 2097152, "9223372036854775807", False),
            ("fs.file-max", "100000", 2097152, "2097152", True),
            ("fs.nr_open", "1048576", "2097152", "2097152", True),
            ("fs.nr_open", "2097152", "2097152", "2097152", False),
            ("net.netfilter.nf_conntrack_max", "2000000", 1000000, "2000000", False),
            ("net.core.rmem_max", "212992", 16777216, "16777216", True),
        ],
    )
    def test_one_key(
        self, key: str, live: str, wanted: t.Any, value: str | None, pending: bool
    ) -> None:
        assert tuning.plan({key: live}, {key: wanted}, []) == {
            "values": {key: value if value is not None else wanted},
            "pending": [key] if pending else [],
            "skipped": [],
        }

    def test_unknown_keys_are_skipped_and_named(self) -> None:
        current = {"b.x": None, "net.core.somaxconn": "1", "a.x": None}
        wanted = {"b.x": 1, "net.core.somaxconn": 1, "a.x": 1, "c.not-read": 1}
        plan = tuning.plan(current, wanted, [])
        assert plan["skipped"] == ["a.x", "b.x", "c.not-read"]
        assert plan["values"] == {"net.core.somaxconn": "1"}

    def test_values_are_sorted(self) -> None:
        plan = tuning.plan({"b": "1", "a": "1"}, {"b": 2, "a": 2}, [])
        assert list(plan["values"]) == plan["pending"] == ["a", "b"]

    @pytest.mark.parametrize(
        ("live", "wanted", "ports", "value", "pending"),
        [
            ("", {}, [5370, 4370], "4370,5370", True),
            ("4370,5370", {}, [4370, 5370], "4370,5370", False),
            ("4300-4400,8080", {}, [4370, 5370], "4300-4400,5370,8080", True),
            ("9000", {RESERVED: "8000-8002, 8003"}, [8004], "8000-8004,9000", True),
            ("", {}, [], "", False),
        ],
    )
    def test_reserved_ports_are_added_to_what_is_there(
        self, live: str, wanted: dict[str, t.Any], ports: list[int], value: str, pending: bool
    ) -> None:
        plan = tuning.plan({RESERVED: live}, wanted, ports)
        assert plan["values"] == {RESERVED: value}
        assert plan["pending"] == ([RESERVED] if pending else [])

    def test_a_kernel_without_reserved_ports(self) -> None:
        nothing: dict[str, t.Any] = {"values": {}, "pending": [], "skipped": []}
        assert tuning.plan({RESERVED: None}, {}, [4370]) == nothing
        plan = tuning.plan({RESERVED: None}, {RESERVED: "8000"}, [4370])
        assert plan["skipped"] == [RESERVED]

    @pytest.mark.parametrize(
        ("key", "wanted"), [("fs.file-max", "2M"), (RESERVED, "[8000]"), (RESERVED, "8000-x")]
    )
    def test_what_is_no_number_is_named(self, key: str, wanted: str) -> None:
        with pytest.raises(InputError, match=f"{key} in emqx_tuning_sysctl .* whole number"):
            tuning.plan({key: "1"}, {key: wanted}, [])

    def test_the_input_stays_as_it_was(self) -> None:
        wanted = {RESERVED: "8000"}
        tuning.plan({RESERVED: ""}, wanted, [4370])
        assert wanted == {RESERVED: "8000"}


@given(st.sets(st.integers(1, 65535), max_size=30))
def test_a_joined_list_holds_the_same_ports(ports: set[int]) -> None:
    text = tuning.join_ports(str(port) for port in ports)
    found: set[int] = set()
    for item in filter(None, text.split(",")):
        first, _dash, last = item.partition("-")
        assert not found or int(first) > max(found) + 1
        found.update(range(int(first), int(last or first) + 1))
    assert found == ports
    assert tuning.join_ports([text]) == text
