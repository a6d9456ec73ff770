# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Rules in ufw, before those of others: the first one that matches counts."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState, Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Changes,
    Desired,
    Item,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import (
    Group,
    groups,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.port_ranges import ranges

NAME: str = "ufw"
TASKS: str = "firewall_ufw.yml"
UNIT: str = ""
WATCHED: Texts = ()
MANAGER: bool = True
GUARDS_PUBLISHED: bool = False

_ANY = {4: "0.0.0.0/0", 6: "::/0"}
# iptables' multiport takes 15, a range counts as two.
_MOST_PORTS = 15


def at_work(host: HostState) -> bool:
    return NAME in host.firewall["active"]


def changes(desired: Desired, host: HostState) -> Changes:
    """Return the rules to add, with the place to ``insert`` them (0: at the end), and to remove.

    Both are parameters of ufw. Rules that deny are removed first, so that nobody is cut off
    meanwhile.
    """
    found = host.firewall[NAME]
    wanted = groups(desired.rules)
    add: list[Item] = []
    remove: list[Item] = []
    # ufw numbers IPv6 rules after those of IPv4, which the first round may add to.
    before = 0
    for version in (4, 6) if found["ipv6"] else (4,):
        family = found[f"v{version}"]
        rules = ufw_rules(wanted, version)
        ours = [
            {key: value for key, value in rule.items() if key != "place"} for rule in family["ours"]
        ]
        remove += [rule for rule in ours if rule not in rules]
        added, count = _added([rule for rule in rules if rule not in ours], family, before)
        add += added
        before = count
    remove.sort(key=lambda rule: rule["rule"] != "deny")
    return Changes(add=tuple(add), remove=tuple(remove))


def _added(missing: t.Iterable[Item], family: Record, before: int) -> tuple[list[Item], int]:
    """Place rules: one that allows at the top, one that denies after the last that allows."""
    count = family["count"]
    last = max((rule["place"] for rule in family["ours"] if rule["rule"] == "allow"), default=0)
    added: list[Item] = []
    for rule in missing:
        place = 1 if rule["rule"] == "allow" else last + 1
        added.append({**rule, "insert": before + place if place <= count else 0})
        count += 1
        if rule["rule"] == "allow":
            last += 1
    return added, count


def ufw_rules(wanted: t.Iterable[Group], version: int) -> list[dict[str, str]]:
    """Return rules of one IP version as parameters of ufw, those that allow first."""
    allow, deny = [], []
    for group in wanted:
        for ports in _multiports(group.ports):
            rule = {"proto": group.protocol, "to_port": ports}
            family = [source for source in group.sources if (":" in source) == (version == 6)]
            allow += [{"rule": "allow", "from_ip": source, **rule} for source in family]
            # For ufw this would be the same rule as one that allows all.
            if _ANY[version] not in family:
                deny.append({"rule": "deny", "from_ip": _ANY[version], **rule})
    return allow + deny


def _multiports(numbers: t.Iterable[int]) -> list[str]:
    found: list[list[str]] = []
    room = 0
    for text in ranges(numbers, ":"):
        size = 2 if ":" in text else 1
        if size > room:
            found.append([])
            room = _MOST_PORTS
        found[-1].append(text)
        room -= size
    return [",".join(texts) for texts in found]


def opens(changes: Changes, host: HostState) -> bool:
    return changes.todo


def findings(desired: Desired, host: HostState) -> t.Iterator[Finding]:
    """Yield that IPv6 is off in ufw, where an IPv6 address is to be let in."""
    source = next((source for source in desired.sources if ":" in source), "")
    if source and not host.firewall[NAME]["ipv6"]:
        yield Finding(
            code="ufw_without_ipv6",
            expected=f"IPv6 in ufw, as {source} is to be let in",
            found="IPV6=no in /etc/default/ufw",
            remedy="set IPV6=yes there and run ufw reload, or leave IPv6 addresses out",
            hosts=(desired.host,),
            subject="emqx_firewall_backend",
        )
