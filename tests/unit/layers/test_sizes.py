# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Functions, files and modules stay small enough to be read at once."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
LONGEST_FUNCTION, LONGEST_FILE, MOST_CODE = 50, 350, 80
FILES = sorted(PLUGINS.rglob("*.py"))
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
# What is no code in a module, by the type of a token: line ends and indentation, and comments.
LAYOUT = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


def name(path: Path) -> str:
    return path.relative_to(PLUGINS).as_posix()


def long_functions(source: str) -> list[str]:
    """Return the functions that are too long, with their lines."""
    functions = [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    return [f"{name}: {lines}" for name, lines in functions if lines > LONGEST_FUNCTION]


def code_lines(source: str) -> int:
    """Count the lines with code: no blanks, comments, docstrings or blocks of documentation."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and _is_documentation(node):
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def _is_documentation(node: ast.stmt) -> bool:
    """Tell whether a statement is a text alone, or one of those that ansible-doc reads."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id in ("DOCUMENTATION", "EXAMPLES", "RETURN")
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_what_counts() -> None:
    source = 'DOCUMENTATION = r"""\nmodule: x\n"""\n\n# why\nx = [\n    1,\n]\n'
    body = '    """Say."""\n' + "    x()\n" * LONGEST_FUNCTION
    assert code_lines(source) == 3
    assert code_lines(f"def f():\n{body}") == LONGEST_FUNCTION + 1
    assert long_functions(f"def f():\n{body}") == ["f: 52"]
    assert long_functions("def f():\n" + "    x()\n" * (LONGEST_FUNCTION - 1)) == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_file_and_no_function_is_long(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= LONGEST_FILE
    assert long_functions(source) == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_has_much_code(path: Path) -> None:
    assert code_lines(path.read_text(encoding="utf-8")) <= MOST_CODE
