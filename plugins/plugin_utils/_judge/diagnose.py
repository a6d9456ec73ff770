# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Name what is wrong with a cluster, causes before what follows from them. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    WARNING,
    Fact,
    Finding,
    in_order,
    is_error,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge import (
    causes_boot,
    causes_config,
    causes_discovery,
    causes_host,
    causes_links,
    causes_members,
    causes_names,
    causes_trust,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import Case, Link
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node

Rule = t.Callable[[Case], t.Iterator[Finding]]
Window = t.Tuple[float, float]

# Those that explain others come first; certificates stand between the two parts.
_FIRST: tuple[Rule, ...] = (
    causes_host.unreachable,
    causes_host.not_installed,
    causes_host.disk,
    causes_boot.config_refused,
    causes_host.memory,
    causes_boot.port_in_use,
    causes_boot.listen_failed,
    causes_boot.no_etcd,
    causes_names.own_name,
    causes_names.unresolved,
    causes_names.loopback,
    causes_names.elsewhere,
)
_THEN: tuple[Rule, ...] = (
    causes_trust.transport,
    causes_trust.cookie,
    causes_boot.single_node_license,
    causes_boot.license_refused,
    causes_host.unusable_files,
    causes_links.closed_ports,
    causes_links.not_listening,
    causes_names.other_name,
    causes_boot.replicant_version,
    causes_members.expelled,
    causes_members.waiting,
    causes_discovery.discovery,
    causes_discovery.service,
    causes_members.divided,
    causes_members.uninvited,
    causes_members.stale_members,
    causes_host.services,
    causes_members.unexplained,
    causes_host.default_password,
    causes_config.out_of_sync,
    causes_host.unread,
    causes_host.not_examined,
    causes_discovery.unasked,
    causes_config.drift,
    causes_config.stale_config,
    causes_config.overridden,
    causes_config.versions,
    causes_host.open_files,
)


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a cluster, errors first, and how all connections fare."""

    findings: tuple[Finding, ...]
    links: tuple[Link, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is an error."""
        return not any(map(is_error, self.findings))


def diagnose(
    nodes: t.Mapping[str, Node],
    evidence: Record,
    window: Window | None = None,
    to_build: bool = False,
    nofile: t.Mapping[str, int] | None = None,
) -> Diagnosis:
    """Return the causes of what is wrong.

    ``nodes`` are those of the whole cluster, ``evidence`` the answers of some or all of their
    hosts, as in ``Case``; whatever JSON those hold, nothing is raised. ``window`` are the times of
    the control node, in seconds since 1970, between which the hosts were asked. With ``to_build``
    the cluster is judged before a deployment: nodes that never ran are not ill, and what the
    deployment mends is a warning. ``nofile`` has by host how many open files its node should have.
    """
    case = Case(nodes, evidence, to_build)
    found = [
        *_kept(_all_findings(case, window)),
        *causes_host.clocks(case, window),
        *causes_host.open_files_limit(case, nofile or {}),
    ]
    if to_build:
        found = [
            dataclasses.replace(finding, severity=WARNING) if finding.mended else finding
            for finding in found
        ]
    return Diagnosis(tuple(in_order(found)), tuple(case.links))


def _all_findings(case: Case, window: Window | None) -> t.Iterator[Finding]:
    for rule in _FIRST:
        yield from rule(case)
    yield from causes_trust.certificates(case, _now(case, window))
    for rule in _THEN:
        yield from rule(case)


def _now(case: Case, window: Window | None) -> dt.datetime | None:
    """Return the control node's time in UTC without a zone, else that of a host."""
    times = [case.found(host).time for host in case]
    moment = window[1] if window else next((each for each in times if each is not None), None)
    if moment is None:
        return None
    try:
        return dt.datetime.fromtimestamp(moment, dt.timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


def _kept(found: t.Iterable[Finding]) -> t.Iterator[Finding]:
    """Leave out what only puts into words what others before it explain."""
    explained: set[Fact] = set()
    for finding in found:
        if finding.about and finding.about <= explained:
            continue
        explained |= finding.explains
        yield finding
