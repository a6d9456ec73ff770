# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.listeners import (
    listeners,
    parse_bind,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Listener
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.tests.unit.plans import settings

BIND = "listeners.tcp.default.bind"


def found(
    given: Settings | None = None, instance: int = 0, ipv6: bool = False
) -> dict[str, Listener]:
    return {each.name: each for each in listeners(given or settings(), instance, ipv6)}


def enabled(given: Settings | None = None, instance: int = 0) -> dict[str, int]:
    return {name: each.port for name, each in found(given, instance).items() if each.enabled}


DEFAULTS = {
    "tcp:default": 1883,
    "ssl:default": 8883,
    "ws:default": 8083,
    "wss:default": 8084,
    "dashboard:http": 18083,
}


@pytest.mark.parametrize("version", ["5.0.26", "5.8.9", "5.10.4", "6.0.3", "6.2.0"])
@pytest.mark.parametrize("instance", [0, 2])
def test_defaults_of_the_vendor(version: str, instance: int) -> None:
    given = settings(version=version)
    step = 10 * instance
    assert enabled(given, instance) == {name: port + step for name, port in DEFAULTS.items()}
    assert not found(given)["dashboard:https"].enabled


@pytest.mark.parametrize(
    ("value", "address", "port"),
    [
        (2883, "", 2883),
        ("2883", "", 2883),
        (":2883", "", 2883),
        ("0.0.0.0:2883", "", 2883),
        ("[::]:2883", "", 2883),
        ("[::1]:2883", "::1", 2883),
        ("127.0.0.1:2883", "127.0.0.1", 2883),
        ("203.0.113.7:1883", "203.0.113.7", 1883),
        (" 2883 ", "", 2883),
    ],
)
def test_binds(value: t.Any, address: str, port: int) -> None:
    given = found(settings(config={BIND: value}))["tcp:default"]
    assert (given.address, given.port, given.enabled) == (address, port, True)


@pytest.mark.parametrize("value", ["", "x", "::1:1883", True, None, [1883], "1883/tcp", "1.5"])
def test_no_bind(value: t.Any) -> None:
    assert parse_bind(value) is None


@pytest.mark.parametrize(
    ("base", "config", "environment", "port"),
    [
        (2001, None, None, 2001),
        (2001, 2002, None, 2002),
        (2001, 2002, "2003", 2003),
        (None, 2002, '"0.0.0.0:2003"', 2003),
        (None, None, "0.0.0.0:2003", 2003),
        (2001, None, 2003, 2003),
    ],
)
@pytest.mark.parametrize("instance", [0, 3])
def test_later_layers_win(
    base: int | None, config: int | None, environment: t.Any, port: int, instance: int
) -> None:
    given = settings(
        base_config={BIND: base} if base else {},
        config={"listeners": {"tcp": {"default": {"bind": config}}}} if config else {},
        environment={"EMQX_LISTENERS__TCP__DEFAULT__BIND": environment} if environment else {},
    )
    assert found(given, instance)["tcp:default"].port == port


@pytest.mark.parametrize(
    ("config", "name", "is_on"),
    [
        ({"listeners.ssl.default.enable": False}, "ssl:default", False),
        ({"listeners.ssl.default.enabled": "false"}, "ssl:default", False),
        ({"listeners.ssl.default.enable": True}, "ssl:default", True),
        ({"dashboard.listeners.http.bind": 0}, "dashboard:http", False),
        ({"dashboard.listeners.http.enable": False}, "dashboard:http", False),
        ({"dashboard.listeners.https.bind": 18084}, "dashboard:https", True),
        ({"dashboard.listeners.https.bind": "127.0.0.1:18084"}, "dashboard:https", True),
    ],
)
def test_what_is_on(config: dict[str, t.Any], name: str, is_on: bool) -> None:
    assert found(settings(config=config))[name].enabled is is_on


def test_a_default_listener_that_is_taken_away() -> None:
    given = settings(config={"listeners.wss.default": "marked_for_deletion"})
    assert "wss:default" not in found(given)


def test_more_listeners_of_a_type_stand_beside_the_default() -> None:
    given = settings(config={"listeners.tcp": {"inner": {"bind": "10.0.0.1:1885"}, "bare": None}})
    shown = found(given)
    assert (shown["tcp:inner"].address, shown["tcp:inner"].port) == ("10.0.0.1", 1885)
    assert shown["tcp:bare"].port == 1883
    assert shown["tcp:default"].port == 1883


def test_quic_is_udp_and_off_by_default() -> None:
    assert not any(name.startswith("quic") for name in found())
    given = settings(config={"listeners.quic.default": {"enabled": True}})
    assert found(given)["quic:default"] == Listener("quic:default", "mqtt", 14567, "udp")


def test_gateways() -> None:
    config = {
        "gateway": {
            "stomp": {"listeners": {"tcp": {"default": {"bind": 61613}}}},
            "mqttsn": {"listeners": {"udp": {"default": {"bind": "0.0.0.0:1884"}}}},
            "coap": {"listeners": {"dtls": {"a": {"bind": 5684, "enable": False}}}},
            "lwm2m": {"enable": False, "listeners": {"udp": {"default": {"bind": 5783}}}},
            "exproto": {"listeners": {"tcp": {"default": {"bind": 7993}}}},
        }
    }
    shown = [each for each in found(settings(config=config)).values() if each.kind == "gateway"]
    assert [(each.name, each.port, each.protocol, each.enabled) for each in shown] == [
        ("stomp:tcp:default", 61613, "tcp", True),
        ("mqttsn:udp:default", 1884, "udp", True),
        ("coap:dtls:a", 5684, "udp", False),
        ("lwm2m:udp:default", 5783, "udp", False),
        ("exproto:tcp:default", 7993, "tcp", True),
        ("exproto:server", 9100, "tcp", True),
    ]


@pytest.mark.parametrize(
    "config",
    [
        {"listeners": 5},
        {"listeners": {"tcp": "x", "ssl": {"default": 5}, "ws": {"default": {"bind": {}}}}},
        {"gateway": {"stomp": 1, "coap": {"listeners": {"udp": 3}}}},
        {"dashboard": {"listeners": {"http": "x"}}},
    ],
)
def test_odd_shapes_are_left_to_emqx(config: dict[str, t.Any]) -> None:
    assert all(isinstance(each.port, int) for each in listeners(settings(config=config), 0, False))


def test_a_whole_section_in_the_environment() -> None:
    text = '{default {bind = "127.0.0.1:1999"}}'
    given = settings(environment={"EMQX_LISTENERS__TCP": text, "PATH": "/bin"})
    assert found(given)["tcp:default"].port == 1999


def test_the_base_configuration_has_no_default_above_it() -> None:
    given = settings(base_config={"dashboard.listeners.http.bind": 18090})
    assert found(given)["dashboard:http"].port == 18090


def test_over_ipv6_they_are_still_for_all_addresses() -> None:
    assert {each.address for each in found(ipv6=True).values()} == {""}
