# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.checks_host import (
    check_listeners,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Listener,
)
from ansible_collections.mqttops.emqx.tests.unit import plans

HOST = HostState(addresses=("10.0.0.1", "fd00::1"))


def codes(listener: Listener, host: HostState = HOST, **given: t.Any) -> list[str]:
    node = plans.node(listeners=(listener,))
    found = list(check_listeners(plans.settings(**given), node, host))
    assert all(listener.name in each.expected for each in found)
    return [f"{each.severity} {each.code}" for each in found]


def tcp(port: int = 1883, address: str = "", enabled: bool = True) -> Listener:
    return Listener("tcp:default", "mqtt", port, address=address, enabled=enabled)


@pytest.mark.parametrize(
    "listener",
    [
        tcp(),
        tcp(address="10.0.0.1"),
        tcp(address="fd00:0::1"),
        tcp(address="127.0.0.1"),
        tcp(address="::1"),
        tcp(address="localhost"),
        tcp(80, "203.0.113.7", enabled=False),
    ],
)
def test_nothing_is_wrong(listener: Listener) -> None:
    assert codes(listener) == []


def test_a_port_that_only_root_opens() -> None:
    assert codes(tcp(80)) == ["warning listener_port"]


def test_a_port_that_there_is_not_is_said_by_the_model_of_the_cluster() -> None:
    assert codes(tcp(70000)) == []


def test_an_address_of_another_host() -> None:
    other = tcp(address="203.0.113.7")
    assert codes(other) == ["error listener_address"]
    assert codes(other, HostState()) == []
    assert codes(other, tuning_sysctl={"net.ipv4.ip_nonlocal_bind": 1}) == []


def test_a_container_has_addresses_and_ports_of_its_own() -> None:
    given: dict[str, t.Any] = {"deployment": "container", "container_network": "net"}
    assert codes(tcp(80, "203.0.113.7"), **given) == []
