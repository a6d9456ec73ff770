# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Print what each module ships to a host: the module and all of module_utils that it imports.

Ansible packs a module with the files that it imports, directly or through others, also inside
functions and under TYPE_CHECKING. Usage: payload.py [ROOT], the root of a tree of the collection.
"""

from __future__ import annotations

import ast
import sys
import typing as t
from pathlib import Path

OURS = "ansible_collections.mqttops.emqx."


class Payload(t.NamedTuple):
    """The size of what is shipped, in files, lines and bytes."""

    files: int
    lines: int
    bytes: int


def imported(path: Path, root: Path) -> set[Path]:
    """Return the files of this collection that a file imports itself."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        places = [
            root.joinpath(*name[len(OURS) :].split(".")).with_suffix(".py")
            for name in names
            if name.startswith(OURS)
        ]
        found.update(place for place in places if place.is_file())
    return found


def closure(module: Path, root: Path) -> set[Path]:
    """Return a module and all files of this collection that are shipped with it."""
    found: set[Path] = set()
    waiting = {module}
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= imported(path, root) - found
    return found


def payload(module: Path, root: Path) -> Payload:
    texts = [path.read_bytes() for path in closure(module, root)]
    return Payload(len(texts), sum(text.count(b"\n") for text in texts), sum(map(len, texts)))


def payloads(root: Path) -> dict[str, Payload]:
    """Return what is shipped of each module, by name; of one that is the page of an action plugin
    there is nothing to run on a host."""
    modules = sorted((root / "plugins/modules").glob("[!_]*.py"))
    pages = {m.stem for m in modules if (root / f"plugins/action/{m.name}").exists()}
    pages -= {module.stem for module in modules if b"def main(" in module.read_bytes()}
    return {module.stem: payload(module, root) for module in modules if module.stem not in pages}


def main(arguments: t.Sequence[str]) -> None:
    root = Path(arguments[0] if arguments else Path(__file__).parents[1]).resolve()
    print(f"{'module':<20}{'files':>7}{'lines':>8}{'bytes':>9}")
    for name, size in payloads(root).items():
        print(f"{name:<20}{size.files:>7}{size.lines:>8}{size.bytes:>9}")


if __name__ == "__main__":
    main(sys.argv[1:])
