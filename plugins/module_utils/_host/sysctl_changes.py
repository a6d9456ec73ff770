# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Set kernel values, and note in our own sysctl file what the kernel kept instead."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host import sysctls
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record


def is_pending(found: Record, value: str) -> bool:
    """Tell whether a value is to be set, and not known to be one that the kernel does not keep."""
    # Where nothing is noted, nothing is known: an empty value is one, too.
    noted_here = found["kept"] != ""
    known = noted_here and found["asked"] == value and found["kept"] == found["value"]
    return found["value"] != value and not known


def write(values: t.Mapping[str, str], proc: str = sysctls.PROC) -> dict[str, str]:
    """Set kernel values; return the reason of each that the kernel refused, by key."""
    refused = {}
    for key, value in values.items():
        try:
            with open(sysctls.path_of(key, proc), "w", encoding="utf-8") as stream:
                # Lists of ports are parsed to the end of a line: without one the kernel takes none.
                stream.write(f"{value}\n")
        except OSError as error:
            refused[key] = error.strerror or str(error)
    return refused


def noted(text: str, live: t.Mapping[str, str | None]) -> str:
    """Return the text of our sysctl file with a note after each value that was not kept.

    ``live`` has the values as the kernel has them now; notes on other keys stay.
    """
    lines = []
    for line in text.splitlines(keepends=True):
        note = sysctls.KEPT.match(line)
        if note and note.group(1) in live:
            continue
        lines.append(line)
        asked = sysctls.LINE.match(line)
        value = live.get(asked.group(1)) if asked else None
        if asked and value is not None and value != asked.group(2).rstrip():
            lines.append(note_of(asked.group(1), value))
    return "".join(lines)


def note_of(key: str, value: str) -> str:
    """Return the line that notes what the kernel kept."""
    return f"# Kept by the kernel: {key} = {value}\n"
