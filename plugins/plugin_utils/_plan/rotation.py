# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""In which steps the nodes of a running cluster get other certificates or another CA.

A node and its peers have to accept each other at every moment. So all nodes trust the new CA
before the first one shows a certificate of it, and the old CA is dropped when none shows one of
the old any more. What is left to do is read from the hosts each time: a run that was cut short
is taken up where it stopped.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificate_health import health
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tls import TlsPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.x509 import (
    authorities,
    authority_of,
)

Texts = t.Tuple[str, ...]
View = t.Mapping[str, t.Any]

# Stands in check mode for the CA that would be made.
_NEW = b""
_NOT_ASKED: View = {"state": "unknown", "reason": "left out of this run"}
_TRUST_BOTH = "trust the old CA and the new one"
_TRUST_ONE = "trust the desired CA only"
_RENEWED = "a new certificate"
_BACK = "back into the cluster"
_TOGETHER = "a new start with new certificates"


@dataclass(frozen=True)
class TlsState:
    """What is to be known of a member.

    ``active`` tells whether its service runs; ``stale`` are the files of its certificates that
    the running node does not know yet; ``observed`` is what host_info read of them.
    """

    node: Node
    active: bool
    stale: Texts
    observed: t.Mapping[str, str]
    plan: TlsPlan


@dataclass(frozen=True)
class RotationStep:
    """``hosts`` stop and start together, with ``trust`` (PEM, "" for no change) and, those of them
    in ``renew``, a new certificate written before. ``gated`` tells of a single one that the cluster
    is whole before it goes down, and has to be after it."""

    hosts: Texts
    trust: str
    renew: Texts
    text: str
    gated: bool = False

    @property
    def whole_text(self) -> str:
        """Say what is done, and on which hosts."""
        return f"{', '.join(self.hosts)}: {self.what}"

    @property
    def what(self) -> str:
        return f"{self.text}, and a restart"


