# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""docs/findings.md has every finding that the collection makes."""

from __future__ import annotations

import ast

import findings_page


def test_the_page_is_what_the_source_has() -> None:
    assert findings_page.PAGE.read_text(encoding="utf-8") == findings_page.page(), (
        "make readme writes it"
    )


def test_a_finding_is_read_in_each_way_that_it_is_made() -> None:
    source = """
LIMIT = 9
def _bad(code, expected, host):
    return Finding(code, expected, "none", "mend it", (host,), "emqx_port")
a = Finding("one", f"at most {LIMIT} of {what}", "10", "less", subject="emqx_many")
b = Finding(code="two", expected="x", found="y", remedy=remedies[0])
c = _bad("three", "a port", "n1")
"""
    found = list(findings_page._rows(ast.parse(source), {"LIMIT": "9"}))
    assert found == [
        ("one", "emqx_many", "at most 9 of …", "less"),
        ("two", "", "x", "…"),
        ("three", "", "a port", "…"),
    ]
