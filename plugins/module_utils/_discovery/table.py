# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The discovery strategies that have something to ask, by their names in EMQX."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import (
    base,
    dns,
    etcd,
    k8s,
    static,
)

STRATEGIES: dict[str, base.Strategy] = {"static": static, "dns": dns, "etcd": etcd, "k8s": k8s}


def phrases(reason: str) -> base.Phrases:
    """Return the texts of a reason or failure of any strategy."""
    tables = [table for each in STRATEGIES.values() for table in (each.REASONS, each.FAILURES)]
    return next(table for table in (base.COMMON_REASONS, *tables) if reason in table)[reason]
