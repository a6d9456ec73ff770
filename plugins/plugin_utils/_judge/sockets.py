# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which sockets a node opens, and whether another one on the host keeps it from that."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.found import Socket
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Listener, Node


def opened(node: Node) -> list[Listener]:
    """Return all that a node listens on: for its peers, and its listeners that are enabled.

    Without a model of listeners those are its ports on all addresses.
    """
    peers = [
        Listener("distribution", "cluster", node.dist_port),
        Listener("rpc", "cluster", node.rpc_port),
    ]
    if node.listeners:
        return [*peers, *(each for each in node.listeners if each.enabled and each.port)]
    given = [("listener", port) for port in node.listener_ports]
    given += [("dashboard", port) for port in node.dashboard_ports]
    return [*peers, *(Listener(kind, kind, port) for kind, port in given)]


def conflicts(listener: Listener, socket: Socket) -> bool:
    """Tell whether a socket keeps a listener from its port.

    On Linux one that listens on all addresses and one that listens on a single address exclude
    each other (bind(2), SO_REUSEADDR of socket(7)).
    """
    if (listener.port, listener.protocol) != (socket.port, socket.protocol):
        return False
    return not socket.addresses or any(
        _overlap(listener.address, address) for address in socket.addresses
    )


def _overlap(one: str, other: str) -> bool:
    first, second = _address(one), _address(other)
    if first is None or second is None:
        return True
    if first.version == second.version:
        return first == second or first.is_unspecified or second.is_unspecified
    # A socket for all IPv6 addresses takes IPv4 as well, as long as nobody forbids it.
    six = first if first.version == 6 else second
    return six.is_unspecified


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, None for all of the host's and for what is none."""
    try:
        found = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return t.cast("ipaddress.IPv4Address", mapped) if mapped else found


def is_loopback(address: str) -> bool:
    found = _address(address)
    return address == "localhost" or (found is not None and found.is_loopback)


def is_missing(address: str, own: t.Collection[str]) -> bool:
    """Tell whether an address is none of a host's own, as far as those are known."""
    wanted = _address(address)
    if wanted is None or wanted.is_unspecified or wanted.is_loopback or not own:
        return False
    return wanted not in {_address(each) for each in own}
