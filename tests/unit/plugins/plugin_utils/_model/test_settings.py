# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import checks_values, reading
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import (
    Keys,
    Numbers,
    Settings,
    Texts,
)

ROLE = Path(__file__).parents[5] / "roles" / "emqx"
SPECS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
ENTRY_POINTS = SPECS["argument_specs"]
OPTIONS: dict[str, dict[str, t.Any]] = {
    name.partition("_")[2]: option
    for entry_point in ENTRY_POINTS.values()
    for name, option in entry_point["options"].items()
}
FIELDS = {field.name: field for field in dataclasses.fields(Settings)}
TYPES = t.get_type_hints(Settings)
ANNOTATIONS = {
    ("str", None): str,
    ("path", None): str,
    ("bool", None): bool,
    ("int", None): int,
    ("dict", None): Keys,
    ("list", "str"): Texts,
    ("list", "int"): Numbers,
    ("raw", None): Texts,
}


def test_all_variables_have_the_prefix() -> None:
    names = {name for entry in ENTRY_POINTS.values() for name in entry["options"]}
    assert names == {f"emqx_{name}" for name in OPTIONS}


def test_settings_have_a_field_for_each_variable_of_the_specs() -> None:
    assert set(FIELDS) == set(OPTIONS)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_field_has_the_type_and_the_default_of_its_variable(name: str) -> None:
    option = OPTIONS[name]
    assert TYPES[name] == ANNOTATIONS[option["type"], option.get("elements")]
    given = getattr(Settings(), name)
    plain = list(given) if isinstance(given, tuple) else given
    if "default" in option:
        assert plain == option["default"]
    else:
        assert not plain
    assert type(plain) is type(option.get("default", plain))


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_specs_list_the_choices_that_are_checked(name: str) -> None:
    assert list(checks_values.CHOICES.get(name, ())) == OPTIONS[name].get("choices", [])


def test_rules_are_for_variables_that_exist() -> None:
    tables = (checks_values.CHOICES, checks_values.RANGES, checks_values.RULES)
    assert {name for table in tables for name in table} <= set(FIELDS)


def test_the_defaults_pass_all_checks() -> None:
    defaults = {
        f"emqx_{name}": option["default"] for name, option in OPTIONS.items() if "default" in option
    }
    assert reading.read(defaults, "n1", "/inventory") == reading.read({}, "n1", "/inventory")
    assert reading.read(defaults, "n1", "/inventory").findings == ()


def test_the_files_of_defaults_stand_on_their_own() -> None:
    for path in (ROLE / "defaults" / "main").glob("*.yml"):
        assert "__emqx" not in path.read_text(encoding="utf-8"), path.name
