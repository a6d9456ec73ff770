# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What shall change of a cluster's members, next to what was observed of all nodes."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import (
    UNASKED,
    SeedChoice,
    Views,
    seed_choice,
)

Databases = t.Mapping[str, t.Sequence[str]]


@dataclass(frozen=True)
class DesiredChange:
    """What shall change.

    ``names`` are those of all members to be, by host, and ``removed`` those of nodes that go, in
    order; a removed node without a host has its name for both. ``replicants`` names those of both
    that are no cores as the inventory has it; ``unknown`` is what the user named and nobody knows.
    ``may_join`` are the hosts that may become members, None for all.
    """

    names: t.Mapping[str, str]
    cores: Texts
    removed: t.Mapping[str, str] = field(default_factory=dict)
    replicants: t.Collection[str] = ()
    unknown: Texts = ()
    may_join: Texts | None = None
    rename: str = ""
    old_name: str = ""
    consent: t.Collection[str] = ()
    min_cores: int = 1
    evict_running: bool = False
    replaces: bool = False
    wipe_data: bool = False


@dataclass(frozen=True)
class Scene:
    """A change and all that was found, for the plan and its checks.

    ``views`` has one for each host; ``old_name`` is the name that the node to be renamed had, ""
    where none is or it has its new name already.
    """

    desired: DesiredChange
    views: Views
    databases: Databases
    choice: SeedChoice
    old_name: str

    @functools.cached_property
    def survivors(self) -> list[str]:
        """The members that stay as they are and answer."""
        return [host for host in self.stay if self.views[host].is_ready]

    @functools.cached_property
    def cores(self) -> list[str]:
        """The survivors that can force-leave others, and be joined."""
        return [host for host in self.survivors if not self.is_replicant(host)]

    @functools.cached_property
    def stay(self) -> list[str]:
        """The members that stay as they are."""
        members = [host for host in self.desired.names if self._is_member(host)]
        return [host for host in members if host != self.desired.rename or not self.old_name]

    @functools.cached_property
    def new(self) -> list[str]:
        stay = set(self.stay)
        return [host for host in self.desired.names if host not in stay]

    @functools.cached_property
    def seen(self) -> frozenset[str]:
        """All members that the survivors list."""
        return frozenset(name for host in self.survivors for name in self.views[host].listed)

    @functools.cached_property
    def running(self) -> frozenset[str]:
        """All members that survivors see running."""
        return frozenset(name for host in self.survivors for name in self.views[host].running)

    def _is_member(self, host: str) -> bool:
        # No node remembers a replicant that is down: it counts as a member unless it may be new.
        named = self.desired.may_join is None or host in self.desired.may_join
        return host in self.choice.members or (self.is_replicant(host) and not named)

    def is_replicant(self, host: str) -> bool:
        """Tell what a host's node is, or is going to be where it does not run."""
        role = self.views[host].role
        name = self.desired.names.get(host) or self.desired.removed[host]
        return role == "replicant" if role else name in self.desired.replicants

    def can_stop(self, host: str) -> bool:
        """Tell whether a node may be there, on a host that can be reached."""
        view, has_host = self.views[host], self.desired.removed.get(host) != host
        return has_host and view.state != "unreachable" and view.installed is not False

    def has_old_database(self, host: str) -> bool:
        """Tell whether a new host that runs no node holds a database under the node's name."""
        name = self.desired.names[host]
        return self.views[host].state == "down" and name in self.databases.get(host, ())

    def name(self, host: str) -> str:
        """Return the name that a host's node has now, as far as that is known."""
        renamed = self.old_name if host == self.desired.rename else ""
        known = self.desired.removed.get(host) or self.desired.names.get(host, host)
        return renamed or self.views[host].node or known


def scene_of(desired: DesiredChange, views: Views, databases: Databases) -> Scene:
    names = {**desired.names, **desired.removed}
    known = {host: views.get(host, UNASKED) for host in names}
    old_name = ""
    if desired.rename in desired.names:
        new_name = desired.names[desired.rename]
        stored = [name for name in databases.get(desired.rename, ()) if name != new_name]
        candidates = [desired.old_name, known[desired.rename].node, *stored]
        old_name = next((name for name in candidates if name), "")
        old_name = "" if old_name == new_name else old_name
    now = {**names, **({desired.rename: old_name} if old_name else {})}
    return Scene(desired, known, databases, seed_choice(now, known, desired.consent), old_name)
