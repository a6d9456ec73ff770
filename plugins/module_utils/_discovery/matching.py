# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What EMQX makes of the answer of a discovery service, and how that differs from the cluster.

The rules are those of ekka 0.13 to 0.23 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.base import (
    COMMON_REASONS,
    Answer,
    Entry,
    Phrases,
    Settings,
    Strategy,
    shown,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.table import (
    STRATEGIES,
    phrases,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record

Item = t.Dict[str, str]
Node = t.Mapping[str, t.Any]
Report = t.Dict[str, t.Any]

_NAME = re.compile(r"[^@\s]+@[^@\s]+")


def form(strategy: str, settings: Settings, short_name: str, entry: Entry) -> str:
    """Return the node name that EMQX makes of an entry, "" where it makes none."""
    return STRATEGIES[strategy].form(settings, short_name, entry)


def report(
    strategy: str, settings: Settings, node: str, nodes: t.Sequence[Node], answer: Answer
) -> Report:
    """Return what a node discovers and how it differs from the cores among ``nodes``.

    ``nodes`` are those of the cluster's model (name, inventory_host, role). The result has
    ``strategy``, ``source``, ``asked``, ``failure``, ``detail``, ``names`` (those formed),
    ``entries`` (in words, sorted), ``missing``, ``extra``, ``malformed`` (each with name, host,
    reason, value, remedy and message), ``findings``, one for each cause, and ``problems``, which
    are their sentences.
    """
    rules = STRATEGIES[strategy]
    short_name = node.partition("@")[0]
    formed = [(entry, rules.form(settings, short_name, entry)) for entry in answer["entries"]]
    hosts = {str(each["name"]): str(each["inventory_host"]) for each in nodes}
    known = {
        "strategy": strategy,
        "source": rules.source(settings),
        **{key: shown(answer[key]) for key in ("asked", "failure", "detail")},
        "entries": sorted(shown(rules.value(entry)) for entry in answer["entries"]),
        "names": sorted({name for _entry, name in formed if _is_name(name)}),
    }
    found: dict[str, list[Item]] = {"missing": [], "extra": [], "malformed": []}
    if not answer["failure"]:
        cores = [str(each["name"]) for each in nodes if each["role"] == "core"]
        found["missing"] = [
            _item(hosts[name], name, rules.missing(settings, name, short_name, formed))
            for name in cores
            if name not in known["names"]
        ]
        in_place = {i["value"] for i in found["missing"] if i["reason"] in rules.IN_PLACE}
        found["extra"] = _extra(rules, formed, {*hosts, *in_place}, in_place)
        found["malformed"] = _malformed(rules, formed)
    words = _words(known, node)
    items = [item for each in found.values() for item in each]
    for item in items:
        finding = _finding(item["reason"], _texts(rules, item["reason"]), [item], words)
        item.update(remedy=finding.remedy, message=finding.sentence())
    findings = _causes(rules, items, words)
    if answer["failure"]:
        own = _item(hosts.get(node, ""), node, (answer["failure"], ""))
        findings = [_finding(answer["failure"], rules.FAILURES[answer["failure"]], [own], words)]
    return {
        **known,
        **found,
        "findings": [finding.as_dict() for finding in findings],
        "problems": [finding.sentence() for finding in findings],
    }


def is_settled(found: Report) -> bool:
    """Tell whether there is no node of others that may be about to go."""
    permanent = STRATEGIES[found["strategy"]].PERMANENT
    return all(item["reason"] in permanent for item in found["extra"])


def remedy(reason: str) -> str:
    """Return what mends a reason or a failure."""
    return phrases(reason).remedy


def _extra(
    rules: Strategy,
    formed: t.Sequence[tuple[Entry, str]],
    known: t.Collection[str],
    in_place: t.Collection[str],
) -> list[Item]:
    return [
        _item("", name, rules.extra(entry, rules.value(entry)))
        for entry, name in formed
        if _is_name(name) and name not in known and rules.value(entry) not in in_place
    ]


def _malformed(rules: Strategy, formed: t.Sequence[tuple[Entry, str]]) -> list[Item]:
    items = []
    for entry, name in formed:
        value = rules.value(entry)
        if name and not _is_name(name):
            items.append(_item("", name, ("no_name", f"{value} ({name})")))
        elif not name and rules.nameless(entry):
            items.append(_item("", "", (rules.nameless(entry), value)))
    return items


def _item(host: str, name: str, found: tuple[str, str]) -> Item:
    return {"name": shown(name), "host": host, "reason": found[0], "value": shown(found[1])}


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and text.isprintable()


def _words(known: Record, node: str) -> dict[str, str]:
    return {
        "source": known["source"],
        "asked": known["asked"] or "nobody",
        "detail": known["detail"],
        "listed": ", ".join(known["entries"]) or "none",
        "own": node,
        "own_short": node.partition("@")[0],
    }


def _texts(rules: Strategy, reason: str) -> Phrases:
    return COMMON_REASONS.get(reason) or rules.REASONS[reason]


def _causes(rules: Strategy, items: t.Iterable[Item], words: t.Mapping[str, str]) -> list[Finding]:
    """Return a finding for each reason, with all the nodes that it concerns."""
    by_reason: dict[str, list[Item]] = {}
    for item in items:
        by_reason.setdefault(item["reason"], []).append(item)
    return [
        _finding(reason, _texts(rules, reason), found, words) for reason, found in by_reason.items()
    ]


def _finding(
    code: str, texts: Phrases, items: t.Sequence[Item], words: t.Mapping[str, str]
) -> Finding:
    values = {
        **words,
        "names": ", ".join(_unique(item["name"] for item in items)),
        "values": ", ".join(_unique(item["value"] for item in items)),
    }
    expected, found = (text.format(**values) for text in texts[:2])
    hosts = tuple(_unique(item["host"] for item in items))
    return Finding(code, expected, found, texts.remedy, hosts)


def _unique(texts: t.Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
