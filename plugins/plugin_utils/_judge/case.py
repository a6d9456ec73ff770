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

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.census import is_ready, view_of

Fact = t.Tuple[str, ...]
Facts = t.FrozenSet[Fact]
Record = t.Mapping[str, t.Any]

NOTHING: Facts = frozenset()
ERROR, WARNING = "error", "warning"
PLAYBOOK = "ansible-playbook mqttops.emqx."


@dataclass(frozen=True)
class Finding:
    """What was expected, the cause in one sentence, what speaks for it, and what to do next.

    ``explains`` are the facts that follow from it. ``about`` are those that it only puts into
    words: where others before it explain all of them, it is left out. ``mended`` is what a
    deployment mends by itself: before one, it is a warning.
    """

    code: str
    hosts: tuple[str, ...]
    expected: str
    cause: str
    evidence: tuple[str, ...]
    next: str
    severity: str = ERROR
    explains: Facts = NOTHING
    about: Facts = NOTHING
    mended: bool = False


def names(words: t.Iterable[t.Any]) -> str:
    """Return words as people list them.

    >>> names(["n3", "n1", "n2"])
    'n1, n2 and n3'
    """
    *head, last = sorted(str(word) for word in words)
    return f"{', '.join(head)} and {last}" if head else last


def several(words: t.Sized, one: str, many: str) -> str:
    return one if len(words) == 1 else many


def apart(one: str, other: str) -> Fact:
    return ("apart", *sorted((one, other)))


@dataclass(frozen=True)
class Link:
    """How a connection from a host to the node of another one, or its own, fares."""

    source: str
    target: str
    kind: str
    port: int
    state: str

    @property
    def fact(self) -> Fact:
        return ("closed", self.source, self.target, self.kind)


