# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Take one node out of service for maintenance, and bring it back: who watches meanwhile, and what
speaks against it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node, Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import UNASKED
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

STOPPED, EVACUATED, SERVING = "stopped", "evacuated", "serving"
STATES = (STOPPED, EVACUATED, SERVING)


@dataclass(frozen=True)
class Drain:
    """``host`` is drained to ``state``; ``witness`` is a host whose node sees what is left.

    ``others`` are the members without it, ``members`` those that there are with it. ``evacuates``
    tells whether its clients are handed over, ``serves`` whether it serves any now.
    """

    host: str
    state: str
    witness: str = ""
    members: Texts = ()
    others: Texts = ()
    evacuates: bool = False
    serves: bool = False
    steps: tuple[Step, ...] = ()
    impact: Texts = ()
    findings: tuple[Finding, ...] = ()


def plan(
    host: str,
    state: str,
    nodes: t.Mapping[str, Node],
    views: t.Mapping[str, NodeView],
    evacuates: bool,
) -> Drain:
    """Return what is done; ``evacuates`` tells whether the edition can hand over clients."""
    if host not in nodes:
        found = Finding(
            "no_member",
            "a host of the cluster's inventory group",
            host or "none",
            "name one: -e emqx_drain_host=HOST",
            subject="emqx_drain_host",
        )
        return Drain(host, state, findings=(found,))
    ready = [h for h in nodes if h != host and views.get(h, UNASKED).is_ready]
    cores = [h for h in ready if nodes[h].role == "core"]
    others = tuple(node.name for h, node in nodes.items() if h != host)
    serves = views.get(host, UNASKED).is_ready
    draft = Drain(
        host=host,
        state=state,
        witness=next(iter([*cores, *ready]), ""),
        members=(nodes[host].name, *others),
        others=others,
        evacuates=evacuates and serves and bool(ready),
        serves=serves,
    )
    seen = {name for h in ready for name in views[h].running}
    down = [h for h, node in nodes.items() if h != host and node.name not in seen]
    rest = {
        "steps": tuple(_steps(draft, nodes[host].name)),
        "impact": tuple(_impact(draft)),
        "findings": tuple(_findings(draft, nodes, cores, down, evacuates)),
    }
    return Drain(**{**vars(draft), **rest})


def _steps(drain: Drain, name: str) -> t.Iterator[Step]:
    if drain.state == SERVING:
        yield Step(drain.host, "start", f"enable and start {name}, and have it take clients")
        return
    if drain.evacuates:
        yield Step(drain.host, "evacuate", f"hand the clients of {name} to the others")
    if drain.state == STOPPED:
        yield Step(drain.host, "stop", f"stop and disable {name}", "until it is brought back")


def _impact(drain: Drain) -> t.Iterator[str]:
    if drain.state != SERVING and drain.serves:
        how = "are handed to other nodes" if drain.evacuates else "have to reconnect to other nodes"
        yield f"clients of {drain.host} {how}"


def _findings(
    drain: Drain,
    nodes: t.Mapping[str, Node],
    cores: t.Sequence[str],
    down: t.Sequence[str],
    can_evacuate: bool,
) -> t.Iterator[Finding]:
    if drain.state == SERVING:
        return
    if not cores:
        yield Finding(
            "last_core",
            "another core that is ready and part of this run",
            "none",
            "bring another core up first (playbook site), or stop the whole cluster (playbook "
            "stop)",
            hosts=(drain.host,),
            subject="emqx_drain_host",
        )
    elif down:
        yield Finding(
            "member_down",
            "all other members running, as no node goes out of service while another one is",
            f"{', '.join(down)} down",
            "bring back what is down (this playbook with emqx_drain_state=serving, or start), or "
            "take out what is gone for good (playbook remove_node)",
            hosts=tuple(down),
        )
    if drain.state == EVACUATED and not can_evacuate:
        yield Finding(
            "no_evacuation",
            "an edition of EMQX that hands over clients (enterprise, 5.9 or newer), and "
            "emqx_evacuate true",
            f"{nodes[drain.host].version} without it",
            "set emqx_drain_state to stopped, which has the clients reconnect to other nodes",
            hosts=(drain.host,),
            subject="emqx_drain_state",
        )
