# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Nodes find nobody by themselves: the role joins them."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies.base import (
    Strategy,
)

STRATEGY = Strategy("manual", finds_peers=False, joins=True)
