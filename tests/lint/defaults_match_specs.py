# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Fail where the defaults of a role and its argument_specs do not say the same.

Both have to name the same variables, and a default that is a plain value has to stand in both, in
every entry point that takes the variable. A default that Ansible computes (a template), or that is
null as another variable decides, has none in the specs: it is described there. Only what an entry
point requires has no default at all.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import yaml

_MISSING = object()


def load(path: Path) -> dict[str, t.Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def read_defaults(role: Path) -> tuple[dict[str, t.Any], list[str]]:
    """Return the defaults of a role, and what is wrong with how its files share them."""
    found: dict[str, t.Any] = {}
    problems = []
    for path in sorted(role.glob("defaults/main/*.yml")):
        values = load(path)
        problems += [f"{key} is set again in {path}" for key in values if key in found]
        found.update(values)
    return found, problems


def is_template(value: t.Any) -> bool:
    return any(mark in json.dumps(value) for mark in ("{{", "{%"))


def text(value: t.Any) -> str:
    """Write a value so that 1, "1" and true differ."""
    return "no default" if value is _MISSING else json.dumps(value, sort_keys=True)


def differences(role: Path) -> list[str]:
    """Return what differs between the two files of a role, in words."""
    defaults, problems = read_defaults(role)
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    # By identity: entry points that share an option through an alias say it once.
    options = {
        id(option): (entry, key, option)
        for entry, spec in reversed(specs.items())
        for key, option in spec.get("options", {}).items()
    }
    unnamed = defaults.keys() - {key for _entry, key, _option in options.values()}
    problems += [f"{key} is in defaults only" for key in sorted(unnamed)]
    for entry, key, option in options.values():
        if key in defaults:
            problems += compare(entry, key, defaults[key], option.get("default", _MISSING))
        elif not option.get("required"):
            problems.append(f"{key} is in argument_specs ({entry}) only, and not required there")
    return problems


def compare(entry: str, key: str, ours: t.Any, theirs: t.Any) -> list[str]:
    computed = ours is None or is_template(ours)
    if text(_MISSING if computed else ours) == text(theirs):
        return []
    hint = ", which has to have none where it is computed" if computed else ""
    return [f"{key}: defaults has {text(ours)}, argument_specs ({entry}) has {text(theirs)}{hint}"]


def main() -> int:
    roles = sorted(path.parent.parent for path in Path("roles").glob("*/meta/argument_specs.yml"))
    if not roles:
        print("No roles/*/meta/argument_specs.yml here: run this at the top of the collection.")
        return 1
    problems = [f"{role}: {problem}" for role in roles for problem in differences(role)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
