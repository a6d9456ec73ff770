# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

# Private to this collection: it may change in any release.

"""All that speaks against a cluster before it is deployed, put together. Pure."""

from __future__ import annotations

import typing as t

Record = t.Mapping[str, t.Any]
Finding = t.Dict[str, t.Any]

# What a diagnosis expects where it names one of its causes.
EXPECTED = {
    "apart": "nodes that see each other",
    "booting": "a node in operation",
    "came_back": "only members that the inventory has",
    "certificate_ends": "a certificate that stays valid",
    "certificate_other_ca": "one CA for all nodes",
    "clock": "clocks less than 10 s apart",
    "closed_port": "open distribution and RPC ports between all nodes",
    "config_drift": "the same configuration on all nodes",
    "config_out_of_sync": "nodes that followed all changes of the configuration",
    "config_refused": "a configuration that EMQX accepts",
    "cookie": "one cookie for all nodes",
    "cookie_pending": "nodes that run with the cookie of their files",
    "crashed": "a node in operation",
    "data_of_other_name": "a database of the node's own name",
    "discovery_nobody": "discovery that finds the members",
    "discovery_others": "discovery that finds the members",
    "disk_full": "space for the node's data",
    "disk_low": "space for the node's data",
    "expelled": "a member that the others list",
    "file_limit": "fewer open files than the limit",
    "license": "a licence for a cluster",
    "memory": "enough memory",
    "name_elsewhere": "names that lead to their hosts",
    "name_loopback": "names that lead to their hosts",
    "name_not_own": "a node name that leads to its own host",
    "name_unresolved": "names that every host resolves",
    "no_etcd": "an etcd that the node can use",
    "not_installed": "EMQX where it has run",
    "not_joined": "a member of the cluster",
    "not_listening": "a node that listens on its ports",
    "old_values": "nodes that run with the values of their files",
    "other_name": "a node of the inventory's name",
    "overridden": "settings at run time as in the files",
    "port_in_use": "free ports for the node",
    "replicant_version": "a core of the replicant's version",
    "silent": "a node that answers",
    "split_brain": "one cluster",
    "stale_member": "only members that the inventory has",
    "stopped": "a node in operation",
    "transport": "one way to talk for all nodes",
    "unreachable": "a host that Ansible reaches",
    "unread": "a host that can be read",
    "unusable_files": "files that the node's user can use",
    "versions": "one version on all nodes",
    "waiting_for_tables": "all nodes that hold the newest data",
}
_CERTIFICATE = "a certificate that its peers accept"


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
        "expected": EXPECTED.get(finding["code"], _CERTIFICATE),
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
