# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Texts as they may be shown, line by line, whatever they are written in."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import (
    MASK,
    SECRET_END,
    SECRET_WORD,
    masked,
)

CHANGED = " (changed)"
# From the first name of a secret on, nothing of a line is shown; a name with a dot (license.key)
# may stand in a block of its own, so its last part has to be a whole key.
_SECRET_IN_LINE = re.compile(
    rf"(?:{SECRET_WORD}[\w.-]*|(?<![\w-])(?:{SECRET_END}|key)(?=[\"\s]*[=:])"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----)\"?\s*[=:]?\s*",
    re.IGNORECASE,
)


def masked_lines(before: str, after: str) -> tuple[str, str]:
    old, new = list(_statements(before)), list(_statements(after))
    raw_before, shown_before = {raw for raw, _shown in old}, {shown for _raw, shown in old}
    return (
        "".join(f"{shown}\n" for _raw, shown in old),
        "".join(
            f"{shown}{CHANGED if shown in shown_before and raw not in raw_before else ''}\n"
            for raw, shown in new
        ),
    )


def _statements(text: str) -> t.Iterator[tuple[str, str]]:
    """Yield each line as it is and as it may be shown, a secret with all its lines as one.

    Comments are left out: they may hold old secrets, and HOCON is shown without them too.
    """
    raw = shown = ""
    head = 0
    for line in text.splitlines():
        if raw:
            raw += "\n" + line
        elif line.lstrip().startswith(("#", "//", ";")):
            continue
        else:
            match = _SECRET_IN_LINE.search(line)
            if match is None:
                yield line, masked(line)
                continue
            raw, head, shown = line, match.end(), _head_of(masked(line))
        # A value that is not in this line stands in the next one.
        if raw[head:].strip() and not _is_open(raw):
            yield raw, shown
            raw = ""
    if raw:
        yield raw, shown


def _head_of(line: str) -> str:
    match = _SECRET_IN_LINE.search(line)
    return line[: match.end()] + MASK if match else line


def _is_open(statement: str) -> bool:
    return bool(
        statement.count('"') % 2
        or statement.count("[") > statement.count("]")
        or statement.count("-----BEGIN ") > statement.count("-----END ")
    )
