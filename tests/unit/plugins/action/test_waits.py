# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The actions of modules that wait: what they run, and what they say meanwhile."""

from __future__ import annotations

import typing as t
from types import ModuleType
from unittest import mock

import pytest
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mqttops.emqx.plugins.action import (
    cluster_gate,
    cluster_member,
    cluster_wait,
    node_evacuation,
)
from ansible_collections.mqttops.emqx.tests.unit.documented import documented

LATE = {"failed": True, "failure": {"code": "timeout"}, "reason": "n3 is missing"}


def run(
    plugin: ModuleType, monkeypatch: pytest.MonkeyPatch, answers: list[t.Any], **args: t.Any
) -> tuple[dict[str, t.Any], list[dict[str, t.Any]], list[str]]:
    """Return the result, the arguments of each run of the module, and what was said."""
    asked: list[dict[str, t.Any]] = []
    said: list[str] = []

    def execute(**options: t.Any) -> t.Any:
        asked.append(options.get("module_args", args))
        return answers[min(len(asked), len(answers)) - 1]

    monkeypatch.setattr(ActionBase, "run", lambda *_args, **_options: {})
    monkeypatch.setattr(Display, "display", lambda _self, text, *_more: said.append(text))
    action = plugin.ActionModule(
        task=mock.Mock(args=args),
        connection=mock.Mock(),
        play_context=mock.Mock(),
        loader=mock.Mock(),
        templar=mock.Mock(),
        shared_loader_obj=None,
    )
    action._execute_module = execute
    return action.run(task_vars={"inventory_hostname": "n1"}), asked, said


@pytest.mark.parametrize("plugin", [cluster_wait, cluster_gate, node_evacuation])
def test_what_is_there_is_looked_at_once(
    plugin: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, asked, said = run(plugin, monkeypatch, [{"reached": True}], members=["x"])
    assert (result, said) == ({"reached": True}, [])
    assert asked == [{"members": ["x"], "timeout": 12}]


def test_a_wait_says_where_and_what_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [LATE, {"reached": True}]
    _result, _asked, said = run(cluster_wait, monkeypatch, answers, timeout="300")
    assert said == ["waiting: [n1]: n3 is missing (for up to 300 s more)"]


@pytest.mark.parametrize(
    ("plugin", "module"),
    [
        (cluster_wait, "cluster_wait"),
        (cluster_gate, "cluster_gate"),
        (node_evacuation, "node_evacuation"),
    ],
)
def test_the_time_is_that_of_the_module(plugin: ModuleType, module: str) -> None:
    options = documented(module)["DOCUMENTATION"]["options"]
    assert plugin.ActionModule.default_timeout == options["timeout"]["default"]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"seed": "emqx@a"}, "the node joins emqx@a"),
        ({"state": "left"}, "the node leaves its cluster"),
        ({"state": "evicted", "node": "emqx@b"}, "emqx@b is removed from the cluster"),
    ],
)
def test_a_join_is_run_once_and_told_of(
    args: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, asked, said = run(cluster_member, monkeypatch, [{"changed": True}], **args)
    assert (result, asked, said) == ({"changed": True}, [args], [])
    assert cluster_member.what(args) == text
