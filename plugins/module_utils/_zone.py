# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The file of a DNS zone, with a serial that grows when something else in it changes."""

from __future__ import annotations

import re
import typing as t

_SERIAL = re.compile(r"^\s*([0-9]+) +; serial$", re.MULTILINE)
_MAX_SERIAL = 2**32 - 1


def lines(records: t.Iterable[t.Mapping[str, str]], ttl: int) -> str:
    """Return records as lines of a zone file."""
    shown = (f"{r['name']} {ttl} IN {r['type']} {r['value']}\n" for r in records)
    return "".join(shown)


def settle(
    current: str, zone: str, records: t.Sequence[t.Mapping[str, str]], ttl: int, now: int
) -> tuple[str, int]:
    """Return the zone's file, and its serial: that of the current file where nothing else differs.

    A new serial is the time, or one more than the current one where that is not smaller.
    """
    found = _SERIAL.search(current)
    serial = int(found.group(1)) if found else 0
    same = _render(zone, records, ttl, serial)
    if same == current:
        return same, serial
    serial = max(now, serial % _MAX_SERIAL + 1)
    return _render(zone, records, ttl, serial), serial


def _render(zone: str, records: t.Sequence[t.Mapping[str, str]], ttl: int, serial: int) -> str:
    origin = f"{zone.rstrip('.')}."
    server = next((r["value"] for r in records if r["type"] == "NS"), origin)
    return (
        "; Managed by Ansible (mqttops.emqx): changes made here are lost.\n"
        f"$TTL {ttl}\n"
        f"{origin} IN SOA {server} hostmaster.{origin} (\n"
        f"  {serial} ; serial\n"
        f"  3600 ; refresh\n"
        f"  60 ; retry\n"
        f"  604800 ; expire\n"
        # How long a name that is not there yet is taken for missing.
        f"  {ttl} ) ; negative TTL\n"
        f"{lines(records, ttl)}"
    )
