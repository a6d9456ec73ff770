# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which ports of this host are listened on, and by whom. Reads /proc, starts no command."""

from __future__ import annotations

import ipaddress
import os
import re
import struct
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

# By protocol: its tables in /proc/net, and the state of a socket that takes what comes.
_TABLES: t.Mapping[str, tuple[tuple[str, str], str]] = {
    "tcp": (("tcp", "tcp6"), "0A"),
    "udp": (("udp", "udp6"), "07"),
}
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_UNIT = re.compile(r"([^/]+\.service)(?:/|$)", re.MULTILINE)
_UNKNOWN = {"process": "", "pid": 0, "unit": ""}
Socket = t.Dict[str, t.Any]


def listeners(ports: t.Collection[int], proc: str = "/proc") -> dict[int, Json]:
    """Return, of these TCP ports, those that are listened on: ``process``, ``pid`` and ``unit``.

    What other users run has no name here unless the caller is root: empty text and 0 then.
    """
    found: dict[int, Json] = {}
    for socket in sockets(ports, proc, ("tcp",)):
        found.setdefault(socket["port"], {key: socket[key] for key in _UNKNOWN})
    return dict(sorted(found.items()))


def sockets(
    ports: t.Collection[int], proc: str = "/proc", protocols: t.Iterable[str] = tuple(_TABLES)
) -> list[Socket]:
    """Return the sockets on these ports that take what comes: ``protocol`` (tcp, udp),
    ``address``, "" for all of the host's, ``port``, ``process``, ``pid`` and ``unit``."""
    found: list[Socket] = []
    inodes: list[str] = []
    for protocol in protocols:
        tables, state = _TABLES[protocol]
        for table in tables:
            for local, inode in _open(f"{proc}/net/{table}", state):
                address, _colon, port = local.partition(":")
                if int(port, 16) in ports:
                    place = {"address": _address(address), "port": int(port, 16)}
                    found.append({"protocol": protocol, **place})
                    inodes.append(inode)
    holders = _holders(set(inodes), proc) if inodes else {}
    return [{**one, **holders.get(inode, _UNKNOWN)} for one, inode in zip(found, inodes)]


def _address(text: str) -> str:
    """Return an address as the kernel writes it, words of the machine's byte order in hex.

    >>> _address("00000000")
    ''
    """
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    ip = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    return "" if ip.is_unspecified else str(getattr(ip, "ipv4_mapped", None) or ip)


def _open(table: str, state: str) -> t.Iterator[tuple[str, str]]:
    """Yield address and inode of the sockets of a table that are in a state.

    A broker may have a million connections, for each of which the kernel would have to write a
    line. The table of TCP begins with those that listen (Linux, net/ipv4/tcp_ipv4.c, tcp_get_idx),
    and the kernel writes no more than is read at a time.
    """
    try:
        with open(table, "rb", buffering=512) as stream:
            next(stream, None)
            for line in stream:
                fields = line.decode("ascii").split()
                if fields[3] == state:
                    yield fields[1], fields[9]
                elif "tcp" in table:
                    return
    except OSError:
        return


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()
    except OSError:
        return []


def _holders(inodes: set[str], proc: str) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for pid in filter(str.isdigit, os.listdir(proc)):
        for inode in _sockets_of(f"{proc}/{pid}/fd") & inodes - found.keys():
            # The innermost one, where a container's own path comes before it.
            units = _UNIT.findall("\n".join(_lines(f"{proc}/{pid}/cgroup")))
            found[inode] = {
                "process": "".join(_lines(f"{proc}/{pid}/comm")[:1]),
                "pid": int(pid),
                "unit": units[-1] if units else "",
            }
    return found


def _sockets_of(folder: str) -> set[str]:
    """Return the inodes of a process's sockets; it may be another user's, or gone by now."""
    found = set()
    try:
        for name in os.listdir(folder):
            match = _SOCKET.match(os.readlink(f"{folder}/{name}"))
            if match:
                found.add(match.group(1))
    except OSError:
        pass
    return found
