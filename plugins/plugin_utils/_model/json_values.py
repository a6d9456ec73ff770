# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Take values of JSON that a host sent, which may have any type and any size.

Nothing here raises: what is not of the type asked for becomes an empty value. Texts are cut, and
lose what would move a terminal's cursor or reverse its lines.
"""

from __future__ import annotations

import math
import re
import typing as t

Record = t.Mapping[str, t.Any]
Texts = t.Tuple[str, ...]

WIDTH = 500
_MOST = 5000
_NUMBER_LIMIT = 1 << 62
# Sequences of terminals, then all controls, marks of direction and halves of surrogate pairs.
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)


def text(value: t.Any, width: int = WIDTH) -> str:
    """Return a value as one clean line of at most ``width`` characters, "" for none.

    >>> text("\\x1b[31mred\\x1b[0m\\nnext")
    'red next'
    """
    if isinstance(value, str) and len(value) <= width and value.isprintable():
        return value.strip()
    if value is None or isinstance(value, (list, tuple, dict)):
        return ""
    # An integer may have more digits than Python prints.
    shown = value if isinstance(value, str) else repr(number(value))
    if isinstance(value, bool):
        shown = str(value).lower()
    elif isinstance(value, float):
        shown = repr(value)
    clean = _CONTROLS.sub(" ", _ESCAPES.sub("", shown[: 4 * width])).strip()
    return clean if len(clean) <= width else f"{clean[: width - 3]}..."


def texts(value: t.Any) -> Texts:
    """Return the texts of a list, those that are empty left out."""
    return tuple(filter(None, map(text, items(value))))


def items(value: t.Any) -> list[t.Any]:
    return list(value[:_MOST]) if isinstance(value, (list, tuple)) else []


def record(value: t.Any) -> Record:
    """Return a value that is a dictionary, its keys as clean texts."""
    if not isinstance(value, t.Mapping):
        return {}
    if len(value) > _MOST:
        value = {key: value[key] for key, _number in zip(value, range(_MOST))}
    return {text(key): item for key, item in value.items()}


def records(value: t.Any) -> list[Record]:
    """Return the dictionaries of a list."""
    return [record(item) for item in items(value) if isinstance(item, t.Mapping)]


def number(value: t.Any) -> int:
    """Return a number as a whole one within 62 bits, 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return max(-_NUMBER_LIMIT, min(_NUMBER_LIMIT, int(value)))


def decimal(value: t.Any) -> float | None:
    """Return a number that is finite, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return float(number(value))
    return value if math.isfinite(value) else None


def flag(value: t.Any) -> bool | None:
    return value if isinstance(value, bool) else None
