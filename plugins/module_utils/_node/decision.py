# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a look at a node leads to, and the words in which decisions say what was seen."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import Peer, View


@dataclass(frozen=True)
class Decision:
    """One of ``nothing``, ``join``, ``leave``, ``evict``, ``wait`` and ``refuse``, with its reason.

    ``likely`` tells of a wait that a change will follow it when what is waited for comes.
    ``unreachable`` names the node whose silence is the reason.
    """

    do: str
    reason: str
    warnings: tuple[str, ...] = ()
    likely: bool = False
    unreachable: str = ""


def refuse(reason: str) -> Decision:
    return Decision("refuse", reason)


def not_ready(view: View, do: str) -> Decision:
    if not view.installed:
        return refuse(f"EMQX is not installed here: {view.reason}")
    return Decision(do, f"this node is {view.state}: {view.reason.rstrip('.')}")


def sight(seen: View | Peer) -> str:
    if isinstance(seen, Peer) and not seen.reachable:
        return "nothing that we know of"
    stopped = f" and {names(seen.stopped)} stopped" if seen.stopped else ""
    return f"{names(seen.running) or 'nobody'} running{stopped}"


def names(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names))
