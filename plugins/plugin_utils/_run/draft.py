# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The plan of a run as a record."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Cluster
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    drain,
    members,
    outage,
    recovery,
    restart,
    rotation,
    start_order,
    transfer,
    upgrade,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import HostPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.upgrade import Ways

Verb = t.Union[outage.Stop, drain.Drain, recovery.Recovery, upgrade.Upgrade, transfer.Transfer]

# The fields of a Deployment that hold one.
VERBS = ("stop", "drain", "recovery", "transfer", "upgrade")

# What has still to be asked before anything is changed.
VIEW, SURVEY = "view", "survey"


@dataclass(frozen=True)
class Deployment:
    """The plan of a run.

    ``look`` is what has still to be asked before anything may be changed: ``view``, ``survey`` or
    "" for nothing; ``again`` whether it is worth a second look.
    ``foreseen`` is what the diagnosis says in check mode, where what is to mend it was not done.
    """

    cluster: Cluster
    hosts: t.Mapping[str, HostPlan]
    findings: tuple[Finding, ...]
    restarts: restart.Restarts
    order: start_order.StartOrder
    stale: t.Mapping[str, tuple[str, ...]]
    change: members.MembersChange | None = None
    rotation: rotation.Rotation | None = None
    stop: outage.Stop | None = None
    drain: drain.Drain | None = None
    recovery: recovery.Recovery | None = None
    upgrade: upgrade.Upgrade | None = None
    transfer: transfer.Transfer | None = None
    ways: Ways = field(default_factory=dict)
    look: str = ""
    again: bool = False
    foreseen: tuple[Finding, ...] = ()

    @property
    def verb(self) -> Verb | None:
        """Return the plan of a run that has one of its own."""
        return next(filter(None, (getattr(self, name) for name in VERBS)), None)

    @property
    def passed(self) -> bool:
        return not any(map(is_error, self.findings))
