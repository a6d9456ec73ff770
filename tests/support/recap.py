# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Run a command of many checks; where it fails, its last lines say which failed and why.

What is between them is tens of thousands of lines, and a log is often kept in part: of these few
lines, each failed target has the first words of its failure.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

LOG = Path(".cache/recap.log")
LINES_OF_A_REASON = 8
CHARACTERS_OF_A_REASON = 600
REASONS_OF_A_TARGET = 2

STYLE = re.compile(r"\x1b\[[0-9;]*m")
PANE = re.compile(r"^\s*│ ?|\s+$")
SECTION = re.compile(r"^== (?P<name>.+)")
ENDED = re.compile(r"^make(\[\d+\])?: \*\*\* ")
# The first kind that a target's output has: the summary of pytest and Ansible's error say most.
REASONS = (
    re.compile(r"^(FAILED |\[ERROR\]|fatal: )"),
    re.compile(r"^(E  |assert |FATAL: |ERROR: |\S+\.py:\d+:)"),
)
# Tried again another way where it fails (tests/sanity.sh).
EXPECTED = re.compile(r"\.\.\.ignoring|does not have pip available")


def reasons(lines: list[str]) -> list[str]:
    """What a target's output says of its failure: the texts, each in one line."""
    said = [number for number, line in enumerate(lines) if not EXPECTED.search(line)]
    kinds = ([number for number in said if kind.match(lines[number])] for kind in REASONS)
    found = next((kind for kind in kinds if kind), [])
    texts: list[str] = []
    end = 0
    for number in found:
        if number >= end and len(texts) < REASONS_OF_A_TARGET:
            end = number + LINES_OF_A_REASON
            text = " ".join(" ".join(lines[number:end]).split())
            texts.append(text[:CHARACTERS_OF_A_REASON])
    return texts


def failures(log: str) -> list[str]:
    """Lines that say what failed, by target, from all that ``make`` printed."""
    section: list[str] = []
    failed: list[str] = []
    for raw in log.splitlines():
        line = PANE.sub("", STYLE.sub("", raw))
        if SECTION.match(line):
            section = []
        if ENDED.match(line):
            failed += [line, *("    " + text for text in reasons(section))]
            section = []
        else:
            section.append(line)
    return failed


def main(command: list[str]) -> int:
    """Run the command, show and keep its output, and return its exit code."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    with LOG.open("wb") as log:
        while chunk := os.read(process.stdout.fileno(), 65536):
            log.write(chunk)
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    if code := process.wait():
        print(f"== what failed (the whole: {LOG})")
        print("\n".join(failures(LOG.read_text(encoding="utf-8", errors="replace"))))
        return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
