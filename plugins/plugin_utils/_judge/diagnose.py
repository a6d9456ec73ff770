# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

# Private to this collection: it may change in any release.

"""Name what is wrong with a cluster, causes before what follows from them. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils import (
    _cluster_causes,
    _host_causes,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._case import (
    ERROR,
    WARNING,
    Case,
    Fact,
    Finding,
    Record,
)

# Those that explain others come first.
_RULES: tuple[t.Callable[[Case], t.Iterator[Finding]], ...] = (
    _host_causes.unreachable,
    _host_causes.not_installed,
    _host_causes.disk,
    _host_causes.config_refused,
    _host_causes.memory,
    _host_causes.port_in_use,
    _host_causes.no_etcd,
    _cluster_causes.own_name,
    _cluster_causes.unresolved,
    _cluster_causes.loopback,
    _cluster_causes.elsewhere,
    _cluster_causes.certificates,
    _cluster_causes.foreign_ca,
    _cluster_causes.transport,
    _cluster_causes.cookie,
    _host_causes.license_refused,
    _host_causes.unusable_files,
    _cluster_causes.closed_ports,
    _cluster_causes.not_listening,
    _host_causes.other_name,
    _host_causes.replicant_version,
    _cluster_causes.expelled,
    _cluster_causes.waiting,
    _cluster_causes.discovery,
    _cluster_causes.service,
    _cluster_causes.divided,
    _host_causes.uninvited,
    _host_causes.stale_members,
    _host_causes.services,
    _cluster_causes.unexplained,
    _cluster_causes.out_of_sync,
    _host_causes.unread,
    _cluster_causes.drift,
    _host_causes.stale_config,
    _host_causes.overridden,
    _cluster_causes.versions,
    _host_causes.open_files,
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
    found = [*_kept(case), *_host_causes.clocks(case, window)]
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
