# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.census import (
    common_sight,
    view_of,
)

DOWN = {"emqx": {"state": "down", "installed": True, "reason": "not responding to pings"}}
GONE = {"unreachable": True, "msg": "Connection timed out"}


def ready(*names: str) -> dict[str, t.Any]:
    return {"emqx": {"state": "ready", "running_nodes": list(names), "stopped_nodes": []}}


def test_common_sight_is_that_of_most() -> None:
    views = [
        view_of(answer) for answer in (ready("a"), ready("c", "b"), ready("b", "c"), DOWN, GONE)
    ]
    assert common_sight(views) == (("b", "c"), ())
    assert common_sight([view_of(DOWN)]) == ((), ())


def test_a_host_without_an_answer_has_a_view_that_says_why() -> None:
    assert view_of(GONE)["state"] == "unreachable"
    assert view_of({"failed": True, "msg": "emqx hangs"}) == {
        "state": "unknown",
        "installed": None,
        "reason": "emqx hangs",
    }
