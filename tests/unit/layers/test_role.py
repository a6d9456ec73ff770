# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The role emqx holds the order of things and no decision: its limits, and where it takes values
from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from role_tasks import FILES, ROLE, load, names, tasks, templates, texts

INCLUDES = {"include_tasks": 1, "import_tasks": 0}
# What the role hands to users.
PUBLISHED = frozenset({"emqx_firewall_rules"})
# What a playbook of the role fixes for its own run.
FIXED = frozenset({"emqx_plan_only"})


def included(path: Path) -> dict[str, int]:
    """Return the files that a file includes; of a name that is made up, all that fit. With each
    stands how much deeper it is: an import is put in its place before anything runs."""
    found: dict[str, int] = {}
    for task in tasks(load(path)):
        for keyword, deeper in INCLUDES.items():
            given = task.get(f"ansible.builtin.{keyword}")
            if given is None:
                continue
            name = str(given["file"] if isinstance(given, dict) else given)
            own = name.replace("{{ __emqx_file }}", "firewall_*.yml")
            pattern = re.sub(r"\{\{.*?\}\}", "*", own)
            fitting = {file.name for file in (ROLE / "tasks").glob(pattern)}
            assert fitting, f"{path.name} includes {name}, which is not there"
            found.update(dict.fromkeys(fitting, deeper))
    return found


def depth(name: str, above: tuple[str, ...] = ()) -> int:
    """Return how deep a file includes others, itself not counted."""
    assert name not in above, f"{name} includes itself"
    lower = included(ROLE / "tasks" / name).items()
    return max((deeper + depth(file, (*above, name)) for file, deeper in lower), default=0)


def test_there_are_few_files_with_plain_names() -> None:
    assert 30 < len(FILES) <= 40
    assert [path.name for path in FILES if not re.fullmatch(r"[a-z_.]+\.yml", path.name)] == []


def test_every_file_is_included_or_an_entry_point() -> None:
    entries = {"main.yml", "plan.yml", "preflight.yml", "doctor.yml", "status.yml"}
    entries |= {f"{name}.yml" for name in ("add", "remove", "replace", "rename", "rotate")}
    used = {name for path in FILES for name in included(path)}
    assert {path.name for path in FILES} == entries | used


def test_includes_are_shallow() -> None:
    assert {path.name: depth(path.name) for path in FILES if depth(path.name) > 3} == {}


def test_variables_of_the_role_are_few() -> None:
    for path in sorted((ROLE / "vars").rglob("*")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80, path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_tasks_take_settings_from_the_plan_alone(path: Path) -> None:
    """A variable may be a text, of which "false" is true; the plan has it as its type."""
    used = {name for text in templates(path) for name in names(text)}
    assert {name for name in used if name.startswith("emqx_")} - PUBLISHED == set()
    assert "hostvars" not in used


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_fact_shadows_a_variable_of_a_user(path: Path) -> None:
    options = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    set_here: set[str] = set()
    for task in tasks(load(path)):
        facts = dict(task.get("ansible.builtin.set_fact") or {})
        own = dict(task.get("vars") or {})
        for name, value in {**facts, **own}.items():
            inside = {used for text in texts(value) if "{{" in text for used in names(text)}
            assert name not in inside, f"{name} is made of itself"
        set_here |= {*facts, *own} | {task.get("register", "")}
    assert set_here & set(options) <= FIXED


def test_names_in_tasks_are_found() -> None:
    """The search above sees conditions, loops and nested values."""
    used = {name for path in FILES for text in templates(path) for name in names(text)}
    assert {"__emqx_host", "__emqx_plan", "inventory_hostname", "ansible_check_mode"} <= used
