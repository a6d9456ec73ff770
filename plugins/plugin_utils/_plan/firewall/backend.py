# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a firewall back end has to offer: each is a file of this folder, and a line in plan.py."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    ManagedFile,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import Rule

Item = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Desired:
    """The rules that a host is to have, none where another back end keeps them.

    ``zones`` are those of emqx_firewall_zones; ``container_subnet`` is that of a node in a
    container on a network of its own, else "".
    """

    host: str
    rules: tuple[Rule, ...] = ()
    zones: Texts = ()
    container_subnet: str = ""

    @property
    def sources(self) -> Texts:
        """All addresses and networks that are let in."""
        return tuple(dict.fromkeys(source for rule in self.rules for source in rule.sources))


@dataclass(frozen=True)
class Changes:
    """What a back end has to change on a host.

    ``add`` and ``remove`` are rules in the form that its task file takes, in this order. One that
    keeps them in ``files`` has to ``load`` them where these, or what is loaded, differ
    (``revision`` is the mark of what is to be loaded), and to ``unload`` them where it is no
    longer the back end.
    """

    add: tuple[Item, ...] = ()
    remove: tuple[Item, ...] = ()
    files: tuple[ManagedFile, ...] = ()
    revision: str = ""
    load: bool = False
    unload: bool = False

    @property
    def todo(self) -> bool:
        return bool(self.add or self.remove or self.load or self.unload)


class Backend(t.Protocol):
    """A module of this folder.

    ``TASKS`` is the task file of the role that carries out its changes; ``WATCHED`` are the files
    whose state has to be read; ``UNIT`` loads its rules at boot, "" where it needs none.
    ``MANAGER`` tells whether it is a service of the host, which has to be at work before it is
    used; ``GUARDS_PUBLISHED`` whether its rules also hold for ports that a container publishes.
    """

    NAME: str
    TASKS: str
    UNIT: str
    WATCHED: Texts
    MANAGER: bool
    GUARDS_PUBLISHED: bool

    def at_work(self, host: HostState) -> bool:
        """Tell whether "auto" takes it on this host, unless another one before it is."""

    def changes(self, desired: Desired, host: HostState) -> Changes:
        """Return what has to change; without rules, all of ours are removed."""

    def opens(self, changes: Changes, host: HostState) -> bool:
        """Tell whether the changes let members in whom the host keeps out now."""

    def findings(self, desired: Desired, host: HostState) -> t.Iterator[Finding]:
        """Yield what is wrong where it is the back end."""
