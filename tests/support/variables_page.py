# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""docs/variables.md: all variables of the roles by topic, from the argument specs. With --write,
write it."""

from __future__ import annotations

import json
import re
import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "variables.md"
INTRODUCTION = """\
# Variables

All variables of the roles, by topic. Set them in the inventory, in `group_vars` or `host_vars`, or
with `-e`. A value of the wrong type, a misspelt name and values that contradict one another are
named before anything is changed. `make readme` writes this page from the argument specs.

"""
# The topics of the role emqx are the files of its defaults.
TOPICS = {
    "cluster": "The cluster and its nodes",
    "discovery": "Discovery",
    "install": "Installation",
    "config": "Configuration",
    "container": "Containers",
    "tls": "TLS between nodes",
    "firewall": "Firewall",
    "tuning": "Kernel and limits",
    "service": "Starts, restarts, upgrades and backups",
    "members": "Changes of members",
    "run": "The run and its reports",
}
OTHER_ROLES = {
    "certificates": "Role certificates",
    "etcd": "Role etcd",
    "bind": "Role bind",
    "kubernetes": "Role kubernetes",
}
_CODE = re.compile(r"\b[CVOP]\(([^)]*)\)")
_MARKED = re.compile(r"\b[IB]\(([^)]*)\)")


class Option(t.NamedTuple):
    """A variable as the argument specs have it."""

    type: str
    default: t.Any
    required: bool
    choices: t.Sequence[t.Any]
    text: str


def options(role: str) -> dict[str, Option]:
    """Return the variables of a role by name, those of all its entry points."""
    path = ROOT / "roles" / role / "meta" / "argument_specs.yml"
    points = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
    found: dict[str, Option] = {}
    for point in points:
        for name, given in point.get("options", {}).items():
            elements = f" of {given['elements']}" if "elements" in given else ""
            found.setdefault(
                name,
                Option(
                    given.get("type", "str") + elements,
                    given.get("default"),
                    bool(given.get("required")),
                    given.get("choices", ()),
                    _text(given["description"]),
                ),
            )
    return found


def _text(description: str | list[str]) -> str:
    sentences = [description] if isinstance(description, str) else description
    text = " ".join(" ".join(sentences).split())
    return _MARKED.sub(r"\1", _CODE.sub(lambda match: f"`{_name(match[1])}`", text))


def _name(marked: str) -> str:
    """Return what a reference such as mqttops.emqx.topology#filter is called."""
    return marked.partition("#")[0] or '""'


def topics() -> dict[str, list[str]]:
    """Return the variables of the role emqx by the file that has their defaults."""
    folder = ROOT / "roles" / "emqx" / "defaults" / "main"
    found = {}
    for topic in TOPICS:
        text = (folder / f"{topic}.yml").read_text(encoding="utf-8")
        found[topic] = re.findall(r"^(emqx_\w+):", text, re.MULTILINE)
    return found


def sections() -> t.Iterator[tuple[str, dict[str, Option]]]:
    """Yield headings with their variables. Those without a default stand with the changes of
    members and the runs that need them."""
    every = options("emqx")
    by_topic = topics()
    placed = {name for names in by_topic.values() for name in names}
    by_topic["run"] += sorted(set(every) - placed)
    for topic, heading in TOPICS.items():
        yield heading, {name: every[name] for name in by_topic[topic]}
    for role, heading in OTHER_ROLES.items():
        yield heading, options(role)


def _row(name: str, option: Option) -> str:
    default = "required" if option.required else _default(option.default)
    text = option.text
    if option.choices:
        text += f" One of {', '.join(f'`{choice}`' for choice in option.choices)}."
    cells = (f"`{name}`", option.type, default, text)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(value: t.Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) and value else json.dumps(value)
    return f"`{text}`" if len(text) < 60 else "see the text"


def page() -> str:
    """Return the whole page."""
    parts = []
    for heading, variables in sections():
        rows = [_row(name, option) for name, option in variables.items()]
        table = ["| variable | type | default | |", "|---|---|---|---|", *rows]
        parts.append(f"## {heading}\n" + "\n".join(table))
    return INTRODUCTION + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/variables.md is not what the argument specs have: make readme")
