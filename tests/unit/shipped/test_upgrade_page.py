# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""docs/upgrade.md shows the support matrix that upgrades are judged by."""

from __future__ import annotations

import upgrade_tables


def test_the_tables_are_those_of_the_matrix() -> None:
    text = upgrade_tables.PAGE.read_text(encoding="utf-8")
    assert upgrade_tables.filled(text) == text, "make readme writes them"


def test_the_matrix_shows_what_is_refused_and_what_is_lost() -> None:
    assert upgrade_tables.cell("5.8", "5.10") == "yes"
    assert upgrade_tables.cell("5.3", "5.10") == "no (2)"
    assert upgrade_tables.cell("5.10", "6.0") == "yes (7)"
