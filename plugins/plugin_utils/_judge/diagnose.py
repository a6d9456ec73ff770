# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Name what is wrong with a cluster, causes before what follows from them. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge import cluster_causes, host_causes
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    ERROR,
    WARNING,
    Case,
    Fact,
    Finding,
    Record,
)

# Those that explain others come first.
_RULES: tuple[t.Callable[[Case], t.Iterator[Finding]], ...] = (
    host_causes.unreachable,
    host_causes.not_installed,
    host_causes.disk,
    host_causes.config_refused,
    host_causes.memory,
    host_causes.port_in_use,
    host_causes.no_etcd,
    cluster_causes.own_name,
    cluster_causes.unresolved,
    cluster_causes.loopback,
    cluster_causes.elsewhere,
    cluster_causes.certificates,
    cluster_causes.foreign_ca,
    cluster_causes.transport,
    cluster_causes.cookie,
    host_causes.license_refused,
    host_causes.unusable_files,
    cluster_causes.closed_ports,
    cluster_causes.not_listening,
    host_causes.other_name,
    host_causes.replicant_version,
    cluster_causes.expelled,
    cluster_causes.waiting,
    cluster_causes.discovery,
    cluster_causes.service,
    cluster_causes.divided,
    host_causes.uninvited,
    host_causes.stale_members,
    host_causes.services,
    cluster_causes.unexplained,
    cluster_causes.out_of_sync,
    host_causes.unread,
    cluster_causes.drift,
    host_causes.stale_config,
    host_causes.overridden,
    cluster_causes.versions,
    host_causes.open_files,
)


def diagnose(
    nodes: t.Mapping[str, Record],
    evidence: t.Mapping[str, Record],
    window: tuple[float, float] | None = None,
    to_build: bool = False,
) -> dict[str, t.Any]:
    """Return ``healthy`` (no error), ``findings``, ``links`` and ``text`` (lines for people).

    ``nodes`` is the topology's, ``evidence`` as in ``Case``; ``window`` are the times of the
    control node between which the hosts were asked. With ``to_build`` the cluster is judged before
    a deployment: nodes that never ran are not ill, and what the deployment mends is a warning.
    """
    case = Case(nodes, evidence, to_build)
    found = [*_kept(case), *host_causes.clocks(case, window)]
    if to_build:
        found = [
            dataclasses.replace(finding, severity=WARNING) if finding.mended else finding
            for finding in found
        ]
    found.sort(key=lambda finding: finding.severity != ERROR)
    return {
        "healthy": all(finding.severity != ERROR for finding in found),
        "findings": [_as_dict(finding) for finding in found],
        "links": [
            {
                "from": ln.source,
                "to": ln.target,
                "kind": ln.kind,
                "port": ln.port,
                "state": ln.state,
            }
            for ln in case.links
        ],
        "text": _text(found),
    }


def _kept(case: Case) -> t.Iterator[Finding]:
    explained: set[Fact] = set()
    for rule in _RULES:
        for finding in rule(case):
            if finding.about and finding.about <= explained:
                continue
            explained |= finding.explains
            yield finding


def _as_dict(finding: Finding) -> dict[str, t.Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "hosts": list(finding.hosts),
        "expected": finding.expected,
        "cause": finding.cause,
        "evidence": list(finding.evidence),
        "next": finding.next,
    }


def _text(findings: t.Sequence[Finding]) -> list[str]:
    if not findings:
        return ["No finding: the cluster is well."]
    lines = []
    for number, finding in enumerate(findings, start=1):
        lines.append(f"{number}. {finding.severity.upper()} [{finding.code}] {finding.cause}")
        lines += [f"   seen: {line}" for line in finding.evidence]
        lines.append(f"   next: {finding.next}")
    return lines
