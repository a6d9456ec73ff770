# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""All evidence of a cluster in a form that rules can ask. Pure: answers in, facts out.

A fact is what is seen to be wrong and may have a cause: ("down", host), a node that is not in
operation; ("apart", host, host), two nodes in operation that do not see each other;
("closed", from, to, kind), a connection that does not come about; ("stopped", name), a member
that is listed as stopped and has no host.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Fact, Facts
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.evidence import HostEvidence
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.found import (
    Config,
    Found,
    Process,
    Unit,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import json_values as values
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView

PLAYBOOK = "ansible-playbook mqttops.emqx."
_MANY = 12


def names(words: t.Iterable[t.Any]) -> str:
    """Return words as people list them, at most a dozen of them.

    >>> names(["n3", "n1", "n2"])
    'n1, n2 and n3'
    """
    listed = sorted(str(word) for word in words)
    if len(listed) > _MANY:
        listed = [*listed[:_MANY], f"{len(listed) - _MANY} more"]
    *head, last = listed or ["none"]
    return f"{', '.join(head)} and {last}" if head else last


def several(words: t.Sized, one: str, many: str) -> str:
    return one if len(words) == 1 else many


def apart(one: str, other: str) -> Fact:
    return ("apart", *sorted((one, other)))


@dataclass(frozen=True)
class Link:
    """How a connection from a host to the node of another one, or its own, fares.

    ``state`` is open, refused, filtered, no_route or unresolved.
    """

    source: str
    target: str
    kind: str
    port: int
    state: str

    @property
    def fact(self) -> Fact:
        return ("closed", self.source, self.target, self.kind)

    def as_dict(self) -> Json:
        """Return its JSON form."""
        return {
            "from": self.source,
            "to": self.target,
            "kind": self.kind,
            "port": self.port,
            "state": self.state,
        }


class Case:
    """One cluster: the desired nodes by inventory host, and what was gathered of them.

    ``evidence`` has by host the answers ``view`` (cluster_info), ``host`` (evidence_info) and
    ``links`` (cluster_probe), as they were registered, and may have ``links_again`` (a second
    try, which counts where a link was not open before), ``discovery`` (discovery_info),
    ``stand_in`` (cluster_probe, where it listened in place of a node) and ``plan`` (what is about
    to be done: ``opens_ports``, bool, by the host's firewall, ``renews``, bool, its certificates,
    and ``replaces``, bool, files by which it asks a discovery service). Of hosts without any
    nothing is said but that they were not examined.

    ``to_build`` is for a cluster before it is deployed: nodes that never ran are not down.
    """

    def __init__(
        self, nodes: t.Mapping[str, Node], evidence: Record, to_build: bool = False
    ) -> None:
        self.to_build = to_build
        read = {host: HostEvidence.of(evidence.get(host)) for host in nodes}
        self._evidence = {host: found for host, found in read.items() if found is not None}
        self.nodes = {host: node for host, node in nodes.items() if host in self._evidence}
        self.not_examined = {h: node.name for h, node in nodes.items() if h not in self._evidence}
        self.all_names = {node.name for node in nodes.values()}
        self.views: dict[str, NodeView] = {host: each.view for host, each in self._evidence.items()}
        self.running = {host: frozenset(view.running) for host, view in self.views.items()}
        self.host_of = {node.name: host for host, node in self.nodes.items()}

    def __iter__(self) -> t.Iterator[str]:
        return iter(self.nodes)

    def __getitem__(self, host: str) -> HostEvidence:
        return self._evidence[host]

    def name(self, host: str) -> str:
        return self.nodes[host].name

    def runs_as(self, host: str) -> str:
        """Return the name of the node that runs on a host, "" where none does."""
        return self.views[host].node or self.process(host).node

    def process(self, host: str) -> Process:
        """Return the process of a host's node; others on the server are those of other hosts."""
        found = self.found(host).processes
        own = [process for process in found if process.node == self.name(host)]
        free = [process for process in found if process.node not in self.all_names]
        return next(iter(own + free), Process())

    def found(self, host: str) -> Found:
        return self._evidence[host].found

    def config(self, host: str) -> Config:
        return self.found(host).config

    def setting(self, host: str, key: str, default: str = "") -> str:
        """Return a setting as the files of a host have it."""
        return values.text(self.config(host).settings.get(key)) or default

    def unit(self, host: str) -> Unit:
        return self.found(host).unit

    def version(self, host: str) -> str:
        return self.views[host].version or self.found(host).version

    def log(self, host: str, *signs: str) -> tuple[str, ...]:
        """Return the lines of a host's logs that bear one of the signs."""
        lines = [line for line in self.found(host).log if line.sign in signs]
        return tuple(f"{host}, {line.source}: {line.line}" for line in lines[-3:])

    def reason(self, host: str) -> str:
        return self.views[host].reason

    @functools.cached_property
    def unreachable(self) -> list[str]:
        return [host for host in self if self._evidence[host].lost]

    @functools.cached_property
    def ready(self) -> list[str]:
        return [host for host in self if self.views[host].is_ready]

    @functools.cached_property
    def not_ready(self) -> list[str]:
        return [host for host in self if not self.views[host].is_ready]

    @functools.cached_property
    def missed(self) -> list[str]:
        """The hosts whose node should be in operation by now and is not."""
        return [host for host in self.not_ready if not (self.to_build and self._never_ran(host))]

    def _never_ran(self, host: str) -> bool:
        found = self.found(host)
        return found.read and not found.data_nodes and self.process(host) == Process()

    def listens(self, host: str, port: int) -> bool:
        """Tell whether anybody took connections on a port of a host when links were tried."""
        busy = self._evidence[host].busy
        stood_in = busy is not None and str(port) not in busy
        return stood_in or self.holds(host, port)

    def holds(self, host: str, port: int) -> bool:
        """Tell whether a process of a host takes TCP connections on a port."""
        sockets = self.found(host).sockets or ()
        return any(each.port == port and each.protocol == "tcp" for each in sockets)

    @functools.cached_property
    def links(self) -> list[Link]:
        return [
            Link(host, self.host_of[link.to], link.kind, link.port, link.state)
            for host in self
            for link in self._evidence[host].tried
            if link.to in self.host_of
        ]

    @functools.cached_property
    def closed(self) -> list[Link]:
        """The connections that do not come about, and are not about to be opened on the host."""
        return [
            link
            for link in self.links
            if link.state != "open"
            and not (link.state != "unresolved" and self._evidence[link.target].planned.opens_ports)
        ]

    def sees(self, host: str, other: str) -> bool:
        """Tell whether a node lists another one as running."""
        return self.runs_as(other) in self.running[host]

    def lists(self, host: str, name: str) -> bool:
        return name in self.views[host].listed

    @functools.cached_property
    def apart(self) -> Facts:
        """The pairs of nodes in operation of which one does not see the other."""
        return frozenset(
            apart(one, other)
            for one in self.ready
            for other in self.ready
            if one != other and not self.sees(one, other)
        )

    def apart_of(self, host: str) -> Facts:
        return frozenset(fact for fact in self.apart if host in fact)

    def all_of(self, host: str) -> Facts:
        """Return what follows where a host's node cannot run, or takes no connection."""
        closed = {ln.fact for ln in self.closed if ln.target == host and ln.state == "refused"}
        own = frozenset({("down", host), ("stopped", self.name(host))})
        return own | self.apart_of(host) | frozenset(closed)

    def cut_off(self, host: str) -> Facts:
        """Return what follows where a host is down or cut off from the network."""
        closed = {link.fact for link in self.closed if host in (link.source, link.target)}
        return self.all_of(host) | frozenset(closed)

    def across(self, groups: t.Iterable[t.Collection[str]]) -> Facts:
        """Return what follows where the hosts of different groups cannot talk to one another.

        A node that boots may be waiting for those of other groups, so this explains it, too.
        """
        place = {host: number for number, group in enumerate(groups) for host in group}
        pairs = frozenset(
            apart(one, other)
            for one in place
            for other in place
            if one != other and place[one] != place[other]
        )
        booting = {("down", h) for h in place if self.views[h].state == "booting"}
        return pairs | frozenset(booting)

    def by_value(
        self, value: t.Callable[[str], str], hosts: t.Iterable[str] | None = None
    ) -> list[tuple[str, list[str]]]:
        """Return values and their hosts, the value of most hosts first; "" is left out."""
        found: dict[str, list[str]] = {}
        for host in self if hosts is None else hosts:
            if value(host):
                found.setdefault(value(host), []).append(host)
        return sorted(found.items(), key=lambda item: -len(item[1]))
