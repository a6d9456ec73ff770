# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Our rules in ufw, known by their comment.

ufw takes two rules that differ in action or comment only for the same one and would change the
other in place. Ours name the interface ``+``, which is any, and so equal no rule of anybody else.
The first rule that matches counts: ours stand before those of others.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.firewalld import Group, ranges

COMMENT = "mqttops.emqx"

Family = t.Dict[str, t.Any]
Rule = t.Dict[str, t.Any]

_ANY = {4: "0.0.0.0/0", 6: "::/0"}
# iptables' multiport takes 15, a range counts as two.
_MOST_PORTS = 15
_TUPLE = re.compile(r"^### tuple ### (.*)$", re.MULTILINE)
_OURS = re.compile(
    rf"(?P<rule>allow|deny) (?P<proto>\w+) (?P<to_port>\S+) \S+ any (?P<from_ip>\S+) in_\+ "
    rf"comment={COMMENT.encode().hex()}"
)


def parse_rules(text: str) -> Family:
    """Return of user.rules or user6.rules how many rules ufw counts, and ``ours``.

    ``place`` of one of ours is its number among all rules, from 1. The rules that ufw makes out
    of one application profile are one for it.
    """
    places: dict[str, int] = {}
    ours = []
    for line in _TUPLE.findall(text):
        fields = line.split(" comment=")[0].split()
        # ACTION PROTO DPORT DST SPORT SRC [DAPP SAPP] DIRECTION
        profile = len(fields) == 9
        places.setdefault(" ".join(fields[5:]) if profile else line, len(places) + 1)
        match = _OURS.fullmatch(line)
        if match:
            ours.append({**match.groupdict(), "place": places[line]})
    return {"count": len(places), "ours": ours}


def ufw_rules(groups: t.Iterable[Group], version: int) -> list[Rule]:
    """Return rules of one IP version as parameters of ufw, those that allow first."""
    allow, deny = [], []
    for protocol, numbers, sources in groups:
        for ports in _multiports(numbers):
            rule = {"proto": protocol, "to_port": ports}
            family = [source for source in sources if (":" in source) == (version == 6)]
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


def plan(groups: t.Sequence[Group], found: t.Mapping[str, t.Any]) -> dict[str, list[Rule]]:
    """Return the rules to ``add``, with the place to ``insert`` them (0: at the end), and to
    ``remove``, in this order.

    ``found`` holds ``ipv6`` (whether ufw takes such rules) and, under ``v4`` and ``v6``, what
    ``parse_rules`` says. Rules that deny are removed first, so that nobody is cut off meanwhile.
    """
    add: list[Rule] = []
    remove: list[Rule] = []
    # ufw numbers IPv6 rules after those of IPv4, which the first round may add to.
    before = 0
    for version in (4, 6) if found["ipv6"] else (4,):
        family = found[f"v{version}"]
        wanted = ufw_rules(groups, version)
        ours = [
            {key: value for key, value in rule.items() if key != "place"} for rule in family["ours"]
        ]
        remove += [rule for rule in ours if rule not in wanted]
        added, count = _added([rule for rule in wanted if rule not in ours], family, before)
        add += added
        before = count
    remove.sort(key=lambda rule: rule["rule"] != "deny")
    return {"add": add, "remove": remove}


def _added(missing: t.Iterable[Rule], family: Family, before: int) -> tuple[list[Rule], int]:
    """Place rules: one that allows at the top, one that denies after the last that allows."""
    count = family["count"]
    last = max((rule["place"] for rule in family["ours"] if rule["rule"] == "allow"), default=0)
    added = []
    for rule in missing:
        place = 1 if rule["rule"] == "allow" else last + 1
        added.append({**rule, "insert": before + place if place <= count else 0})
        count += 1
        if rule["rule"] == "allow":
            last += 1
    return added, count
