# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the end of ``make test`` says of its failures."""

from __future__ import annotations

import recap

PLAYBOOK = """\
== scenario ufw
  │ \x1b[31m[ERROR]: Task failed: no route\x1b[0m
  │ to host
== scenario dns
  │ all is well
\x1b[31mmake[1]: *** [Makefile:1: scenario-dns] Error 2\x1b[0m
"""
TESTS = """\
== scenario tls
  │ E   assert 2 == 0
  │ FAILED tests/test_tls.py::test_renewal - assert 2 == 0
make[1]: *** [Makefile:1: scenario-tls] Error 1
"""


def test_each_failed_target_has_its_reason() -> None:
    said = recap.failures(
        "FATAL: it does not have pip available\nmake[1]: *** [Makefile:1: sanity] Error 1\n" + TESTS
    )
    assert said == [
        "make[1]: *** [Makefile:1: sanity] Error 1",
        "make[1]: *** [Makefile:1: scenario-tls] Error 1",
        "    FAILED tests/test_tls.py::test_renewal - assert 2 == 0",
    ]


def test_an_error_of_another_scenario_is_not_taken_for_it() -> None:
    assert recap.failures(PLAYBOOK) == ["make[1]: *** [Makefile:1: scenario-dns] Error 2"]


def test_an_error_of_ansible_is_one_line() -> None:
    lines = ["[ERROR]: Task failed: no route", "to host", "x" * 2000]
    (reason,) = recap.reasons(lines)
    assert reason.startswith("[ERROR]: Task failed: no route to host x")
    assert len(reason) == recap.CHARACTERS_OF_A_REASON
