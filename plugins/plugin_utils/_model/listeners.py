# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The sockets that a node opens for clients, out of its merged configuration.

Source: emqx_schema.erl, emqx_dashboard_schema.erl and emqx_gateway_schema.erl, EMQX 5.0 to 6.3.
Listeners with the name default are there unless they are disabled or marked for deletion; the
dashboard serves the API and Prometheus as well; exhook and bridges only connect to others.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.configuration import merged
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.default_ports import LISTENERS
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Listener
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

_QUIC_PORT = 14567
_EXPROTO_PORT = 9100
_UDP = ("quic", "udp", "dtls")
_TOMBSTONE = "marked_for_deletion"
_BIND = re.compile(r"(?:(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[^:\[\]]*)):)?(?P<port>[0-9]{1,5})")
_ANY = ("", "0.0.0.0", "::")


def listeners(settings: Settings, instance: int, ipv6: bool) -> tuple[Listener, ...]:
    """Return the listeners of a node in the order MQTT, dashboard, gateways.

    ``instance`` is the number of the node on its server, ``ipv6`` whether nodes talk to one
    another over IPv6. Raises InputError for a configuration that cannot be merged.
    """
    tree = merged(replace(settings, instance=instance), ipv6)
    return (
        *_mqtt(_section(tree, "listeners")),
        *_dashboard(_section(tree, "dashboard", "listeners")),
        *_gateways(_section(tree, "gateway")),
    )


def parse_bind(value: t.Any) -> tuple[str, int] | None:
    """Return address ("" for all of the host's) and port of a bind, None where it is none.

    >>> parse_bind("[::1]:1883")
    ('::1', 1883)
    >>> parse_bind(":1883")
    ('', 1883)
    """
    match = None if isinstance(value, bool) else _BIND.fullmatch(str(value).strip())
    if match is None:
        return None
    address = match.group("six") or match.group("four") or ""
    return "" if address in _ANY else address, int(match.group("port"))


def _section(tree: Record, *path: str) -> Record:
    found: t.Any = tree
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _mqtt(section: Record) -> t.Iterator[Listener]:
    ports = {**LISTENERS, "quic": _QUIC_PORT}
    for kind, port in ports.items():
        by_name: Json = {"default": {}} if kind in LISTENERS else {}
        yield from _named(kind, "mqtt", kind, {**by_name, **_section(section, kind)}, port)


def _named(
    prefix: str, kind: str, transport: str, by_name: Record, default: int
) -> t.Iterator[Listener]:
    for name, options in by_name.items():
        if options == _TOMBSTONE or not isinstance(options, (dict, type(None))):
            continue
        given = options or {}
        bind = parse_bind(given.get("bind", default))
        if bind is not None:
            yield _listener(f"{prefix}:{name}", kind, transport, bind, _is_enabled(given))


def _listener(
    name: str, kind: str, transport: str, bind: tuple[str, int], enabled: bool
) -> Listener:
    address, port = bind
    protocol = "udp" if transport in _UDP else "tcp"
    # A port of 0 switches the dashboard off; no other listener has it.
    return Listener(name, kind, port, protocol, address, enabled and port != 0)


def _is_enabled(options: Record) -> bool:
    value = options.get("enable", options.get("enabled", True))
    return str(value).lower() not in ("false", "off", "no")


def _dashboard(section: Record) -> t.Iterator[Listener]:
    for kind in ("http", "https"):
        options = _section(section, kind)
        bind = parse_bind(options.get("bind", 0))
        if bind is not None:
            yield _listener(f"dashboard:{kind}", "dashboard", kind, bind, _is_enabled(options))


def _gateways(section: Record) -> t.Iterator[Listener]:
    for gateway, options in section.items():
        if not isinstance(options, dict):
            continue
        enabled = _is_enabled(options)
        found: list[Listener] = []
        for transport, by_name in _section(options, "listeners").items():
            if isinstance(by_name, dict):
                found += _named(f"{gateway}:{transport}", "gateway", transport, by_name, 0)
        if gateway == "exproto":
            # The gRPC service that the user's own program calls.
            bind = parse_bind(_section(options, "server").get("bind", _EXPROTO_PORT))
            found += [_listener("exproto:server", "gateway", "tcp", bind, True)] if bind else []
        yield from (replace(each, enabled=each.enabled and enabled) for each in found)
