# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""README.md names every playbook, role, module and filter that there is, and nothing else."""

from __future__ import annotations

import re

import pytest
import readme_tables


def test_the_tables_are_those_of_the_tree() -> None:
    text = readme_tables.README.read_text(encoding="utf-8")
    assert readme_tables.filled(text) == text, "make readme writes them"


@pytest.mark.parametrize("kind", readme_tables.TABLES)
def test_each_table_names_all_of_its_kind(kind: str) -> None:
    pattern = readme_tables.TABLES[kind][0]
    names = {path.stem for path in readme_tables.ROOT.glob(pattern)}
    text = readme_tables.README.read_text(encoding="utf-8")
    between = text.split(f"<!-- {kind}s -->")[1].split(f"<!-- end of {kind}s -->")[0]
    found = {name.split(".")[-1] for name in re.findall(r"^\| `([\w.]+)` \|", between, re.M)}
    assert found == names


def test_nothing_in_a_table_is_without_a_description() -> None:
    text = readme_tables.README.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    assert all(re.fullmatch(r"\| `[^`]+` \| .*\S.* \|", row) for row in rows)
