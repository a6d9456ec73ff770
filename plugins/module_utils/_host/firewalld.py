# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Our rich rules in firewalld.

Rich rules and no ipset, service or policy: those are made in the permanent configuration only, and
the reload that brings them to work drops the runtime rules of others. A rich rule has no comment;
ours are known by priorities that nobody else uses. Negative ones come before all that the zone
itself opens or closes (firewalld 0.7 and newer).
"""

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

ACCEPT_PRIORITY = -4370
DROP_PRIORITY = -4369

Group = t.Tuple[str, t.List[int], t.List[str]]

_OURS = re.compile(rf'^rule priority="(?:{ACCEPT_PRIORITY}|{DROP_PRIORITY})" ')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def is_ours(rule: str) -> bool:
    """Return whether a rich rule, as firewalld prints it, is ours."""
    return _OURS.match(rule) is not None


def rich_rules(groups: t.Iterable[Group]) -> list[str]:
    """Return rules as firewalld itself prints them, those that accept first."""
    accept, drop = [], []
    for protocol, numbers, sources in groups:
        for ports in ranges(numbers, "-"):
            port = f'port port="{ports}" protocol="{protocol}"'
            drop.append(_rule(DROP_PRIORITY, "", "", port, "drop"))
            accept += [
                _rule(ACCEPT_PRIORITY, "ipv6" if ":" in source else "ipv4", source, port, "accept")
                for source in sources
            ]
    return accept + drop


def _rule(priority: int, family: str, source: str, port: str, action: str) -> str:
    parts = [f'rule priority="{priority}"']
    parts += [f'family="{family}"'] if family else []
    parts += [f'source address="{source}"'] if source else []
    return " ".join([*parts, port, action])


def ranges(ports: t.Iterable[int], dash: str) -> list[str]:
    """Return ports as text, neighbours as a range.

    >>> ranges([1883, 8083, 8084], "-")
    ['1883', '8083-8084']
    """
    found: list[list[int]] = []
    for port in sorted(ports):
        if found and port == found[-1][1] + 1:
            found[-1][1] = port
        else:
            found.append([port, port])
    return [str(a) if a == b else f"{a}{dash}{b}" for a, b in found]


def plan(
    groups: t.Iterable[Group],
    zones: t.Iterable[str],
    present: t.Mapping[str, t.Mapping[str, t.Sequence[str]]],
) -> dict[str, list[dict[str, str]]]:
    """Return the rules to ``add`` and to ``remove``, each {zone, rule}.

    ``present`` holds our rules by zone, ``runtime`` and ``permanent`` apart: one that is missing
    in either is added. Those that drop are removed first, so that nobody is cut off meanwhile.
    """
    wanted = rich_rules(groups)
    add, remove = [], []
    for zone in zones:
        here = present.get(zone, {"runtime": [], "permanent": []})
        missing = (set(wanted) - set(here["runtime"])) | (set(wanted) - set(here["permanent"]))
        add += [{"zone": zone, "rule": rule} for rule in wanted if rule in missing]
    for zone, here in present.items():
        kept = set(wanted) if zone in zones else set()
        gone = (set(here["runtime"]) | set(here["permanent"])) - kept
        remove += [
            {"zone": zone, "rule": rule}
            for rule in sorted(gone, key=lambda rule: (not rule.endswith(" drop"), rule))
        ]
    return {"add": add, "remove": remove}


def parse_reply(text: str) -> list[str]:
    """Return the strings of a busctl reply such as ``as 1 "rule family=\\"ipv4\\" accept"``."""
    return [re.sub(r"\\(.)", r"\1", quoted) for quoted in _QUOTED.findall(text)]


def parse_zone(text: str) -> list[str]:
    """Return our rules in a zone's file, as firewalld prints them; none where it is no XML."""
    try:
        zone = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return []
    found = []
    for rule in zone.iter("rule"):
        action = next((child.tag for child in rule if child.tag in ("accept", "drop")), "")
        source, port = rule.find("source"), rule.find("port")
        if port is None or not action:
            continue
        shown = _rule(
            _number(rule.get("priority")),
            rule.get("family", ""),
            "" if source is None else source.get("address", ""),
            f'port port="{port.get("port", "")}" protocol="{port.get("protocol", "")}"',
            action,
        )
        found += [shown] if is_ours(shown) else []
    return found


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,5}", text) else 0
