# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""All that speaks against a cluster before it is deployed, put together. Pure."""

from __future__ import annotations

import typing as t

Record = t.Mapping[str, t.Any]
Finding = t.Dict[str, t.Any]


def prove(
    topology: Record, hosts: t.Iterable[t.Mapping[str, t.Iterable[Record]]], diagnosis: Record
) -> dict[str, t.Any]:
    """Return ``passed`` (no error), ``errors``, ``warnings``, ``links`` and ``text`` (lines).

    ``topology`` has ``errors`` and ``warnings`` of the inventory, each of ``hosts`` those of a
    host (of _preflight.check_host), ``diagnosis`` is that of _diagnose.diagnose. A finding has
    ``code``, ``severity``, ``hosts``, ``expected``, ``found``, ``remedy`` and ``evidence``.
    """
    sources = [topology, *hosts]
    judged = [
        _judged(finding, severity)
        for severity in ("error", "warning")
        for source in sources
        for finding in source[f"{severity}s"]
    ]
    # A host that gives no answer was named by what was read first.
    lost = {
        host for finding in judged if finding["code"] == "unreachable" for host in finding["hosts"]
    }
    seen = [
        _diagnosed(finding)
        for finding in diagnosis["findings"]
        if not (finding["code"] == "unreachable" and lost.issuperset(finding["hosts"]))
    ]
    found: list[Finding] = []
    for finding in [*judged, *seen]:
        if finding not in found:
            found.append(finding)
    errors = [finding for finding in found if finding["severity"] == "error"]
    warnings = [finding for finding in found if finding["severity"] != "error"]
    links = list(diagnosis["links"])
    text = [line for finding in [*errors, *warnings] for line in _lines(finding)]
    return {
        "passed": not errors,
        "errors": errors,
        "warnings": warnings,
        "links": links,
        "text": [*text, _sentence(errors, warnings, links)],
    }


def _judged(finding: Record, severity: str) -> Finding:
    return {
        "code": finding["code"],
        "severity": severity,
        "hosts": [finding["host"]] if finding["host"] else [],
        "expected": f"{finding['variable']}: {finding['expected']}",
        "found": finding["found"],
        "remedy": finding["remedy"],
        "evidence": [],
    }


def _diagnosed(finding: Record) -> Finding:
    return {
        "code": finding["code"],
        "severity": finding["severity"],
        "hosts": finding["hosts"],
        "expected": finding["expected"],
        "found": finding["cause"],
        "remedy": finding["next"],
        "evidence": finding["evidence"],
    }


def _lines(finding: Finding) -> list[str]:
    where = ", ".join(finding["hosts"]) or "the cluster"
    return [
        f"{finding['severity'].upper()} [{finding['code']}] {where}",
        f"   expected: {finding['expected']}",
        f"   found: {finding['found']}",
        *(f"   seen: {line}" for line in finding["evidence"]),
        f"   remedy: {finding['remedy']}",
    ]


def _sentence(
    errors: t.Sequence[Finding], warnings: t.Sequence[Finding], links: t.Sequence[Record]
) -> str:
    counts = f"{_count(errors, 'error')} and {_count(warnings, 'warning')}"
    if errors:
        return f"Expected no error, found {counts}: mend the errors before a deployment."
    opened = sum(link["state"] == "open" for link in links)
    return f"Found {counts}: the cluster can form, {opened} of {len(links)} connections are open."


def _count(findings: t.Sized, word: str) -> str:
    number = len(findings)
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
