# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What may be wrong with the configuration and versions of nodes, a rule for each cause."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import (
    UNKNOWN_BOOT,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    WARNING,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import (
    PLAYBOOK,
    Case,
    names,
    several,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.causes_trust import (
    AGREED,
)

Findings = t.Iterator[Finding]


def out_of_sync(case: Case) -> Findings:
    for host in case.ready:
        view = case.views[host]
        if view.in_sync is not False:
            continue
        running = {name: view.changes.get(name, 0) for name in view.running}
        late = [n for n, number in running.items() if number < max(running.values())]
        yield Finding(
            "config_out_of_sync",
            "nodes that followed all changes of the configuration",
            f"{names(late or ['some node'])} did not follow the last changes of the configuration "
            "at run time",
            f"on {host}: emqx ctl conf cluster_sync status, then emqx ctl conf cluster_sync fix "
            "(EMQX 5.8 and newer)",
            hosts=tuple(case.host_of[name] for name in late if name in case.host_of),
            evidence=tuple(f"{name}: change {number}" for name, number in sorted(running.items())),
        )
        return


# What may, or has to, differ from node to node; and what has a rule of its own.
_LOCAL_KEYS = re.compile(
    r"node\.|log\.|rpc\.(?:listen_address|\w*file)$|.*\.(?:bind|certfile|keyfile|cacertfile)$"
    r"|license\.key$|dashboard\.default_password$|(?:" + "|".join(map(re.escape, AGREED)) + ")$"
)


def drift(case: Case) -> Findings:
    readable = [host for host in case if not case.config(host).error]
    yield from _drift({h: case.config(h).keys for h in readable}, "files", "")
    status = "emqx ctl conf cluster_sync status"
    yield from _drift({h: case.config(h).runtime_keys for h in readable}, "cluster.hocon", status)


def _drift(
    tables: t.Mapping[str, t.Mapping[str, str]], title: str, command: str
) -> t.Iterator[Finding]:
    # Nothing at all is a host where EMQX was never set up, or no change at run time.
    tables = {host: table for host, table in tables.items() if table}
    differing: dict[tuple[str, ...], list[str]] = {}
    for key in sorted({key for table in tables.values() for key in table}):
        if _LOCAL_KEYS.match(key):
            continue
        few = _minority({host: table.get(key, "unset") for host, table in tables.items()})
        if few:
            differing.setdefault(few, []).append(key)
    for hosts, found in differing.items():
        shown = names(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
        yield Finding(
            "config_drift",
            "the same configuration on all nodes",
            f"the configuration of {names(hosts)} ({title}) differs from that of the others in "
            f"{shown}",
            f"on {hosts[0]}: {command}"
            if command
            else f"{PLAYBOOK}site --check --diff --limit {','.join(hosts)}",
            hosts=hosts,
            subject=title,
            evidence=tuple(f"{key}: {names(hosts)} against the others" for key in found[:6]),
            severity=WARNING,
        )


def _minority(values: t.Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts whose value is not the one that most have."""
    counts = {value: list(values.values()).count(value) for value in set(values.values())}
    common = max(values.values(), key=lambda value: counts[value], default="")
    return tuple(sorted(host for host, value in values.items() if value != common))


def stale_config(case: Case) -> Findings:
    for host in case:
        keys = [k for k in case.found(host).stale if k not in (UNKNOWN_BOOT, "node.cookie")]
        if keys:
            yield Finding(
                "old_values",
                "nodes that run with the values of their files",
                f"the node of {host} runs with old values of {names(keys)}: they were changed in "
                "its files but it was not restarted since",
                f"{PLAYBOOK}site restarts what runs with old values",
                hosts=(host,),
                evidence=tuple(keys),
                severity=WARNING,
            )


def overridden(case: Case) -> Findings:
    groups: dict[tuple[str, ...], list[str]] = {}
    for host in case:
        keys = case.config(host).overridden
        if keys:
            groups.setdefault(keys, []).append(host)
    for keys, hosts in groups.items():
        yield Finding(
            "overridden",
            "settings at run time as in the files",
            f"{names(keys)} {several(keys, 'was', 'were')} changed at run time (cluster.hocon), "
            f"but the files of {names(hosts)} say otherwise and win at the next start",
            "take the keys out of emqx_config, or set them there to the values that they should "
            "have",
            hosts=tuple(hosts),
            subject="emqx_config",
            evidence=keys,
            severity=WARNING,
        )


def versions(case: Case) -> Findings:
    groups = case.by_value(case.version, case.ready)
    if len(groups) > 1:
        yield Finding(
            "versions",
            "one version on all nodes",
            "the nodes run different versions, which is right only during an upgrade: "
            + "; ".join(f"{version} on {names(hosts)}" for version, hosts in groups),
            "finish the upgrade; change no configuration until then",
            hosts=tuple(host for _version, hosts in groups[1:] for host in hosts),
            subject="emqx_version",
            severity=WARNING,
        )
