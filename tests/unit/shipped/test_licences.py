# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which licence each kind of file has, as the community's rules for collections ask."""

from __future__ import annotations

import re

import pytest
import shipped

APACHE, GPL = "Apache-2.0", "GPL-3.0-or-later"
# Plugins that Ansible loads into its own process are derived from it.
LOADED_BY_ANSIBLE = ("action", "callback", "doc_fragments", "filter", "inventory", "lookup", "test")


def expected(name: str) -> str:
    folder = name.split("/")[1]
    if folder in LOADED_BY_ANSIBLE:
        return GPL
    return f"{APACHE} OR {GPL}" if folder == "modules" else APACHE


def headers(names: set[str]) -> dict[str, str]:
    """Return what the first lines of each file say of its licence."""
    found = {}
    for name in names:
        head = (shipped.ROOT / name).read_text(encoding="utf-8").splitlines()[:6]
        match = re.search(r"^# SPDX-License-Identifier: (.+)$", "\n".join(head), re.M)
        found[name] = match[1] if match else ""
    return found


@pytest.mark.parametrize("folder", sorted(p.name for p in (shipped.ROOT / "plugins").iterdir()))
def test_each_plugin_names_the_licence_of_its_kind(folder: str) -> None:
    names = {
        name for name in shipped.tracked(f"plugins/{folder}") if name.endswith((".py", ".yml"))
    }
    assert headers(names) == {name: expected(name) for name in names}


def test_all_other_python_is_under_the_collections_licence() -> None:
    names = {name for name in shipped.tracked("tests", "docs") if name.endswith(".py")}
    assert headers(names) == {name: APACHE for name in names}


def test_the_texts_of_all_licences_are_there() -> None:
    assert "Apache License" in (shipped.ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in (shipped.ROOT / f"LICENSES/{GPL}.txt").read_text(
        encoding="utf-8"
    )
