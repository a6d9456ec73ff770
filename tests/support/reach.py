# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which ports a host reaches, tried by real connections from there."""

from __future__ import annotations

import json
import shlex
import typing as t
from concurrent.futures import ThreadPoolExecutor

from lab_hosts import Lab

Target = t.Tuple[str, int]

# Run by the Python of the host that tries; all at once, as a filtered port costs the whole time.
TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reach(target):
    try:
        socket.create_connection(target, timeout=2).close()
        return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "filtered"
targets = [tuple(target) for target in json.loads(sys.argv[1])]
with ThreadPoolExecutor(32) as pool:
    print(json.dumps(list(pool.map(reach, targets))))
"""

# Connects again and again until a file appears; prints how often, and how often it was let in.
WATCH = """
import json, os, socket, sys, time
address, port, patience, stop = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
attempts = let_in = 0
end = time.monotonic() + 120
while not os.path.exists(stop) and time.monotonic() < end:
    attempts += 1
    try:
        socket.create_connection((address, port), timeout=patience).close()
        let_in += 1
    except OSError:
        pass
    time.sleep(0.02)
print(json.dumps([attempts, let_in]))
"""


def reach(lab: Lab, source: str, targets: t.Sequence[Target]) -> dict[Target, str]:
    """Return open, refused or filtered by target, as seen from a host."""
    command = f"python3 -c {shlex.quote(TRY)} {shlex.quote(json.dumps(targets))}"
    answers = json.loads(lab.hosts[source].check_output(command))
    return dict(zip(targets, answers))


class Watches:
    """Hosts that try to reach a port all the time while the block runs."""

    def __init__(self, lab: Lab, target: Target, patience: t.Mapping[str, float]) -> None:
        """``patience``: by host, how many seconds one try may take."""
        self._lab = lab
        self._target = target
        self._patience = patience
        self._stop = f"/run/stop-watch-{target[1]}"
        self.attempts: dict[str, int] = {}
        self.let_in: dict[str, int] = {}

    def __enter__(self) -> Watches:
        for host in self._patience:
            self._lab.hosts[host].check_output(f"rm -f {self._stop}")
        self._pool = ThreadPoolExecutor()
        self._running = {host: self._pool.submit(self._watch, host) for host in self._patience}
        return self

    def _watch(self, host: str) -> str:
        address, port = self._target
        arguments = f"{address} {port} {self._patience[host]} {self._stop}"
        return str(
            self._lab.hosts[host].check_output(f"python3 -c {shlex.quote(WATCH)} {arguments}")
        )

    def __exit__(self, *_error: object) -> None:
        for host in self._patience:
            self._lab.hosts[host].check_output(f"touch {self._stop}")
        for host, running in self._running.items():
            self.attempts[host], self.let_in[host] = json.loads(running.result())
        self._pool.shutdown()
