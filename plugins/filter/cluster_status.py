# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Filter cluster_status: the state of a cluster for people and programs."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificate_health import health
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import status


def cluster_status(
    nodes: dict[str, t.Any], answers: dict[str, t.Any], renew_days: int = 30
) -> dict[str, t.Any]:
    """Return how a cluster is; see cluster_status.yml."""
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    found = {host: answers.get(host, {}).get("tls") or {} for host in nodes}
    addresses = {host: node["host"] for host, node in nodes.items()}
    return status(nodes, answers, health(found, addresses, now, renew_days))


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"cluster_status": cluster_status}
