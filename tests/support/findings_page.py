# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""docs/findings.md: every finding by its code, read from the source. With --write, write it."""

from __future__ import annotations

import ast
import re
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "findings.md"
# In the order in which a Finding takes them.
FIELDS = ("code", "expected", "found", "remedy", "hosts", "subject", "severity")
FILLED_IN = "…"
INTRODUCTION = f"""\
# Findings

All that the playbooks can find wrong, by code. A message names the host and the variable, what was
expected, what was found, and what to do; here is all of it but what was found. {FILLED_IN} stands
for what is known only then. [troubleshooting](troubleshooting.md) goes by what a cluster shows;
[doctor](doctor.md) and [preflight](preflight.md) say what is looked at. `make readme` writes this
page from the source.

| code | variable | expected | what to do |
|---|---|---|---|
"""


class Row(t.NamedTuple):
    """A kind of finding; two of one code differ in what they expect."""

    code: str
    subject: str
    expected: str
    remedy: str


def rows() -> list[Row]:
    """Return all kinds of findings that the code of the collection makes, by code."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "plugins").rglob("*.py")
    ]
    shared: dict[str, str] = {}
    for tree in trees:
        # A name that two files have for different things says nothing elsewhere.
        for name, value in _constants(tree).items():
            shared[name] = value if shared.get(name, value) == value else FILLED_IN
    return sorted({row for tree in trees for row in _rows(tree, {**shared, **_constants(tree)})})


def _constants(tree: ast.Module) -> dict[str, str]:
    return {
        statement.targets[0].id: str(statement.value.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant)
    }


def _rows(tree: ast.Module, constants: t.Mapping[str, str]) -> t.Iterator[Row]:
    makers: dict[str, t.Sequence[str]] = {"Finding": FIELDS}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
            makes = any(_name(call) == "Finding" for call in ast.walk(node))
            if makes and "code" in names:
                makers[node.name] = names
    for call in ast.walk(tree):
        names_of = makers.get(_name(call))
        if names_of is not None and isinstance(call, ast.Call):
            given = dict(zip(names_of, call.args))
            given.update({each.arg: each.value for each in call.keywords if each.arg})
            code = given.get("code")
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield Row(
                    code.value,
                    _text(given.get("subject"), constants),
                    _text(given.get("expected"), constants) or FILLED_IN,
                    _text(given.get("remedy"), constants) or FILLED_IN,
                )


def _name(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def _text(node: ast.expr | None, constants: t.Mapping[str, str]) -> str:
    """Return the text of an expression; what it fills in is left open."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return constants.get(node.id, FILLED_IN)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, constants)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value, constants) for value in node.values)
    return FILLED_IN


def page() -> str:
    """Return the whole page."""
    lines = []
    for row in rows():
        cells = (f"`{row.code}`", f"`{row.subject}`", row.expected, row.remedy)
        shown = (cell.replace("|", "\\|") if cell.strip("`") else "" for cell in cells)
        lines.append(f"| {' | '.join(shown)} |".replace(f"`{FILLED_IN}`", FILLED_IN))
    return INTRODUCTION + "\n".join(re.sub(" +", " ", line) for line in lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/findings.md is not what the source has: make readme")
