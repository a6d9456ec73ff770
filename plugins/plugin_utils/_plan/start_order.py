# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which nodes have to start last where discovery brings the nodes together.

Discovery has each node join the one that has been up the longest, whoever holds the data. So those
that have something to keep start first, and those that may lose what they have last.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import (
    CONSENT,
    UNASKED,
    Views,
    consent_remedy,
    seed_choice,
)


@dataclass(frozen=True)
class StartOrder:
    """The hosts in ``last`` start after all others; ``findings`` say what would be lost without
    consent, and nothing may be started while there are any."""

    last: Texts = ()
    findings: tuple[Finding, ...] = ()


def start_order(
    names: t.Mapping[str, str],
    hosts: t.Sequence[str],
    fresh: t.Collection[str],
    views: Views,
    consent: t.Collection[str] = (),
) -> StartOrder:
    """Return who starts last.

    ``names`` maps hosts to node names; ``hosts`` are the cores of this run, and ``fresh`` those
    of them that never ran a node; ``views`` has those of all hosts of this run, or nothing if
    nobody was asked.
    """
    old = [host for host in hosts if host not in fresh]
    last = [host for host in hosts if host in fresh and old]
    if not old or not views:
        return StartOrder(tuple(last))
    choice = seed_choice(names, views, consent)
    findings = list(choice.findings)
    apart = [host for host in old if host not in choice.members]
    if not choice.claimed:
        # Of a node that is down nobody knows what it holds, of the others that it is nothing.
        apart = [host for host in old if views.get(host, UNASKED).is_ready]
        apart = [] if apart == old else apart
    else:
        asked = [host for host in apart if host not in consent]
        findings += _data_outside(asked, choice.members, names, views)
    ordered = tuple(host for host in hosts if host in apart or host in last)
    return StartOrder(ordered, tuple(findings))


def _data_outside(
    apart: t.Iterable[str], members: Texts, names: t.Mapping[str, str], views: Views
) -> t.Iterator[Finding]:
    """Name what the nodes outside the chosen cluster hold, or may hold, besides records."""
    for host in apart:
        view = views.get(host, UNASKED)
        if not view.is_ready:
            held = f"a database of {names[host]}, whose node is {view.state} ({view.reason})"
        elif view.config_changed:
            held = f"run-time configuration of {', '.join(view.config_changed)} (cluster.hocon)"
        else:
            continue
        yield Finding(
            code="data_outside_cluster",
            expected=f"nothing that the cluster of {', '.join(members)} does not have",
            found=f"{held}, which is deleted when it joins",
            remedy=consent_remedy(host),
            hosts=(host,),
            subject=CONSENT,
        )
