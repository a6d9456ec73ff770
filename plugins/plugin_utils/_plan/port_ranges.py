# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Port numbers as packet filters and the kernel write them."""

from __future__ import annotations

import typing as t


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