class Case:
    """One cluster: the nodes that there shall be, by inventory host, and what was gathered.

    ``evidence`` has by host the answers ``view`` (cluster_info), ``found`` (node_evidence) and
    ``ways`` (cluster_probe), as they were registered, and may have ``ways_again`` (a second try,
    which counts where a way was not open before), ``discovery`` (discovery_info),
    ``certificates`` (of _certificates.review), ``stand_in`` (cluster_probe, where it listened in
    place of a node) and ``plan`` (what is about to be done: ``opens_ports``, bool, by the host's
    firewall, ``renews``, bool, its certificates, and ``replaces``, bool, files by which it asks
    a service of discovery). Hosts without any were not asked, and nothing is said of them.

    ``to_build`` is for a cluster before it is deployed: nodes that never ran are not down.
    """

    def __init__(
        self,
        nodes: t.Mapping[str, Record],
        evidence: t.Mapping[str, Record],
        to_build: bool = False,
    ) -> None:
        self.to_build = to_build
        self.nodes = {host: node for host, node in nodes.items() if evidence.get(host)}
        self.all_names = {node["name"] for node in nodes.values()}
        self._evidence = evidence
        self.views = {host: view_of(evidence[host].get("view", {})) for host in self.nodes}
        self.host_of = {node["name"]: host for host, node in self.nodes.items()}

    def __iter__(self) -> t.Iterator[str]:
        return iter(self.nodes)

    def name(self, host: str) -> str:
        return str(self.nodes[host]["name"])

    def runs_as(self, host: str) -> str:
        """Return the name of the node that runs on a host, "" where none does."""
        return str(self.views[host].get("node") or self.process(host).get("node") or "")

    def process(self, host: str) -> Record:
        """Return the process of a host's node; others on the server are those of other hosts."""
        found = self.found(host).get("processes") or ()
        own = [process for process in found if process["node"] == self.name(host)]
        free = [process for process in found if process["node"] not in self.all_names]
        return t.cast("Record", next(iter(own + free), {}))

    def answer(self, host: str, key: str) -> Record:
        return t.cast("Record", self._evidence[host].get(key) or {})

    def found(self, host: str) -> Record:
        """Return what node_evidence found on a host; empty where it could not be read."""
        return t.cast("Record", self.answer(host, "found").get("evidence") or {})

    def config(self, host: str) -> Record:
        return t.cast("Record", self.found(host).get("config") or {})

    def setting(self, host: str, key: str, default: t.Any = "") -> t.Any:
        """Return a setting as the files of a host have it."""
        return (self.config(host).get("settings") or {}).get(key, default)

    def unit(self, host: str) -> Record:
        return t.cast("Record", self.found(host).get("unit") or {})

    def version(self, host: str) -> str:
        return str(self.views[host].get("version") or self.found(host).get("version") or "")

    def log(self, host: str, *signs: str) -> tuple[str, ...]:
        """Return the lines of a host's logs that bear one of the signs."""
        lines = [line for line in self.found(host).get("log", ()) if line["sign"] in signs]
        return tuple(f"{host}, {line['source']}: {line['line']}" for line in lines[-3:])

    def reason(self, host: str) -> str:
        return str(self.views[host].get("reason") or "")

    @functools.cached_property
    def unreachable(self) -> list[str]:
        keys = ("view", "found", "ways", "ways_again")
        return [h for h in self if any(self.answer(h, key).get("unreachable") for key in keys)]

    @functools.cached_property
    def ready(self) -> list[str]:
        return [host for host in self if is_ready(self.views[host])]

    @functools.cached_property
    def not_ready(self) -> list[str]:
        return [host for host in self if host not in self.ready]

    @functools.cached_property
    def missed(self) -> list[str]:
        """The hosts whose node should be in operation by now and is not."""
        return [host for host in self.not_ready if not (self.to_build and self._never_ran(host))]

    def _never_ran(self, host: str) -> bool:
        found = self.found(host)
        return bool(found) and not found.get("data_nodes") and not self.process(host)

    def listens(self, host: str, port: int) -> bool:
        """Tell whether anybody took connections on a port of a host when the ways were tried."""
        stand_in = self.answer(host, "stand_in").get("busy")
        stood_in = stand_in is not None and str(port) not in stand_in
        return stood_in or str(port) in (self.found(host).get("listening") or {})

    @functools.cached_property
    def links(self) -> list[Link]:
        return [
            Link(host, self.host_of[link["to"]], link["kind"], link["port"], link["state"])
            for host in self
            for link in self._tried(host)
            if link["to"] in self.host_of
        ]

    def _tried(self, host: str) -> list[Record]:
        """Return the links of a host by their last try. One that was open once is open: what
        listened in place of a node may be gone since."""
        links: dict[tuple[str, str], Record] = {}
        for key in ("ways", "ways_again"):
            for link in (self.answer(host, key).get("probe") or {}).get("links", ()):
                way = (link["to"], link["kind"])
                if way not in links or links[way]["state"] != "open":
                    links[way] = link
        return list(links.values())

    @functools.cached_property
    def closed(self) -> list[Link]:
        """The connections that do not come about, and are not about to be opened on the host."""
        return [
            link
            for link in self.links
            if link.state != "open"
            and not (link.state != "unresolved" and self._about_to_open(link.target))
        ]

    def _about_to_open(self, host: str) -> bool:
        return bool(self.answer(host, "plan").get("opens_ports"))

    def renews(self, host: str) -> bool:
        return bool(self.answer(host, "plan").get("renews"))

    def replaces(self, host: str) -> bool:
        return bool(self.answer(host, "plan").get("replaces"))

    def sees(self, host: str, other: str) -> bool:
        """Tell whether a node lists another one as running."""
        return self.runs_as(other) in self.views[host].get("running_nodes", ())

    def lists(self, host: str, name: str) -> bool:
        view = self.views[host]
        return name in view.get("running_nodes", ()) or name in view.get("stopped_nodes", ())

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
        """Return what follows where the hosts of different groups cannot meet.

        A node that boots may be waiting for those of other groups, so this explains it, too.
        """
        place = {host: number for number, group in enumerate(groups) for host in group}
        pairs = frozenset(
            apart(one, other)
            for one in place
            for other in place
            if one != other and place[one] != place[other]
        )
        booting = {("down", h) for h in place if self.views[h]["state"] == "booting"}
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
