# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Filter newcomers: who starts last where discovery brings nodes together."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.census import newcomers


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"newcomers": newcomers}
