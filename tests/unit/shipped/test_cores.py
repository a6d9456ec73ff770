# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""How a run on another ansible-core is judged."""

from __future__ import annotations

from pathlib import Path

import cores
import pytest
import yaml

RECAP = """
PLAY RECAP *********************************************************************
n1                         : ok=12   changed=0    unreachable=0    failed=0
n2                         : ok=12   changed={changed}    unreachable=0    failed=0
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("TASK [x] ****\nok: [n1]\n", []),
        ("[WARNING]: Something\n\nTASK [x]\n", ["[WARNING]: Something"]),
        (
            "[DEPRECATION WARNING]: Goes in 2.24.\nOrigin: x.yml:3:5\n\n",
            ["[DEPRECATION WARNING]: Goes in 2.24.\nOrigin: x.yml:3:5"],
        ),
        ("\x1b[1;35m[WARNING]: Coloured\x1b[0m\n", ["[WARNING]: Coloured"]),
        ("[WARNING]: Collection ansible.posix does not support Ansible version\n2.21.5\n", []),
        (
            "[WARNING]: Collection mqttops.emqx does not support Ansible version 2.21.5\n",
            ["[WARNING]: Collection mqttops.emqx does not support Ansible version 2.21.5"],
        ),
        (
            "[WARNING]: Odd\nmore of it\nchanged: [n2]\n",
            ["[WARNING]: Odd\nmore of it"],
        ),
        ("[WARNING]: Odd\nTASK [a : b] ***\n", ["[WARNING]: Odd"]),
        ("[WARNING]: one\n[WARNING]: two\n", ["[WARNING]: one", "[WARNING]: two"]),
        ('    "msg": "[WARNING] in a value"\n', []),
    ],
)
def test_warnings_are_found(output: str, expected: list[str]) -> None:
    assert cores.warnings(output) == expected


@pytest.mark.parametrize(("number", "expected"), [(0, False), (3, True), (10, True)])
def test_changes_are_read_from_the_recap(number: int, expected: bool) -> None:
    assert cores.changed(RECAP.format(changed=number)) is expected


def test_the_oldest_python_that_will_do_is_taken() -> None:
    pythons = {Path("a"): (3, 13), Path("b"): (3, 11), Path("c"): (3, 12), Path("d"): None}
    assert cores.choose(pythons, (3, 12)) == Path("c")
    assert cores.choose(pythons, (3, 14)) is None


def test_the_versions_are_those_that_the_collection_promises() -> None:
    runtime = yaml.safe_load((cores.ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    least = min(name for name in cores.PYTHONS if name != "devel")
    assert runtime["requires_ansible"] == f">={least}.0"
    assert f"ansible-core {least} or newer" in (cores.ROOT / "README.md").read_text("utf-8")
