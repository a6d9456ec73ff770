# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Views of three nodes, told by the hosts that they list."""

from __future__ import annotations

import typing as t

from model_builders import view

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView

NAMES = {f"n{i}": f"emqx@10.0.0.{i}" for i in (1, 2, 3)}


def node(host: str, *others: str, stopped: t.Sequence[str] = (), **more: t.Any) -> NodeView:
    """Return the view of a ready node that lists these others."""
    running = (NAMES.get(other, other) for other in others)
    down = (NAMES.get(other, other) for other in stopped)
    return view(NAMES.get(host, host), *running, stopped=down, **more)


def data(users: int) -> dict[str, int]:
    return {"dashboard_users": users, "retained_messages": 2}
