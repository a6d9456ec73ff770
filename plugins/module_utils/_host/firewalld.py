# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Our rich rules as firewalld prints and keeps them.

A rich rule has no comment; ours are known by priorities that nobody else uses. Negative ones come
before all that the zone itself opens or closes (firewalld 0.7 and newer).
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

ACCEPT_PRIORITY = -4370
DROP_PRIORITY = -4369

_OURS = re.compile(rf'^rule priority="(?:{ACCEPT_PRIORITY}|{DROP_PRIORITY})" ')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def is_ours(rule: str) -> bool:
    """Return whether a rich rule, as firewalld prints it, is ours."""
    return _OURS.match(rule) is not None


def rich_rule(
    priority: int, family: str, source: str, ports: str, protocol: str, action: str
) -> str:
    """Return a rich rule as firewalld itself prints it; ``family`` and ``source`` may be ""."""
    parts = [f'rule priority="{priority}"']
    parts += [f'family="{family}"'] if family else []
    parts += [f'source address="{source}"'] if source else []
    return " ".join([*parts, f'port port="{ports}" protocol="{protocol}"', action])


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
        shown = rich_rule(
            _number(rule.get("priority")),
            rule.get("family", ""),
            "" if source is None else source.get("address", ""),
            port.get("port", ""),
            port.get("protocol", ""),
            action,
        )
        found += [shown] if is_ours(shown) else []
    return found


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,5}", text) else 0
