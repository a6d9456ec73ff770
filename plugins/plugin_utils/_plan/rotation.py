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

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tls import (
    authorities,
    authority_of,
    health,
)

# Stands in check mode for the CA that would be made.
_NEW = b""


@dataclass
class _Host:
    """One member; ``shown`` is the CA of its certificate, where peers accept that one."""

    name: str
    node: str
    core: bool
    active: bool
    view: t.Mapping[str, t.Any]
    renew: bool
    stale: bool
    problem: str
    trust: dict[bytes, str]
    shown: bytes | None

    @property
    def ready(self) -> bool:
        return bool(self.view.get("state") == "ready")


def rotation(
    states: t.Mapping[str, t.Mapping[str, t.Any]], consent: bool, now: dt.datetime
) -> dict[str, t.Any]:
    """Return the ``steps`` and, where there can be none, the ``errors``.

    ``states`` has of each host ``node`` (name of the node), ``role``, ``address`` (host part of
    the name), ``active``, ``stale`` (what the running node does not know yet of these files),
    ``found`` (what host_info read), ``plan`` (see _certificates.plan) and ``view`` (of
    cluster_info). ``consent`` allows all nodes to be stopped at the same time. A step has
    ``hosts``, which stop and start together, ``trust`` (PEM to be written, "" for none),
    ``renew`` (those of the hosts that get a certificate) and ``text``.
    """
    wanted: dict[bytes, str] = {}
    for state in states.values():
        wanted.update({_NEW: ""} if state["plan"]["ca_missing"] else {})
        wanted.update(authorities(state["plan"]["ca"]))
    every = {der: pem for der, pem in wanted.items() if der != _NEW}
    for state in states.values():
        every.update(authorities(state["found"].get("ca", "")))
    judged = health(
        {name: state["found"] for name, state in states.items()},
        {name: state["address"] for name, state in states.items()},
        now,
        wanted=wanted,
    )
    hosts = [_host(name, state, judged.get(name, {}), every) for name, state in states.items()]
    hosts.sort(key=lambda host: not host.core)
    errors = [
        f"{name}: expected a node that talks TLS already, found no certificates on the host: run "
        "the playbook site first"
        for name, state in states.items()
        if not state["plan"]["complete"]
    ]
    errors = errors or list(_unrest(hosts))
    if errors:
        return {"steps": [], "errors": errors}
    return _plan(hosts, wanted, every, consent)


def _host(
    name: str,
    state: t.Mapping[str, t.Any],
    judged: t.Mapping[str, str],
    every: t.Mapping[bytes, str],
) -> _Host:
    found = state["found"]
    problem = judged.get("problem", "no certificate")
    return _Host(
        name=name,
        node=state["node"],
        core=state["role"] == "core",
        active=state["active"],
        view=state["view"],
        renew=state["plan"]["renew"],
        stale=state["active"] and bool(state["stale"]),
        problem=problem,
        trust=authorities(found.get("ca", "")),
        shown=None if problem else authority_of(found["certificate"], every),
    )


def _unrest(hosts: t.Sequence[_Host]) -> t.Iterator[str]:
    """Yield what has to be mended first: a step is taken from a whole cluster to a whole one."""
    known = {host.node for host in hosts}
    sound = {host.node for host in hosts if host.ready and not host.problem}
    for host in hosts:
        if not host.ready and not _has_reason(host):
            yield (
                f"{host.name}: expected its node to be ready, found it {host.view['state']} "
                f"({str(host.view.get('reason', '')).rstrip('.')}), with certificates that are in "
                "order: see the playbook status, and mend it first"
            )
        if host.node not in sound:
            continue
        running, stopped = set(host.view["running_nodes"]), set(host.view["stopped_nodes"])
        if sound - running or (running | stopped) - known:
            yield (
                f"{host.name}: expected its node to see {_names(sound)} running and no others, "
                f"found {_names(running)} running and {_names(stopped) or 'none'} stopped: see "
                "the playbook status, and mend the cluster first"
            )


def _has_reason(host: _Host) -> bool:
    """Tell whether a node that is not ready may be so for its certificates, or was just stopped."""
    return bool(not host.active or host.problem or host.stale or host.renew)


def _plan(
    hosts: t.Sequence[_Host],
    wanted: t.Mapping[bytes, str],
    every: t.Mapping[bytes, str],
    consent: bool,
) -> dict[str, t.Any]:
    out = [host for host in hosts if host.problem or not host.ready]
    refused = [host for host in out if host.problem]
    common = set(wanted) | {host.shown for host in hosts if host.shown is not None}
    change = any(host.renew for host in hosts)
    # A node that was not restarted yet trusts less than its file says.
    widen = [
        host
        for host in hosts
        if host not in out
        and change
        and (not common <= host.trust.keys() or (host.stale and common != wanted.keys()))
    ]
    if refused and (widen or len([host for host in refused if host.ready]) > 1):
        return _together(hosts, refused, wanted, consent)

    def bundle(ders: t.Iterable[bytes]) -> str:
        return "".join(every[der] for der in sorted(ders) if der != _NEW)

    steps = []
    if out:
        steps.append(_step(out, bundle(common), "back into the cluster", renews=not widen))
    for host in widen:
        steps.append(_step([host], bundle(common), "trust the old CA and the new one", False))
    for host in [*out, *widen]:
        host.trust = dict.fromkeys(common, "")
    for host in hosts:
        if host.renew or host.stale:
            steps.append(_step([host], "", _RENEWED))
    for host in hosts:
        if host.trust.keys() != wanted.keys():
            steps.append(_step([host], bundle(wanted), "trust the wished CA only", False))
    return {"steps": steps, "errors": []}


def _step(hosts: t.Sequence[_Host], trust: str, what: str, renews: bool = True) -> dict[str, t.Any]:
    renew = [host.name for host in hosts if renews and host.renew]
    if what == _RENEWED and not renew:
        what = "what its files hold already"
    for host in hosts:
        host.stale = False
        host.renew = host.renew and not renews
    return {
        "hosts": [host.name for host in hosts],
        "trust": trust,
        "renew": renew,
        "text": f"{_names(host.name for host in hosts)}: {what}, and a restart",
    }


_RENEWED = "a new certificate"


def _together(
    hosts: t.Sequence[_Host],
    refused: t.Sequence[_Host],
    wanted: t.Mapping[bytes, str],
    consent: bool,
) -> dict[str, t.Any]:
    why = "; ".join(f"{host.name}: {host.problem}" for host in refused)
    if not consent:
        error = (
            "The certificates cannot be replaced node by node, as nodes that restart would not be "
            f"let in by the others ({why}): expected emqx_allow_full_restart true, found false. "
            "Set it to have all nodes stopped and started together (clients are cut off "
            "meanwhile, data is kept)."
        )
        return {"steps": [], "errors": [error]}
    trust = "".join(wanted[der] for der in sorted(wanted))
    return {"steps": [_step(hosts, trust, "a new start with new certificates")], "errors": []}


def _names(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names))
