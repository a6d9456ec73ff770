# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge import diagnose as _diagnose
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificate_health

Record = t.Mapping[str, t.Any]


def diagnose(
    nodes: t.Mapping[str, Record],
    evidence: t.Mapping[str, Record],
    begin: float | None = None,
    end: float | None = None,
    to_build: bool = False,
) -> dict[str, t.Any]:
    """Name what is wrong with a cluster; see diagnose.yml."""
    window = None if begin is None or end is None else (float(begin), float(end))
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    judged = {
        host: {**answers, "certificates": _judged(answers, nodes[host]["host"], now)}
        for host, answers in evidence.items()
        if host in nodes and any(answers.values())
    }
    return _diagnose.diagnose(nodes, judged, window, to_build)


def _judged(answers: Record, host: str, now: dt.datetime) -> dict[str, t.Any]:
    found = (answers.get("found") or {}).get("evidence") or {}
    return certificate_health.review(found.get("certificates") or (), host, now)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"diagnose": diagnose}
