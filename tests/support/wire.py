# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What nodes say to one another, as read on the bridge of the lab."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

from lab_hosts import Lab

# The answer to a name in the handshake of the distribution, which is followed by the cookie's
# challenge; and what each node sends of itself.
GREETING = b"\x00\x03sok"
TABLES = b"mnesia"


class Wire:
    """Records the cluster ports of all hosts while the block runs."""

    def __init__(self, lab: Lab, file: Path) -> None:
        address = next(iter(lab.addresses.values()))
        found = subprocess.check_output(["ip", "-json", "route", "get", address])
        self._bridge = str(json.loads(found)[0]["dev"])
        self._file = file
        self._names = [lab.node_name(host).encode() for host in lab.addresses]

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

    def readable(self) -> set[bytes]:
        """Return what was said in plain words, of all that nodes cannot do without saying."""
        said = self._file.read_bytes()
        return {word for word in (GREETING, TABLES, *self._names) if word in said}

    def has_tls(self) -> bool:
        """Tell whether a TLS handshake was among it."""
        return any(bytes((0x16, 3, minor)) in self._file.read_bytes() for minor in (1, 2, 3))
