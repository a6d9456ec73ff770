# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A node that never clusters (EMQX 5.8 and newer)."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies.base import (
    Findings,
    Strategy,
)


def _check(nodes: t.Sequence[Node], _settings: Settings) -> Findings:
    if len(nodes) > 1:
        yield Finding(
            "singleton_with_peers",
            "a strategy that lets nodes join",
            f"singleton with {len(nodes)} nodes",
            "set it to static or manual",
            subject="emqx_discovery_strategy",
        )


STRATEGY = Strategy("singleton", finds_peers=False, check=_check)
