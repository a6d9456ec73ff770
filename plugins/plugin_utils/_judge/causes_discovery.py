# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may keep discovery from naming the members, a rule for each cause."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import (
    matching,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    ERROR,
    WARNING,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    names,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.evidence import (
    Discovery,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import (
    json_values as values,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table

Findings = t.Iterator[Finding]


def discovery(case: Case) -> Findings:
    for host in case.ready:
        strategy = case.views[host].discovery_strategy or case.setting(
            host, "cluster.discovery_strategy", "manual"
        )
        answer = case[host].discovery
        found = _discovered(case, host, strategy, answer)
        cut = case.apart_of(host)
        # One that has others found them before, whatever it would find now.
        alone = not case.running[host] - {case.runs_as(host)}
        if found is None or not cut or not alone:
            continue
        others = [name for name in found if name != case.name(host) and name in case.all_names]
        foreign = [name for name in found if name not in case.all_names]
        if others:
            continue
        what = f"only {names(foreign)}, no member" if foreign else "no other node"
        yield Finding(
            "discovery_others" if foreign else "discovery_nobody",
            "discovery that finds the members",
            f"discovery ({strategy}) on {host} finds {what}, so its node stays alone",
            f"{PLAYBOOK}site writes the members as seeds; with dns, etcd or k8s see that its "
            "records have exactly the nodes' names",
            hosts=(host,),
            subject="emqx_discovery_strategy",
            evidence=(
                f"{host}: found {names(found or ['nothing'])}, desired {names(case.all_names)}",
                *(f"{host}: {problem}" for problem in answer.problems),
                *case.log(host, "discovery"),
            ),
            explains=cut,
            about=cut,
            # The seeds are those of the inventory; records are made elsewhere.
            mended=table.of(strategy).mended,
        )


def _discovered(case: Case, host: str, strategy: str, answer: Discovery) -> t.Sequence[str] | None:
    """Return the node names that discovery gives, None where that is not known or not used."""
    if answer.names is not None:
        return answer.names
    if not table.of(strategy).mended:
        return None
    seeds = case.config(host).settings.get("cluster.static.seeds")
    if isinstance(seeds, str):
        return [seed.strip() for seed in values.text(seeds).split(",") if seed.strip()]
    return values.texts(seeds) if isinstance(seeds, list) else None


def service(case: Case) -> Findings:
    """What a service will answer nodes at their next start, those with one answer together.

    Where nothing else is wrong, nodes of one cluster would not find one another again.
    """
    to_come = case.not_ready if case.to_build else []
    together = [] if case.not_ready or case.apart else case.ready
    groups: dict[tuple[str, str, str], list[str]] = {}
    for host in to_come or together:
        answer = case[host].discovery
        strategy = table.of(answer.strategy)
        for reason, sentence in answer.reasons:
            replaced = reason in strategy.asked_by_files and case[host].planned.replaces
            if reason in strategy.brought or replaced:
                continue
            # A failure is said of the host that asked, and some of no host at all.
            whose, _colon, rest = sentence.partition(": ")
            shared = rest if reason == answer.failure or whose == "Cluster" else sentence
            groups.setdefault((answer.strategy, reason, shared), []).append(host)
    for (name, reason, sentence), hosts in groups.items():
        strategy = table.of(name)
        # A node that ended for want of its service was named before.
        failed = reason == case[hosts[0]].discovery.failure
        ended = hosts if failed and strategy.asks_before_start else ()
        yield Finding(
            "discovery_others" if reason in strategy.foreign else "discovery_nobody",
            "discovery that finds the members",
            f"what discovery gives {names(hosts)}: {sentence.rstrip('.')}",
            _remedy(reason),
            hosts=tuple(hosts),
            subject="emqx_discovery_strategy",
            severity=WARNING if together or reason in strategy.to_come else ERROR,
            about=frozenset({("down", host) for host in ended}),
        )


def _remedy(reason: str) -> str:
    try:
        return matching.remedy(reason)
    except (KeyError, StopIteration):
        # A reason is a host's text: it may be none of ours.
        return "correct what the discovery service holds for this cluster"


def unasked(case: Case) -> Findings:
    for host in case:
        error = case[host].discovery.error
        if error and host not in case.unreachable:
            yield Finding(
                "discovery_unasked",
                "a host that can ask its discovery service",
                f"{host} could not ask, so what its node would discover is not known",
                "mend what the message names, and run this again",
                hosts=(host,),
                subject="emqx_discovery_strategy",
                evidence=(error,),
                severity=WARNING,
            )
