# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Filter discovery_findings: what the hosts discover, and the causes put together."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.matching import (
    before_start,
    conclude,
)


def discovery_findings(answers: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, list[str]]:
    """Return ``seen``, ``causes`` and ``before_start``; see ``discovery_findings.yml``."""
    # A strategy that nothing can be asked for is a skipped task.
    asked = {host: answer for host, answer in answers.items() if not answer.get("skipped")}
    if not asked:
        return {"seen": [], "causes": [], "before_start": []}
    reports = {host: answer.get("discovery", answer) for host, answer in asked.items()}
    return {**conclude(reports), "before_start": before_start(reports)}


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"discovery_findings": discovery_findings}
