# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils import _errors


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (_errors.EmqxError("no", a=1), {"code": "error", "details": {"a": 1}}),
        (_errors.InputError("no"), {"code": "input", "details": {}}),
        (_errors.ParseError("no", stdout="x"), {"code": "parse", "details": {"stdout": "x"}}),
        (_errors.RefusedError("no", seen=[]), {"code": "refused", "details": {"seen": []}}),
        (_errors.WaitTimeout("no", last="s"), {"code": "timeout", "details": {"last": "s"}}),
        (
            _errors.CommandError("no", ("emqx", "ping"), 1, "o", "e"),
            {
                "code": "command",
                "details": {"argv": ["emqx", "ping"], "rc": 1, "stdout": "o", "stderr": "e"},
            },
        ),
    ],
)
def test_message_and_failure(error: _errors.EmqxError, failure: dict[str, object]) -> None:
    assert isinstance(error, _errors.EmqxError)
    assert str(error) == error.message == "no"
    assert error.as_failure() == failure


def test_timeout_carries_the_last_state() -> None:
    assert _errors.WaitTimeout("late", last={"a": 1}).last == {"a": 1}
