# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the hosts of a cluster discover: what they are asked, and their answers put together."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.table import (
    STRATEGIES as ASKED,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Layout,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table

# What the module discovery_info returned on a host.
Answers = t.Mapping[str, t.Mapping[str, t.Any]]
Report = t.Mapping[str, t.Any]
# The code where all hosts discover what they are to.
NOT_TO_BLAME = "discovery_complete"


@dataclass(frozen=True)
class Discovered:
    """``seen`` has a line for each host; ``causes`` keep nodes from finding one another, those of
    hosts that are answered otherwise than most others first; ``before_start`` has to be put right
    before nodes start: what ends their boot, and nodes of others whose cluster they would join."""

    seen: tuple[str, ...] = ()
    causes: tuple[Finding, ...] = ()
    before_start: tuple[Finding, ...] = ()


def question(settings: Settings, cluster: Cluster, node: Node, layout: Layout) -> Json:
    """Return the options of the module discovery_info for a node's host, none where its strategy
    has nothing to ask."""
    name = settings.discovery_strategy
    if name not in ASKED:
        return {}
    nodes = [
        {"name": each.name, "inventory_host": each.inventory_host, "role": each.role}
        for each in cluster.nodes.values()
    ]
    asked = {"strategy": name, "settings": cluster.discovery[name], "node": node.name}
    account = table.of(name).service_account(settings, layout)
    return {**asked, "nodes": nodes, **({"service_account": account} if account else {})}


def discovery_findings(answers: Answers) -> Discovered:
    """Return what follows from the answers of hosts; skipped ones were not asked."""
    asked = {host: answer for host, answer in answers.items() if not answer.get("skipped")}
    if not asked:
        return Discovered()
    reports = {
        host: answer.get("discovery", answer) if is_report(answer.get("discovery", answer)) else {}
        for host, answer in asked.items()
    }
    unasked = [
        _unasked(host, str(asked[host].get("msg") or "no answer"))
        for host, report in reports.items()
        if not report
    ]
    given = {host: report for host, report in reports.items() if report}
    causes = [*unasked, *_causes(given)] or [_not_to_blame(list(given))]
    seen = tuple(_line(host, report) for host, report in reports.items())
    return Discovered(seen, tuple(causes), tuple(_before_start(given)))


def is_report(value: object) -> bool:
    """Tell whether a value is what discovery_info returns: a host may say anything."""
    if not isinstance(value, t.Mapping) or str(value.get("strategy")) not in ASKED:
        return False
    texts = all(isinstance(value.get(key), str) for key in ("source", "asked", "failure"))
    lists = all(_are_texts(value.get(key)) for key in ("names", "entries"))
    found = value.get("findings")
    if not (texts and lists and isinstance(found, list) and all(map(_is_finding, found))):
        return False
    return bool(found) or not value["failure"]


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_finding(value: object) -> bool:
    return (
        isinstance(value, t.Mapping)
        and all(isinstance(value.get(key), str) for key in ("code", "expected", "found", "remedy"))
        and _are_texts(value.get("hosts"))
    )


def findings(report: Report) -> list[Finding]:
    """Return the findings of one host's report, which all are errors of discovery itself."""
    return [
        Finding(each["code"], each["expected"], each["found"], each["remedy"], tuple(each["hosts"]))
        for each in report["findings"]
    ]


def _unasked(host: str, why: str) -> Finding:
    return Finding(
        "discovery_unasked",
        "a host that can be asked what EMQX discovers there",
        why,
        "mend that, then run the playbook again",
        (host,),
    )


def _not_to_blame(hosts: t.Sequence[str]) -> Finding:
    return Finding(
        NOT_TO_BLAME,
        "members that join one another",
        "discovery that finds all of them, so the cause is another",
        "see in the logs of the nodes why they do not join (cookie, names, ports)",
        tuple(hosts),
    )


def _causes(reports: t.Mapping[str, Report]) -> t.Iterator[Finding]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for host, report in reports.items():
        groups.setdefault((report["failure"], *report["entries"]), []).append(host)
    # Whoever is answered rightly is the measure, else most hosts.
    ranked = sorted(
        groups.values(), key=lambda hosts: (bool(reports[hosts[0]]["findings"]), -len(hosts))
    )
    for hosts in ranked[1:]:
        yield _differs(hosts, ranked[0], reports)
    for hosts in ranked[:1]:
        first = reports[hosts[0]]
        for finding in findings(first):
            yield replace(finding, hosts=tuple(hosts)) if first["failure"] else finding


def _differs(
    hosts: t.Sequence[str], others: t.Sequence[str], reports: t.Mapping[str, Report]
) -> Finding:
    report, right = reports[hosts[0]], reports[others[0]]
    if report["failure"]:
        return replace(findings(report)[0], hosts=tuple(hosts))
    return Finding(
        "discovery_differs",
        f"{_list(right['entries'])}, as {right['asked'] or 'its own file'} has it for "
        f"{', '.join(others)}",
        f"{_list(report['entries'])} from {report['asked'] or 'its own file'} for "
        f"{report['source']}",
        ASKED[report["strategy"]].OTHER_ANSWER,
        tuple(hosts),
    )


def _list(entries: t.Iterable[str]) -> str:
    return ", ".join(entries) or "none"


def _line(host: str, report: Report) -> str:
    if not report:
        return f"{host} cannot be asked"
    asked = f" (asked {report['asked']})" if report["asked"] else ""
    names = ", ".join(report["names"]) or "no name"
    return f"{host} finds by {report['source']}{asked}: {names}"


def _before_start(reports: t.Mapping[str, Report]) -> t.Iterator[Finding]:
    """Yield what keeps nodes from a start. Keys of its own cores are missing until they run."""
    grouped: dict[Finding, list[str]] = {}
    for host, report in reports.items():
        strategy = table.of(str(report["strategy"]))
        if not strategy.asks_before_start:
            continue
        for finding in findings(report):
            if ends_boot(report) or finding.code in strategy.foreign:
                grouped.setdefault(replace(finding, hosts=()), []).append(host)
    for finding, hosts in grouped.items():
        yield replace(finding, hosts=tuple(hosts))


def ends_boot(report: Report) -> bool:
    """Tell whether a node ends its boot where its service answers like this."""
    strategy = table.of(str(report.get("strategy", "")))
    failure = report.get("failure", "")
    return strategy.asks_before_start and failure not in ("", *strategy.harmless)
