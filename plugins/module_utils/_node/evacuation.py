# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Evacuate a node: it takes no clients any more, and hands those that it has to others.

``emqx ctl rebalance``, which the enterprise edition has. It goes on after a restart of the node,
until it is ended (emqx_node_rebalance_evacuation_persist).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    CommandError,
    RefusedError,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl

# What a node says once no client and no session is left on it, and before that, while clients
# connect or are connected. Where there was nobody, it waits in between for nobody to be taken over.
_EMPTY = "prohibiting"
_WITH_CLIENTS = frozenset({"waiting_health_check", "evicting_conns"})
OFF = "disabled"
UNKNOWN = ""

_STATE = re.compile(r"^Rebalance state: (\w+)", re.MULTILINE)
_KIND = re.compile(r"^Rebalance type: (\w+)", re.MULTILINE)
_LEFT = re.compile(r"^ *current_(connected|sessions): (\d{1,12})", re.MULTILINE)
_SHOWN = 300


@dataclass(frozen=True)
class Status:
    """How far it is: ``state`` is one of EMQX, ``disabled``, or "" where it is not known."""

    state: str
    kind: str = ""
    clients: int = 0
    sessions: int = 0
    text: str = ""

    @property
    def is_empty(self) -> bool:
        nobody = self.clients == self.sessions == 0
        rest = self.state not in _WITH_CLIENTS and self.kind == "evacuation"
        return self.state == _EMPTY or (rest and nobody)

    @property
    def sentence(self) -> str:
        if self.state == UNKNOWN:
            return f"the node does not say whether it is evacuated: {self.text}"
        if self.state == OFF:
            return "the node takes clients"
        return f"{self.state}, {self.clients} client(s) and {self.sessions} session(s) are left"


def read_status(text: str) -> Status:
    """Return the status that ``rebalance node-status`` printed."""
    state, kind = _STATE.search(text), _KIND.search(text)
    if state and kind:
        left = {name: int(count) for name, count in _LEFT.findall(text)}
        clients, sessions = left.get("connected", 0), left.get("sessions", 0)
        return Status(state.group(1), kind.group(1), clients, sessions)
    if re.search(r"^Rebalance disabled", text, re.MULTILINE):
        return Status(OFF)
    return Status(UNKNOWN, text=" ".join(text.split())[:_SHOWN] or "no answer")


def status(ctl: Ctl, timeout: float) -> Status:
    try:
        return read_status(_call(ctl, timeout, "node-status"))
    except CommandError as error:
        return Status(UNKNOWN, text=error.message)


def start(ctl: Ctl, options: Record, timeout: float) -> Status:
    """Begin, and return the status after that; raise RefusedError if there is no evacuation."""
    text = _call(ctl, timeout, "start", *start_arguments(options))
    found = status(ctl, timeout)
    if found.state == OFF:
        raise RefusedError(f"the node was not evacuated: {' '.join(text.split())[:_SHOWN]}")
    return found


def start_arguments(options: Record) -> list[str]:
    """Return the arguments of ``rebalance start``; EMQX takes no 0 for any of them."""
    redirect = " ".join(options["redirect_to"])
    return [
        "--evacuation",
        *("--wait-health-check", str(options["wait_health_check"])),
        *(("--redirect-to", redirect) if redirect else ()),
        *("--conn-evict-rate", str(options["rate"])),
        *("--wait-takeover", str(options["wait_takeover"])),
        *("--sess-evict-rate", str(options["rate"])),
    ]


def stop(ctl: Ctl, timeout: float) -> None:
    _call(ctl, timeout, "stop")


def _call(ctl: Ctl, timeout: float, *arguments: str) -> str:
    """Run a command, whose exit code means nothing."""
    _rc, out, err = ctl.run(["ctl", "rebalance", *arguments], timeout)
    return f"{out}\n{err}"
