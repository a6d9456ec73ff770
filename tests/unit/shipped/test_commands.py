# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the pages tell people to run and to write is there: playbooks, variables, values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import variables_page
import yaml

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import render
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reading import (
    PREFIX,
    read,
    unknown_variables,
)

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
# Of the playbooks, not of the roles.
OTHERS = {"emqx_cluster_group", "etcd_group", "bind_group"}
ROLES = ("emqx", *variables_page.OTHER_ROLES)
VARIABLES = {name for role in ROLES for name in variables_page.options(role)} | OTHERS
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_the_playbooks_and_variables_of_commands_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    run = set(re.findall(r"ansible-playbook mqttops\.emqx\.([a-z_]+)", text))
    assert run <= PLAYBOOKS
    given = set(re.findall(r"-e ((?:emqx|bind|etcd|kubernetes|certificates)_\w+)=", text))
    assert given <= VARIABLES


def examples() -> list[str]:
    text = (ROOT / "docs/howto.md").read_text(encoding="utf-8")
    return re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", examples())
def test_what_is_to_be_written_is_taken(example: str) -> None:
    given = yaml.safe_load(example)
    assert unknown_variables(given, "n1") == []
    found = read(given, "n1", "/inventory")
    assert list(found.findings) == []
    for name, value in given.items():
        kept = getattr(found.settings, name[len(PREFIX) :])
        assert kept == (tuple(value) if isinstance(value, list) else value)
    assert render(dict(given.get("emqx_config", {}))).count("=") >= len(
        given.get("emqx_config", {})
    )
