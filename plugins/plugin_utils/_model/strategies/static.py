# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by a list of seeds in each node's own configuration, which a deployment writes."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies.base import (
    Strategy,
)


def _config(_settings: Settings, seeds: t.Sequence[str], _layout: Layout | None) -> Tree:
    return {"static": {"seeds": list(seeds)}}


STRATEGY = Strategy(
    "static",
    variables={"cluster.static.seeds": "emqx_cluster_hosts"},
    mended=True,
    config=_config,
)
