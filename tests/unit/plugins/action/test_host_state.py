# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the action host_state makes of the answers of a host."""

from __future__ import annotations

import typing as t
from unittest import mock

import pytest

from ansible_collections.mqttops.emqx.plugins.action import host_state


def run(answer: t.Mapping[str, t.Any], **arguments: t.Any) -> dict[str, t.Any]:
    task = mock.Mock(args=arguments, async_val=0, check_mode=False, diff=False)
    mocks = {name: mock.Mock() for name in ("connection", "play_context", "loader")}
    templar = mock.Mock(template=lambda value: value)
    action = host_state.ActionModule(task=task, shared_loader_obj=None, templar=templar, **mocks)
    action._execute_module = lambda **_asked: dict(answer)
    return dict(action.run(task_vars={"inventory_hostname": "n1", "inventory_dir": "/tmp"}))


@pytest.mark.parametrize("parts", [["host"], ["host", "view"]])
def test_a_module_that_ends_in_an_error_says_why(parts: list[str]) -> None:
    # As ansible-core hands it to action plugins: without a message beside.
    error = mock.Mock(event=mock.Mock(msg="no attribute"))
    found = run({"failed": True, "exception": error}, parts=parts)
    assert found["host"] == {"unreachable": "Reading the host failed: no attribute"}
    assert "failed" not in found


def test_a_message_of_the_module_is_kept() -> None:
    found = run({"failed": True, "msg": "no systemd", "exception": mock.Mock()}, parts=["view"])
    assert found["survey"]["msg"] == "no systemd"
