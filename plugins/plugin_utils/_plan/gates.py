# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the modules at a gate are asked, before and after a node of a running cluster goes down."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import feature
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import release


def evacuates(settings: Settings) -> bool:
    """Tell whether a node hands over its clients before it goes down."""
    edition = release.edition(settings)
    return settings.evacuate and feature("evacuation", settings.version, edition)


def evacuation(settings: Settings) -> Json:
    """Return the options of node_evacuation."""
    return {
        "rate": settings.evacuate_rate,
        "wait_health_check": settings.evacuate_health_check,
        "wait_takeover": settings.evacuate_takeover,
        "redirect_to": list(settings.evacuate_redirect_to),
        "timeout": settings.evacuate_timeout,
    }
