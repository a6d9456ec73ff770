# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The discovery strategies by their names in EMQX."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import (
    dns,
    etcd,
    k8s,
    manual,
    singleton,
    static,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies.base import (
    Strategy,
)

STRATEGIES: dict[str, Strategy] = {
    module.STRATEGY.name: module.STRATEGY for module in (manual, singleton, static, dns, etcd, k8s)
}


def of(name: str) -> Strategy:
    """Return a strategy; one that this collection does not configure (mcast of EMQX before 5.4), or
    that there is none of, which is a finding of its own, says nothing of itself."""
    return STRATEGIES.get(name, Strategy(name))


def variables() -> dict[str, str]:
    """Return the keys of emqx.conf that strategies have, and the variable that decides each."""
    return {key: name for each in STRATEGIES.values() for key, name in each.variables.items()}
