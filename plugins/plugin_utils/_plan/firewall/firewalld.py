# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Rich rules in zones of firewalld.

Rich rules and no ipset, service or policy: those are made in the permanent configuration only, and
the reload that brings them to work drops the runtime rules of others.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._host.firewalld import (
    ACCEPT_PRIORITY,
    DROP_PRIORITY,
    rich_rule,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState, Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Changes,
    Desired,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import (
    Group,
    groups,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.port_ranges import ranges

NAME: str = "firewalld"
TASKS: str = "firewall_firewalld.yml"
UNIT: str = ""
WATCHED: Texts = ()
MANAGER: bool = True
GUARDS_PUBLISHED: bool = False

_NO_RULES: t.Mapping[str, t.Sequence[str]] = {"runtime": (), "permanent": ()}


def at_work(host: HostState) -> bool:
    return NAME in host.firewall["active"]


def changes(desired: Desired, host: HostState) -> Changes:
    """Return the rules to add and to remove, each {zone, rule}.

    One that is missing either at work or permanently is added. Those that drop are removed first,
    so that nobody is cut off meanwhile.
    """
    found = host.firewall[NAME]
    rules = rich_rules(groups(desired.rules))
    zones = desired.zones or (found["default_zone"],)
    return Changes(add=_added(rules, zones, found["zones"]), remove=_removed(rules, zones, found))


def _added(
    rules: t.Sequence[str],
    zones: t.Iterable[str],
    present: t.Mapping[str, t.Mapping[str, t.Sequence[str]]],
) -> tuple[dict[str, str], ...]:
    added = []
    for zone in zones:
        here = present.get(zone, _NO_RULES)
        there = set(here["runtime"]) & set(here["permanent"])
        added += [{"zone": zone, "rule": rule} for rule in rules if rule not in there]
    return tuple(added)


def _removed(
    rules: t.Iterable[str], zones: t.Container[str], found: Record
) -> tuple[dict[str, str], ...]:
    removed = []
    for zone, here in found["zones"].items():
        kept = set(rules) if zone in zones else set()
        gone = (set(here["runtime"]) | set(here["permanent"])) - kept
        removed += [
            {"zone": zone, "rule": rule}
            for rule in sorted(gone, key=lambda rule: (not rule.endswith(" drop"), rule))
        ]
    return tuple(removed)


def rich_rules(wanted: t.Iterable[Group]) -> list[str]:
    """Return rules as firewalld itself prints them, those that accept first."""
    accept, drop = [], []
    for group in wanted:
        for ports in ranges(group.ports, "-"):
            drop.append(rich_rule(DROP_PRIORITY, "", "", ports, group.protocol, "drop"))
            accept += [
                rich_rule(
                    ACCEPT_PRIORITY,
                    "ipv6" if ":" in source else "ipv4",
                    source,
                    ports,
                    group.protocol,
                    "accept",
                )
                for source in group.sources
            ]
    return accept + drop


def opens(changes: Changes, host: HostState) -> bool:
    return changes.todo


def findings(desired: Desired, host: HostState) -> t.Iterator[Finding]:
    """Yield the zones that firewalld does not have; it says so itself only while it runs."""
    found = host.firewall[NAME]
    unknown = [zone for zone in desired.zones if zone not in found["known_zones"]]
    if unknown and at_work(host):
        yield Finding(
            code="unknown_zone",
            expected=f"zones that firewalld has ({', '.join(found['known_zones'])})",
            found=", ".join(unknown),
            remedy="correct emqx_firewall_zones, or leave it empty for the default zone",
            hosts=(desired.host,),
            subject="emqx_firewall_zones",
        )
