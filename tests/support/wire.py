# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What nodes say to one another, as read on the bridge of the lab."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

from lab_hosts import Lab

# How a node answers a name in the handshake of the distribution, before the cookie's challenge.
# A peer that this node calls at the same time gets the second (Erlang/OTP, "Distribution
# Protocol", send_status).
ANSWERS = (b"\x00\x03sok", b"\x00\x10sok_simultaneous")
# What each node sends of itself.
TABLES = b"mnesia"


class Wire:
    """Records the cluster ports of all hosts while the block runs."""

    def __init__(self, lab: Lab, file: Path) -> None:
        address = next(iter(lab.addresses.values()))
        found = subprocess.check_output(["ip", "-json", "route", "get", address])
        self._bridge = str(json.loads(found)[0]["dev"])
        self._file = file
        self._names = [lab.node_name(host) for host in lab.addresses]

    def __enter__(self) -> Wire:
        ports = "tcp port 4370 or tcp port 5370"
        argv = ["tcpdump", "-i", self._bridge, "-U", "-Z", "root", "-w", str(self._file), ports]
        self._tcpdump = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
        for line in t.cast(t.Iterable[str], self._tcpdump.stderr):
            if "listening on" in line:
                return self
        raise AssertionError(f"tcpdump ended with {self._tcpdump.wait()}")

    def __exit__(self, *_error: object) -> None:
        self._tcpdump.terminate()
        self._tcpdump.communicate()

    def readable(self) -> set[str]:
        """Return what was said in plain words, of all that nodes cannot do without saying:
        ``handshake``, ``tables`` and the nodes' names.
        """
        said = self._file.read_bytes()
        words = {"handshake": ANSWERS, "tables": (TABLES,)}
        words.update({name: (name.encode(),) for name in self._names})
        return {what for what, any_of in words.items() if any(word in said for word in any_of)}

    def has_tls(self) -> bool:
        """Tell whether a TLS handshake was among it."""
        return any(bytes((0x16, 3, minor)) in self._file.read_bytes() for minor in (1, 2, 3))