@dataclass(frozen=True)
class Rotation:
    """The steps and, where there can be none, the reasons."""

    changes: tuple[RotationStep, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The same as they are shown, one for each host."""
        return tuple(
            Step(host, "certificates", change.what, _reason(change))
            for change in self.changes
            for host in change.hosts
        )


def _reason(change: RotationStep) -> str:
    if len(change.hosts) > 1:
        return f"together with {_names(change.hosts)}: alone, each would be kept out by the others"
    return "peers have to accept one another at every moment"


@dataclass
class _Host:
    """One member; ``shown`` is the CA of its certificate, where peers accept that one."""

    name: str
    node: str
    core: bool
    active: bool
    view: View
    renew: bool
    stale: bool
    problem: str
    trust: dict[bytes, str]
    shown: bytes | None

    @property
    def ready(self) -> bool:
        return bool(self.view.get("state") == "ready")


def plan(
    states: t.Mapping[str, TlsState],
    views: t.Mapping[str, View],
    consent: bool,
    now: dt.datetime,
) -> Rotation:
    """Return in which steps certificates are replaced.

    Both mappings are by inventory host; ``views`` has what cluster_info returned as ``emqx``, for
    hosts that were asked. ``consent`` allows all nodes to be stopped at the same time; ``now`` is
    in UTC without a zone.
    """
    desired: dict[bytes, str] = {}
    for state in states.values():
        desired.update({_NEW: ""} if state.plan.ca_missing else {})
        desired.update(authorities(state.plan.ca))
    every = {der: pem for der, pem in desired.items() if der != _NEW}
    for state in states.values():
        every.update(authorities(state.observed.get("ca", "")))
    judged = health(
        {name: state.observed for name, state in states.items()},
        {name: state.node.host for name, state in states.items()},
        now,
        wanted=desired,
    )
    hosts = [
        _host(name, state, views.get(name, _NOT_ASKED), judged.get(name, {}), every)
        for name, state in states.items()
    ]
    hosts.sort(key=lambda host: not host.core)
    findings = [
        Finding(
            "tls_missing",
            "a node that talks TLS already",
            "no certificates on the host",
            "run the playbook site first",
            hosts=(name,),
        )
        for name, state in states.items()
        if not state.plan.complete
    ]
    findings = findings or list(_unrest(hosts))
    if findings:
        return Rotation(findings=tuple(findings))
    return _changes(hosts, desired, every, consent)


def _host(
    name: str,
    state: TlsState,
    view: View,
    judged: t.Mapping[str, str],
    every: t.Mapping[bytes, str],
) -> _Host:
    problem = judged.get("problem", "no certificate")
    return _Host(
        name=name,
        node=state.node.name,
        core=state.node.role == "core",
        active=state.active,
        view=view,
        renew=state.plan.renew,
        stale=state.active and bool(state.stale),
        problem=problem,
        trust=authorities(state.observed.get("ca", "")),
        shown=None if problem else authority_of(state.observed["certificate"], every),
    )


def _unrest(hosts: t.Sequence[_Host]) -> t.Iterator[Finding]:
    """Yield what has to be mended first: a step is taken from a whole cluster to a whole one."""
    known = {host.node for host in hosts}
    sound = {host.node for host in hosts if host.ready and not host.problem}
    for host in hosts:
        if not host.ready and not _has_reason(host):
            reason = str(host.view.get("reason", "")).rstrip(".")
            yield Finding(
                "not_ready",
                "its node to be ready",
                f"it {host.view['state']} ({reason}), with certificates that are in order",
                "see the playbook status, and mend it first",
                hosts=(host.name,),
            )
        if host.node not in sound:
            continue
        running = set(host.view.get("running_nodes", ()))
        stopped = set(host.view.get("stopped_nodes", ()))
        if sound - running or (running | stopped) - known:
            yield Finding(
                "not_whole",
                f"its node to see {_names(sound)} running and no others",
                f"{_names(running)} running and {_names(stopped) or 'none'} stopped",
                "see the playbook status, and mend the cluster first",
                hosts=(host.name,),
            )


def _has_reason(host: _Host) -> bool:
    """Tell whether a node that is not ready may be so for its certificates, or was just stopped."""
    return bool(not host.active or host.problem or host.stale or host.renew)


def _changes(
    hosts: t.Sequence[_Host],
    desired: t.Mapping[bytes, str],
    every: t.Mapping[bytes, str],
    consent: bool,
) -> Rotation:
    out = [host for host in hosts if host.problem or not host.ready]
    refused = [host for host in out if host.problem]
    common = set(desired) | {host.shown for host in hosts if host.shown is not None}
    change = any(host.renew for host in hosts)
    # A node that was not restarted yet trusts less than its file says.
    widen = [
        host
        for host in hosts
        if host not in out
        and change
        and (not common <= host.trust.keys() or (host.stale and common != desired.keys()))
    ]
    if refused and (widen or len([host for host in refused if host.ready]) > 1):
        return _together(hosts, refused, desired, consent)

    def bundle(ders: t.Iterable[bytes]) -> str:
        return "".join(every[der] for der in sorted(ders) if der != _NEW)

    steps = []
    if out:
        steps.append(_step(out, bundle(common), _BACK, renews=not widen, gated=False))
    for host in widen:
        steps.append(_step([host], bundle(common), _TRUST_BOTH, renews=False))
    for host in [*out, *widen]:
        host.trust = dict.fromkeys(common, "")
    for host in hosts:
        if host.renew or host.stale:
            steps.append(_step([host], "", _RENEWED))
    for host in hosts:
        if host.trust.keys() != desired.keys():
            steps.append(_step([host], bundle(desired), _TRUST_ONE, renews=False))
    return Rotation(tuple(steps))


def _step(
    hosts: t.Sequence[_Host], trust: str, what: str, renews: bool = True, gated: bool = True
) -> RotationStep:
    renew = tuple(host.name for host in hosts if renews and host.renew)
    if what == _RENEWED and not renew:
        what = "what its files hold already"
    for host in hosts:
        host.stale = False
        host.renew = host.renew and not renews
    return RotationStep(tuple(host.name for host in hosts), trust, renew, what, gated)


def _together(
    hosts: t.Sequence[_Host],
    refused: t.Sequence[_Host],
    desired: t.Mapping[bytes, str],
    consent: bool,
) -> Rotation:
    if consent:
        trust = "".join(desired[der] for der in sorted(desired))
        return Rotation((_step(hosts, trust, _TOGETHER, gated=False),))
    finding = Finding(
        "tls_full_restart",
        "true, as certificates cannot be replaced node by node where nodes that restart are kept "
        "out by the others",
        "false",
        "set it to have all nodes stopped and started together (clients are cut off meanwhile, "
        "data is kept)",
        hosts=tuple(host.name for host in refused),
        subject="emqx_allow_full_restart",
        evidence=tuple(f"{host.name}: {host.problem}" for host in refused),
    )
    return Rotation(findings=(finding,))


def _names(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names))
