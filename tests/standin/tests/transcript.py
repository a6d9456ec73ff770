# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Read the recorded transcripts: what a real EMQX was told and what it answered."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

COMMAND = re.compile(r"`(?P<command>.+?)`  → exit \*\*(?P<code>\d+)\*\*", re.DOTALL)
REQUEST = re.compile(
    r"`(?P<method>[A-Z]+) :(?P<port>\d+)(?P<path>/\S*)`(?: body `(?P<body>.*?)`)?"
    r" → \*\*(?P<code>.+?)\*\* \((?P<type>.+?)\)"
)
ADDED_LINE = re.compile(r"\*\*config line added:\*\* `(?P<line>.+)`")
BLOCK = re.compile(r"```\n(?P<text>.*?)\n?```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One recorded command or HTTP request.

    `key` is the title, with `#2`, `#3`... for its later uses. `added` is the line that the
    recording had appended to emqx.conf. `method` is empty for commands.
    """

    key: str
    added: str
    command: str
    code: str
    stdout: str
    stderr: str
    method: str = ""
    port: int = 0
    body: str = ""
    content_type: str = ""


def sections(path: Path) -> list[Section]:
    """All sections of a transcript in order; prose without a command is passed over."""
    seen: Counter[str] = Counter()
    found: list[Section] = []
    added = ""
    for part in re.split(r"^#+ ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _newline, text = part.partition("\n")
        seen[title] += 1
        key = title if seen[title] == 1 else f"{title}#{seen[title]}"
        section = parse(key, added if is_config_section(title) else "", text)
        if section is not None:
            found.append(section)
        line = ADDED_LINE.search(text)
        if line:
            added = line["line"]
    return found


def is_config_section(title: str) -> bool:
    return title.startswith(("check_config: ", "start: ", "check_config again: "))


def parse(key: str, added: str, text: str) -> Section | None:
    blocks = [match["text"].replace("\\e", "\x1b") for match in BLOCK.finditer(text)]
    request = REQUEST.search(text)
    if request:
        return Section(
            key, "", request["path"], request["code"], blocks[0], "", request["method"],
            int(request["port"]), request["body"] or "", request["type"],
        )  # fmt: skip
    command = COMMAND.search(text)
    if command is None:
        return None
    return Section(key, added, command["command"], command["code"], blocks[0], blocks[1])
