# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Our rules in the files of ufw, known by their comment.

ufw takes two rules that differ in action or comment only for the same one and would change the
other in place. Ours name the interface ``+``, which is any, and so equal no rule of anybody else.
The first rule that matches counts: ours stand before those of others.
"""

from __future__ import annotations

import re
import typing as t

COMMENT = "mqttops.emqx"

Family = t.Dict[str, t.Any]

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
