# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which TCP ports of this host are listened on, and by whom. Reads /proc, starts no command."""

from __future__ import annotations

import os
import re
import typing as t

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_UNIT = re.compile(r"([^/]+\.service)(?:/|$)", re.MULTILINE)


def listeners(ports: t.Collection[int], proc: str = "/proc") -> dict[int, dict[str, t.Any]]:
    """Return, of these ports, those that are listened on: ``process``, ``pid`` and ``unit``.

    What other users run has no name here unless the caller is root: empty text and 0 then.
    """
    inodes = _listening(ports, proc)
    holders = _holders(set(inodes.values()), proc) if inodes else {}
    unknown = {"process": "", "pid": 0, "unit": ""}
    return {port: holders.get(inode, unknown) for port, inode in sorted(inodes.items())}


def _listening(ports: t.Collection[int], proc: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for table in _TABLES:
        for address, inode in _listeners(table.replace("/proc", proc, 1)):
            port = int(address.rpartition(":")[2], 16)
            if port in ports:
                found.setdefault(port, inode)
    return found


def _listeners(table: str) -> t.Iterator[tuple[str, str]]:
    """Yield address and inode of the sockets of a table that listen.

    A broker may have a million connections, for each of which the kernel would have to write a
    line. It begins with those that listen (Linux, net/ipv4/tcp_ipv4.c, tcp_get_idx), and
    writes no more than is read at a time.
    """
    try:
        with open(table, "rb", buffering=512) as stream:
            next(stream, None)
            for line in stream:
                fields = line.decode("ascii").split()
                if fields[3] != _LISTEN:
                    return
                yield fields[1], fields[9]
    except OSError:
        return


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()
    except OSError:
        return []


def _holders(inodes: set[str], proc: str) -> dict[str, dict[str, t.Any]]:
    found: dict[str, dict[str, t.Any]] = {}
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
