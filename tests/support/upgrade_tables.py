# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The tables of docs/upgrade.md, from the support matrix. With --write, put them there."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.upgrade_paths import (
    LINES,
    REFUSED,
    RULES,
    path,
)

PAGE = Path(__file__).parents[2] / "docs" / "upgrade.md"
BEGIN, END = "<!-- matrix -->\n\n", "\n<!-- end of matrix -->"


def matrix() -> str:
    """Return a row for each line of releases to come from, a column for each to go to."""
    rows = [f"| from / to | {' | '.join(LINES[1:])} |", f"|---|{'---|' * len(LINES[1:])}"]
    for number, old in enumerate(LINES[:-1]):
        cells = [""] * number + [cell(old, new) for new in LINES[number + 1 :]]
        rows.append(f"| {old} | {' | '.join(cells)} |")
    return "\n".join(rows)


def cell(old: str, new: str) -> str:
    """Return how the newest releases of two lines go together, whatever those are."""
    found = path(f"{old}.99", f"{new}.99")
    numbers = ", ".join(str(RULES.index(rule) + 1) for rule in (*found.refused, *found.lost))
    if found.refused:
        return f"no ({numbers})"
    return f"yes ({numbers})" if found.lost else "yes"


def rules() -> str:
    rows = [
        "| | from | to | | why, or what is lost | go by | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for number, rule in enumerate(RULES, 1):
        to = f"{rule.since} or newer" + (f", older than {rule.until}" if rule.until else "")
        verdict = "no" if rule.outcome == REFUSED else "yes"
        via = ": ".join(filter(None, [rule.via, rule.there]))
        rows.append(
            f"| {number} | older than {rule.below} | {to} | {verdict} | {rule.text} | {via} | "
            f"{rule.source} |"
        )
    return "\n".join(rows)


def filled(text: str) -> str:
    """Return the page with its tables as the matrix has them."""
    assert text.count(BEGIN) == text.count(END) == 1, f"{PAGE} has no place for the matrix"
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{matrix()}\n\n{rules()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(filled(page), encoding="utf-8")
    elif filled(page) != page:
        sys.exit("The tables of docs/upgrade.md are not those of the matrix: make readme")
