# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The documentation of modules that hosts get; it lies beside them, so that no host gets it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

MODULES = Path(__file__).parents[2] / "plugins/modules"


def documented(module: str) -> dict[str, t.Any]:
    """Return what ansible-doc reads of a module: DOCUMENTATION, EXAMPLES (a text) and RETURN."""
    text = (MODULES / f"{module}.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))
