# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.census import view_of
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.rotation import rotation


def rotation_plan(
    states: dict[str, t.Any], answers: dict[str, t.Any], consent: bool
) -> dict[str, t.Any]:
    """Return in which steps certificates are replaced; see rotation_plan.yml."""
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    seen = {
        host: {**state, "view": view_of(answers.get(host, {}))} for host, state in states.items()
    }
    return rotation(seen, consent, now)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rotation_plan": rotation_plan}
