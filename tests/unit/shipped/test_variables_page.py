# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""docs/variables.md has every variable of the roles."""

from __future__ import annotations

import variables_page


def test_the_page_is_what_the_argument_specs_have() -> None:
    assert variables_page.PAGE.read_text(encoding="utf-8") == variables_page.page(), (
        "make readme writes it"
    )


def test_each_variable_stands_there_once() -> None:
    shown = [name for _heading, variables in variables_page.sections() for name in variables]
    assert len(shown) == len(set(shown))
    roles = ("emqx", *variables_page.OTHER_ROLES)
    assert set(shown) == {name for role in roles for name in variables_page.options(role)}


def test_the_marks_of_ansible_become_those_of_markdown() -> None:
    text = variables_page._text(["Makes O(emqx_a) V(b|c).", "See P(mqttops.emqx.d#role)."])
    assert text == "Makes `emqx_a` `b|c`. See `mqttops.emqx.d`."
