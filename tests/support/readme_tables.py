# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The tables of README.md, from what the tree has. With --write, put them there.

A playbook is described by the first sentence at its head, a role by the short description of its
entry point main, modules and filters by their own.
"""

from __future__ import annotations

import re
import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def playbook(path: Path) -> str:
    """Return the first sentence of the comment at the head of a playbook."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    head: list[str] = []
    for line in lines:
        if not line.startswith("# "):
            break
        head.append(line[2:].strip())
    return re.split(r"\.(?:\s|$)", " ".join(head))[0]


def role(path: Path) -> str:
    specs = yaml.safe_load((path / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    return str(specs["argument_specs"]["main"]["short_description"])


def module(path: Path) -> str:
    beside = path.with_suffix(".yml")
    if beside.exists():
        return sidecar(beside)
    found = re.search(r'^DOCUMENTATION = r?"""(.*?)"""', path.read_text("utf-8"), re.M | re.S)
    assert found, f"{path} has no DOCUMENTATION"
    return str(yaml.safe_load(found[1])["short_description"])


def sidecar(path: Path) -> str:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    return str(loaded["DOCUMENTATION"]["short_description"])


def table(kind: str, pattern: str, describe: t.Callable[[Path], str]) -> str:
    """Return a table of what matches, with a link to the page of the same name if there is one."""
    rows = [f"| {kind} | what it does |", "|---|---|"]
    for path in sorted(ROOT.glob(pattern)):
        if path.stem.startswith("_"):
            continue
        page = ROOT / "docs" / f"{path.stem}.md"
        more = f", see [{path.stem}](docs/{path.stem}.md)" if page.exists() else ""
        name = f"mqttops.emqx.{path.stem}" if kind in ("playbook", "role") else path.stem
        rows.append(f"| `{name}` | {describe(path).rstrip('.')}{more} |")
    return "\n".join(rows)


TABLES: dict[str, tuple[str, t.Callable[[Path], str]]] = {
    "playbook": ("playbooks/*.yml", playbook),
    "role": ("roles/*", role),
    "module": ("plugins/modules/*.py", module),
    "filter": ("plugins/filter/*.yml", sidecar),
}


def filled(text: str) -> str:
    """Return a README with its tables as the tree has them."""
    for kind, (pattern, describe) in TABLES.items():
        begin, end = f"<!-- {kind}s -->\n\n", f"\n<!-- end of {kind}s -->"
        assert text.count(begin) == text.count(end) == 1, f"README.md has no place for {kind}s"
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        text = before + begin + table(kind, pattern, describe) + "\n" + end + after
    return text


if __name__ == "__main__":
    readme = README.read_text(encoding="utf-8")
    if sys.argv[1:] == ["--write"]:
        README.write_text(filled(readme), encoding="utf-8")
    elif filled(readme) != readme:
        sys.exit("The tables of README.md are not those of the tree: make readme")
