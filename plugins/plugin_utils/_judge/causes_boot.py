# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may keep the node of a host from booting, a rule for each cause."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    feature,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    InputError,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    NO_FACTS,
    Facts,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    names,
    several,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.found import (
    Socket,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.sockets import (
    conflicts,
    opened,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table

Findings = t.Iterator[Finding]


def config_refused(case: Case) -> Findings:
    for host in case.not_ready:
        refused = "call_hocon_failed" in case.reason(host)
        lines = case.log(host, "config")
        if refused or (lines and not case.process(host).pid):
            seen = [case.config(host).error, case.reason(host) if refused else ""]
            yield Finding(
                "config_refused",
                "a configuration that EMQX accepts",
                f"EMQX on {host} refuses its configuration, so it does not start",
                f"on {host}: emqx check_config; {PLAYBOOK}site writes only what EMQX accepts",
                hosts=(host,),
                evidence=tuple([*filter(None, seen), *lines]),
                explains=case.all_of(host),
                # The command line needs no space to read it; a start ends alike on a full disk.
                about=NO_FACTS if refused else frozenset({("down", host)}),
                mended=True,
            )


def single_node_license(case: Case) -> Findings:
    bare = [host for host in case if _has_single_node_license(case, host)]
    hurt = [host for host in case.not_ready if case.log(host, "license")]
    alone = [h for h in bare if case.apart_of(h)]
    if not hurt and not alone:
        return
    facts: Facts = NO_FACTS.union(*(case.all_of(h) for h in hurt), *map(case.apart_of, alone))
    who = bare or hurt
    versions = sorted({case.version(h) for h in who} - {""})
    yield Finding(
        "license",
        "a licence for a cluster",
        f"{names(who)} {several(who, 'has', 'have')} the community licence, with which EMQX "
        f"{names(versions or ['5.9 and newer'])} runs on a single node only: it refuses to be in a "
        "cluster",
        f"set emqx_license for all nodes and run {PLAYBOOK}site, or use EMQX 5.8",
        hosts=tuple(sorted({*who, *hurt})),
        subject="emqx_license",
        evidence=tuple(
            [f"{h}: license.key is {case.config(h).license or 'unknown'}" for h in who]
            + [line for h in hurt for line in case.log(h, "license")]
        ),
        explains=facts,
        mended=True,
    )


def _has_single_node_license(case: Case, host: str) -> bool:
    version = case.version(host)
    try:
        gated = bool(version) and feature("license_gates_cluster", version)
    except InputError:
        gated = False
    return gated and case.config(host).license in ("none", "default")


_KINDS = {"key": "a key", "file": "a key in a file", "evaluation": "evaluation"}
# What EMQX 5.0 to 6.3 says of a licence that it cannot read, in its log or to its command line.
_REFUSED = re.compile(r"emqx_license_parser|invalid_license|bad_license|license_expired")


def license_refused(case: Case) -> Findings:
    """A licence that EMQX cannot read ends its boot (emqx_license_app.erl, EMQX 5.9 to 6.3)."""
    for host in case.not_ready:
        lines = case.log(host, "license_refused")
        said = bool(_REFUSED.search(case.reason(host)))
        if not lines and not said:
            continue
        kind = _KINDS.get(case.config(host).license, "a licence")
        yield Finding(
            "license_refused",
            "a licence that EMQX accepts",
            f"EMQX on {host} refuses its licence ({kind}), so it does not start",
            "set emqx_license to the whole key that EMQ issued, which is valid now and for this "
            f"version, or to evaluation (EMQX 5.9 and newer), and run {PLAYBOOK}site",
            hosts=(host,),
            subject="emqx_license",
            evidence=(*([f"{host}: {case.reason(host)}"] if said else []), *lines),
            explains=case.all_of(host),
            about=frozenset({("down", host)}),
            mended=True,
        )


def port_in_use(case: Case) -> Findings:
    for host in case.not_ready:
        sockets = case.found(host).sockets or ()
        taken: list[int] = []
        for listener in opened(case.nodes[host]):
            holder = next((each for each in sockets if conflicts(listener, each)), None)
            if holder is None or _is_own(case, host, holder) or holder.port in taken:
                continue
            taken.append(holder.port)
            who = holder.process or "an unknown process"
            unit = f", unit {holder.unit}" if holder.unit else ""
            on = f" on {names(holder.addresses)}" if holder.addresses else ""
            stop = f" (systemctl disable --now {holder.unit})" if holder.unit else ""
            stop = stop or (f" (kill {holder.pid})" if holder.pid else "")
            yield Finding(
                "port_in_use",
                "free ports for the node",
                f"port {holder.port} of {host} is taken by {who} (pid {holder.pid}{unit}), so EMQX "
                "cannot listen on it and does not start",
                f"on {host}: end it{stop}, or give the listener another port or address, then "
                f"systemctl restart {case.unit(host).name}",
                hosts=(host,),
                subject=listener.name,
                evidence=(
                    f"{host}: {who} listens on {holder.protocol} {holder.port}{on}",
                    *case.log(host, "port_in_use"),
                ),
                explains=case.all_of(host),
            )


def _is_own(case: Case, host: str, holder: Socket) -> bool:
    """Tell whether it is the host's own node that listens, however it was started."""
    unit, pid = case.unit(host).name, case.process(host).pid
    return holder.unit == unit or bool(pid and holder.pid == pid)


_LISTENER = re.compile(r"listener '?(?P<name>[\w:.-]+)'?(?: on (?P<bind>[\[\]\w.:]+?):? )?", re.I)
_PORT = re.compile(r"\{?port[,=>\s]+(?P<port>\d{1,5})")
_REASONS = {
    "eacces": "EMQX's user may not open ports below 1024",
    "eperm": "EMQX's user may not open it",
    "eaddrnotavail": "the host does not have this address",
    "eafnosupport": "the host does not have this kind of address",
    "eaddrinuse": "another process has it",
    "no_cert": "it has no certificate",
}
_REASON = re.compile(rf"\b({'|'.join(_REASONS)})\b")


def listen_failed(case: Case) -> Findings:
    """EMQX does not boot where one of its listeners cannot be opened."""
    for host in case:
        seen: set[str] = set()
        for entry in case.found(host).log if host in case.not_ready else ():
            name, reason = _LISTENER.search(entry.line), _REASON.search(entry.line)
            if entry.sign != "listen" or name is None or name["name"] in seen:
                continue
            seen.add(name["name"])
            port = _PORT.search(entry.line)
            bind = name["bind"] or (f"port {port['port']}" if port else "its port")
            why = _REASONS[reason[1]] if reason else "see the log"
            shown = f"{reason[1]}, {why}" if reason else why
            yield Finding(
                "listen_failed",
                "listeners that can be opened",
                f"EMQX on {host} cannot open its listener {name['name']} on {bind} ({shown}), so "
                "it does not start",
                "set bind of this listener in emqx_config to a port from 1024 and an address of "
                f"the host, or to a port alone for all addresses, and run {PLAYBOOK}site",
                hosts=(host,),
                subject=name["name"],
                evidence=(f"{host}, {entry.source}: {entry.line}",),
                explains=case.all_of(host),
                about=frozenset({("down", host)}),
                mended=True,
            )


def no_etcd(case: Case) -> Findings:
    """Up to ekka 0.23 a node ends its boot where it gets no answer from etcd."""
    for host in case.not_ready:
        answer = case[host].discovery
        strategy = table.of(answer.strategy)
        usable = not answer.failure or answer.failure in strategy.harmless
        if strategy.asks_before_start and not usable and case.unit(host).ended:
            yield Finding(
                "no_etcd",
                "an etcd that the node can use",
                f"EMQX on {host} does not boot without its etcd, which cannot be used from there",
                f"mend that, then {PLAYBOOK}site starts the node",
                hosts=(host,),
                subject="emqx_etcd_servers",
                evidence=answer.problems,
                explains=case.all_of(host),
                about=frozenset({("down", host)}),
            )


def replicant_version(case: Case) -> Findings:
    cores = [host for host in case if case.nodes[host].role == "core"]
    versions = {case.version(host) for host in cores if host in case.ready} - {""}
    for host in case:
        version = case.version(host)
        replicant = case.nodes[host].role == "replicant"
        troubled = host in case.not_ready or bool(case.apart_of(host))
        if not (replicant and version and versions and troubled) or version in versions:
            continue
        yield Finding(
            "replicant_version",
            "a core of the replicant's version",
            f"replicant {host} has EMQX {version} and finds no core of that version "
            f"({names(cores)}: {names(versions)}), without which it does not boot",
            f"bring {host} to EMQX {names(versions)}, or upgrade a core first",
            hosts=(host,),
            subject="emqx_version",
            evidence=case.log(host, "replicant") or (f"{host}: EMQX {version}",),
            explains=case.all_of(host),
        )
