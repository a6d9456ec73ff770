# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Findings as the actions of the supporting roles return them."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json


def reported(findings: t.Iterable[Finding]) -> Json:
    """Return ``errors``, a sentence for each error, and ``findings``, all in their JSON form."""
    listed = list(findings)
    return {
        "errors": [finding.sentence() for finding in listed if is_error(finding)],
        "findings": [finding.as_dict() for finding in listed],
    }
