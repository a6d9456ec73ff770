# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What has to be done to the firewall of a host, by the back end that keeps its rules."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    HostState,
    ManagedFile,
    Node,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import (
    checks,
    firewalld,
    nftables,
    none,
    ufw,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.backend import (
    Backend,
    Changes,
    Desired,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall.rules import Rule, rules
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step

# In the order in which "auto" takes what is at work on a host.
BACKENDS: t.Mapping[str, Backend] = {
    firewalld.NAME: firewalld,
    ufw.NAME: ufw,
    nftables.NAME: nftables,
    none.NAME: none,
}
# Files whose state the plan needs in HostState.files.
WATCHED: Texts = tuple(path for back_end in BACKENDS.values() for path in back_end.WATCHED)


@dataclass(frozen=True)
class FirewallPlan:
    """What to do on a host: ``backend`` keeps ``rules``, all others lose them.

    ``changes`` has what each back end has to change, by name; ``tasks`` are the task files that do
    it, in order, none where nothing is to be done. ``unit`` is the systemd unit that loads the
    rules at boot, "" where none is needed. ``opens_ports`` tells whether members are let in whom
    the host keeps out now.
    """

    backend: str
    rules: tuple[Rule, ...]
    changes: t.Mapping[str, Changes]
    tasks: Texts
    unit: str
    opens_ports: bool

    @property
    def todo(self) -> bool:
        return bool(self.tasks)

    @property
    def changes_host(self) -> bool:
        """Whether anything is done on the host, other than to show rules."""
        return any(changes.todo for name, changes in self.changes.items() if name != none.NAME)

    @property
    def files(self) -> tuple[ManagedFile, ...]:
        """The files of the back end."""
        return self.changes[self.backend].files

    @property
    def revision(self) -> str:
        return self.changes[self.backend].revision

    @property
    def load(self) -> bool:
        return self.changes[self.backend].load

    @property
    def remove_nft(self) -> bool:
        """Whether a table of ours is to be unloaded, and its files removed."""
        return any(changes.unload for changes in self.changes.values())

    def as_dict(self) -> Json:
        """Return its form for the tasks: as the fields, the properties and, by the name of each
        back end, ``add`` and ``remove``."""
        return {
            "backend": self.backend,
            "rules": [rule.as_dict() for rule in self.rules],
            "files": [asdict(file) for file in self.files],
            "revision": self.revision,
            "load": self.load,
            "remove_nft": self.remove_nft,
            "todo": self.todo,
            "changes_host": self.changes_host,
            "tasks": list(self.tasks),
            "unit": self.unit,
            "opens_ports": self.opens_ports,
            **{
                name: {"add": list(changes.add), "remove": list(changes.remove)}
                for name, changes in self.changes.items()
            },
        }


def choose(chosen: str, host: HostState) -> Backend:
    """Return the back end of emqx_firewall_backend on a host."""
    if chosen in BACKENDS:
        return BACKENDS[chosen]
    return next(back_end for back_end in BACKENDS.values() if back_end.at_work(host))


def plan(cluster: Cluster, settings: Settings, node: Node, host: HostState) -> FirewallPlan:
    """Return what has to be done on the host of a node, for all nodes of its server.

    ``host`` is what was read of it, with the state of the files ``WATCHED``. What cannot be a
    source is left out: the findings name it and end the run.
    """
    chosen = choose(settings.firewall_backend, host)
    desired = _desired(cluster, settings, node)
    nothing = Desired(node.inventory_host)
    changes = {
        name: back_end.changes(desired if back_end is chosen else nothing, host)
        for name, back_end in BACKENDS.items()
    }
    # New rules come before those that go, so that no member is cut off meanwhile.
    order = sorted(BACKENDS, key=lambda name: BACKENDS[name] is not chosen)
    return FirewallPlan(
        backend=chosen.NAME,
        rules=desired.rules,
        changes=changes,
        tasks=tuple(BACKENDS[name].TASKS for name in order if changes[name].todo),
        unit=chosen.UNIT,
        opens_ports=chosen.opens(changes[chosen.NAME], host),
    )


def _desired(cluster: Cluster, settings: Settings, node: Node) -> Desired:
    return Desired(
        host=node.inventory_host,
        rules=rules(cluster, settings, node),
        zones=settings.firewall_zones,
        container_subnet=settings.container_subnet if settings.bridged else "",
    )


def steps(planned: FirewallPlan, host: str) -> tuple[Step, ...]:
    """Return what is done on a host, in the order in which it is done."""
    others = [name for name in planned.changes if name != planned.backend]
    return tuple(
        Step(host, "firewall", text, reason)
        for names, reason in (
            ([planned.backend], "its rules differ"),
            (others, f"{planned.backend} keeps the rules"),
        )
        for name in names
        if name != none.NAME
        for text in _texts(name, planned.changes[name])
    )


def _texts(name: str, changes: Changes) -> t.Iterator[str]:
    if changes.load:
        yield f"load our table of {name}"
    if changes.add:
        yield f"add {_count(changes.add)} to {name}"
    if changes.remove:
        yield f"remove {_count(changes.remove)} from {name}"
    if changes.unload:
        yield f"unload our table of {name}"


def _count(items: t.Sized) -> str:
    return "1 rule" if len(items) == 1 else f"{len(items)} rules"


def member_findings(cluster: Cluster, unread: t.Collection[str] = ()) -> list[Finding]:
    """Return which members no firewall could let in; the same for all hosts of a run.

    ``unread`` are members outside this run of which nobody says under which addresses the others
    see them.
    """
    return list(checks.members(cluster, unread))


def findings(
    cluster: Cluster,
    settings: Settings,
    node: Node,
    host: HostState,
    ssh_ports: t.Collection[int] = (22,),
) -> list[Finding]:
    """Return what is wrong with the firewall of a node's host, or with what it is to be.

    ``ssh_ports`` are those by which the host is managed.
    """
    chosen = choose(settings.firewall_backend, host)
    desired = _desired(cluster, settings, node)
    return [
        *checks.sources(settings, node),
        *checks.ports(settings, node, desired.rules, ssh_ports),
        *checks.left_out(settings, node),
        *_manager_findings(chosen, node.inventory_host, host),
        *_published_findings(chosen, settings, node.inventory_host),
        *chosen.findings(desired, host),
    ]


def _manager_findings(chosen: Backend, name: str, host: HostState) -> t.Iterator[Finding]:
    managers = [back_end for back_end in BACKENDS.values() if back_end.MANAGER]
    active = [manager.NAME for manager in managers if manager.at_work(host)]
    if chosen.MANAGER and chosen.NAME not in active:
        yield Finding(
            code="firewall_inactive",
            expected=f"{chosen.NAME} at work, as emqx_firewall_backend is {chosen.NAME}",
            found=f"{' and '.join(active) or 'no firewall manager'} at work",
            remedy=f"enable {chosen.NAME} with SSH allowed, which this playbook leaves to you as "
            "it could cut you off, or set emqx_firewall_backend to auto",
            hosts=(name,),
            subject="emqx_firewall_backend",
        )
    others = [manager for manager in active if manager != chosen.NAME]
    if others and chosen is not none:
        yield Finding(
            code="other_firewall",
            severity="warning",
            expected=f"{chosen.NAME} as the only packet filter in charge",
            found=f"{' and '.join(others)} at work, too",
            remedy=f"what it rejects stays closed: set emqx_firewall_backend to {others[0]}, or "
            "let the ports pass there yourself",
            hosts=(name,),
            subject="emqx_firewall_backend",
        )


def _published_findings(chosen: Backend, settings: Settings, name: str) -> t.Iterator[Finding]:
    if settings.bridged and not chosen.GUARDS_PUBLISHED:
        able = [other.NAME for other in BACKENDS.values() if other.GUARDS_PUBLISHED]
        yield Finding(
            code="published_ports",
            expected=f"{' or '.join(able)} with a container network, as published ports pass by "
            f"{chosen.NAME} and would be open to everyone",
            found=chosen.NAME,
            remedy=f"set emqx_firewall_backend to {able[0]}, which works beside it, or "
            "emqx_container_network to host",
            hosts=(name,),
            subject="emqx_firewall_backend",
        )
