# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which kernel values of a host have to change."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports"

# Limits of the whole machine: a host that allows more keeps what it has.
_MINIMUMS = frozenset(
    {
        "fs.file-max",
        "fs.nr_open",
        "net.core.rmem_max",
        "net.core.wmem_max",
        "net.netfilter.nf_conntrack_max",
        "net.nf_conntrack_max",
    }
)


def plan(
    current: t.Mapping[str, str | None],
    wanted: t.Mapping[str, t.Any],
    reserved_ports: t.Iterable[int],
) -> dict[str, t.Any]:
    """Compare kernel values with the wanted ones.

    ``current`` maps each key to its value, None where this kernel does not know it. Returns
    ``values`` (the lines of our sysctl file, key to text), ``pending`` (the keys whose live value
    differs) and ``skipped`` (the unknown keys), all sorted. Raises InputError for a limit or a
    port that is no number.
    """
    values: dict[str, str] = {}
    skipped: list[str] = []
    texts = {key: normalise(value) for key, value in wanted.items()}
    if current.get(RESERVED_PORTS) is not None:
        mine = [texts.pop(RESERVED_PORTS, ""), ",".join(str(port) for port in reserved_ports)]
        texts[RESERVED_PORTS] = join_ports([current[RESERVED_PORTS] or "", *mine])
    for key, text in sorted(texts.items()):
        live = current.get(key)
        if live is None:
            skipped.append(key)
        elif key in _MINIMUMS and _number(live, key) >= _number(text, key):
            values[key] = normalise(live)
        else:
            values[key] = text
    pending = [key for key, text in values.items() if normalise(current[key]) != text]
    return {"values": values, "pending": pending, "skipped": skipped}


def normalise(value: t.Any) -> str:
    """Return a kernel value with single blanks, as /proc/sys separates fields by tabs."""
    # YAML makes yes and true of what the kernel calls 1.
    return " ".join(str(int(value) if isinstance(value, bool) else value).split())


def _number(text: str, key: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(
            f"The value of {key} in emqx_tuning_sysctl cannot be used: expected a whole number, "
            f"found {text!r}."
        ) from None


def join_ports(lists: t.Iterable[str]) -> str:
    """Merge port lists such as "4370,5000-5010" as the kernel itself prints them.

    >>> join_ports(["5370,4370", "4371", ""])
    '4370-4371,5370'
    """
    ports: set[int] = set()
    for item in ",".join(lists).split(","):
        first, _dash, last = item.strip().partition("-")
        if first:
            numbers = _number(first, RESERVED_PORTS), _number(last or first, RESERVED_PORTS)
            ports.update(range(numbers[0], numbers[1] + 1))
    ranges: list[list[int]] = []
    for port in sorted(ports):
        if ranges and port == ranges[-1][1] + 1:
            ranges[-1][1] = port
        else:
            ranges.append([port, port])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
