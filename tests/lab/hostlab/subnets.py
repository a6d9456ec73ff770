# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Addresses of a lab: fixed by its name, moved aside only where something else is in the way."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Union

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Network = Union[IPv4Network, IPv6Network]

#: Tried in this order; the later ones are for machines whose VPN routes all of 10.0.0.0/8.
RANGES4 = (IPv4Network("10.89.0.0/16"), IPv4Network("172.29.0.0/16"), IPv4Network("192.168.0.0/16"))
RANGE6 = IPv6Network("fd89:6d71:7474::/56")
FIRST_HOST = 10
MAX_HOSTS = 200


@dataclass(frozen=True)
class Subnets:
    """The networks of one lab; v6 is None for an IPv4-only lab."""

    v4: IPv4Network
    v6: IPv6Network | None = None

    @property
    def gateway(self) -> str:
        """The bridge's own address, which is also the lab's name server."""
        return str(self.v4[1])

    def address4(self, number: int) -> str:
        """IPv4 address of host n<number>."""
        return str(self.v4[FIRST_HOST + number])

    def address6(self, number: int) -> str | None:
        """IPv6 address of host n<number>."""
        return str(self.v6[FIRST_HOST + number]) if self.v6 else None


def choose(name: str, ipv6: bool, used: Iterable[Network]) -> Subnets:
    """Pick the lab's networks: same name, same networks, unless one overlaps a used one."""
    taken = list(used)
    v4 = next((net for net in _candidates(name, RANGES4) if _free(net, taken)), None)
    v6 = next((net for net in _candidates6(name) if _free(net, taken)), None) if ipv6 else None
    if v4 is None or (ipv6 and v6 is None):
        tried = ", ".join(str(net) for net in (*RANGES4, *([RANGE6] if ipv6 else [])))
        raise LabError(
            f"no free subnet for lab {name!r}: every /24 (or /64) of {tried} overlaps a route or "
            "an address of this machine; see 'ip route' and 'ip addr'"
        )
    return Subnets(v4, v6)


def mac(address: str) -> str:
    """A host's hardware address: locally administered, fixed by its IPv4 address."""
    return "02:89:" + IPv4Address(address).packed.hex(":")


def in_use(addresses: list[dict[str, object]], routes: list[dict[str, object]]) -> list[Network]:
    """Networks that are spoken for, from the parsed output of ip -j addr and ip -j route."""
    found: list[Network] = []
    for link in addresses:
        infos = link.get("addr_info")
        for info in infos if isinstance(infos, list) else []:
            if "local" in info:
                text = f"{info['local']}/{info['prefixlen']}"
                found.append(ip_network(text, strict=False))
    for route in routes:
        destination = str(route.get("dst", "default"))
        # A default route is everywhere, and other types ("unreachable") are not networks in use.
        if destination != "default" and route.get("type", "unicast") == "unicast":
            found.append(ip_network(destination, strict=False))
    return found


def _free(candidate: Network, taken: list[Network]) -> bool:
    return not any(
        net.version == candidate.version and net.prefixlen > 0 and net.overlaps(candidate)
        for net in taken
    )


def _slot(name: str) -> int:
    return zlib.crc32(name.encode()) % 256


def _candidates(name: str, ranges: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    for block in ranges:
        subnets = list(block.subnets(new_prefix=24))
        yield from (subnets[(_slot(name) + step) % 256] for step in range(256))


def _candidates6(name: str) -> Iterator[IPv6Network]:
    subnets = list(RANGE6.subnets(new_prefix=64))
    yield from (subnets[(_slot(name) + step) % 256] for step in range(256))
