# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Filters for what a cluster needs in Kubernetes."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import manifests


def kubernetes_plan(
    nodes: t.Mapping[str, t.Mapping[str, t.Any]], wish: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return manifests, and what is wrong with the wish; see ``kubernetes_plan.yml``."""
    return manifests.plan(nodes.values(), wish)


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"kubernetes_plan": kubernetes_plan}
