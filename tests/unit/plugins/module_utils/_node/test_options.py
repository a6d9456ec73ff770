# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import subprocess

from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import end_input


def started(*argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_command_that_is_gone_takes_no_answer_with_it() -> None:
    with started("echo", "its answer") as process:
        process.wait(timeout=10)
        end_input(process)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.stdout is not None
        assert process.stdout.read() == b"its answer\n"


def test_a_command_finds_the_end_of_its_input() -> None:
    with started("cat") as process:
        end_input(process)
        assert process.wait(timeout=10) == 0
