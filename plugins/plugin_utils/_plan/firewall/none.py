# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""No firewall on the host: the rules are given as data, for the security groups of a cloud."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState, Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Changes,
    Desired,
)

NAME: str = "none"
TASKS: str = "firewall_none.yml"
UNIT: str = ""
WATCHED: Texts = ()
MANAGER: bool = False
# What is published is for others to guard, too.
GUARDS_PUBLISHED: bool = True


def at_work(host: HostState) -> bool:
    return False


def changes(desired: Desired, host: HostState) -> Changes:
    """Return all rules, which every run shows."""
    return Changes(add=tuple(rule.as_dict() for rule in desired.rules))


def opens(changes: Changes, host: HostState) -> bool:
    return False


def findings(desired: Desired, host: HostState) -> t.Iterator[Finding]:
    yield from ()
