# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is saved of a node before it is upgraded, and where."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Layout, Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings


def place(settings: Settings, layout: Layout) -> str:
    """Return the directory on the host that the copy of a node is in."""
    return f"{settings.upgrade_dir}/{layout.service}"


def trees(layout: Layout) -> Texts:
    """Return the directories that are saved."""
    return (layout.etc, layout.data)
