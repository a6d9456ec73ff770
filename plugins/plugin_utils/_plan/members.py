# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which hosts join, leave or are force-left to change a cluster's members, and what speaks
against it. Pure: answers in, plan out.

Whatever speaks against a change is found before anything is touched. Removed nodes go first:
EMQX takes in no core while a dead one is a member (mnesia asks all cores for a new schema).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.census import (
    Answer,
    View,
    census,
    common_sight,
    is_ready,
    listed,
    sight,
    view_of,
)

Errors = t.Iterator[str]


@dataclass(frozen=True)
class Wish:
    """What shall change. ``wanted`` and ``removed`` map hosts to node names, in order; a removed
    node without a host has its name for both. ``replicants`` names those of them that are no
    cores as the inventory has it."""

    wanted: t.Mapping[str, str]
    cores: t.Sequence[str]
    removed: t.Mapping[str, str] = field(default_factory=dict)
    replicants: t.Collection[str] = ()
    unknown: t.Sequence[str] = ()
    may_join: t.Sequence[str] | None = None
    rename: str = ""
    old_name: str = ""
    consent: t.Sequence[str] = ()
    min_cores: int = 1
    evict_running: bool = False
    replaces: bool = False


@dataclass(frozen=True)
class _Scene:
    """All that was found, for the checks."""

    wish: Wish
    views: t.Mapping[str, View]
    databases: t.Mapping[str, t.Sequence[str]]
    found: t.Mapping[str, t.Any]
    old_name: str

    @property
    def survivors(self) -> list[str]:
        """The members that stay as they are and answer."""
        return [h for h in self.stay if is_ready(self.views[h])]

    @property
    def cores(self) -> list[str]:
        """The survivors that can force-leave others, and be joined."""
        return [host for host in self.survivors if not self.is_replicant(host)]

    @property
    def stay(self) -> list[str]:
        wanted = [host for host in self.wish.wanted if self._is_member(host)]
        return [host for host in wanted if host != self.wish.rename or not self.old_name]

    def _is_member(self, host: str) -> bool:
        # No node remembers a replicant that is down: it counts as a member unless it may be new.
        named = self.wish.may_join is None or host in self.wish.may_join
        return host in self.found["members"] or (self.is_replicant(host) and not named)

    def is_replicant(self, host: str) -> bool:
        """Tell what a host's node is, or is going to be where it does not run."""
        role = self.views[host].get("role")
        name = self.wish.wanted.get(host) or self.wish.removed[host]
        return role == "replicant" if role else name in self.wish.replicants

    @property
    def new(self) -> list[str]:
        return [host for host in self.wish.wanted if host not in self.stay]

    @property
    def seen(self) -> frozenset[str]:
        """All members that the survivors list."""
        return frozenset[str]().union(*(listed(self.views[host]) for host in self.survivors))

    @property
    def running(self) -> frozenset[str]:
        return frozenset(n for h in self.survivors for n in self.views[h]["running_nodes"])


def plan(
    wish: Wish,
    answers: t.Mapping[str, Answer],
    databases: t.Mapping[str, t.Sequence[str]],
) -> dict[str, t.Any]:
    """Return how the wish comes true, or why not.

    ``answers`` is what cluster_info returned by host; ``databases`` the node names that the
    data directories of the wanted hosts hold. The result:

    * ``errors``: what speaks against it; nothing may be done unless it is empty;
    * ``seed``: the surviving core that force-leaves others;
    * ``members``: hosts that stay members, ``new``: hosts that become members;
    * ``leave``: hosts whose running node leaves by itself; ``stop``: hosts whose node stops, which
      is all that a replicant has to do;
    * ``evict``: names to force-leave unless gone by then, ``evict_now``: those listed now that
      do not leave by themselves;
    * ``aside``: hosts and the name of the database to be moved aside there;
    * ``old_name``: the name that the renamed node had.
    """
    scene = _scene(wish, answers, databases)
    views, leaving = scene.views, [*wish.removed, *([wish.rename] if scene.old_name else [])]
    cores = [host for host in leaving if not scene.is_replicant(host)]
    leave = [h for h in cores if is_ready(views[h]) and len(listed(views[h])) > 1]
    evict = [scene.old_name if host == wish.rename else wish.removed[host] for host in cores]
    by_itself = {views[host].get("node") for host in leave}
    return {
        "errors": list(_errors(scene)),
        "seed": next(iter(scene.cores), ""),
        "members": scene.stay,
        "new": scene.new,
        "leave": leave,
        "stop": [host for host in leaving if _can_stop(views[host])],
        "evict": evict,
        "evict_now": [name for name in evict if name in scene.seen - by_itself],
        "aside": {
            **{host: name for host, name in wish.removed.items() if _can_stop(views[host])},
            **{h: wish.wanted[h] for h in scene.new if _has_old_database(scene, h)},
            **({wish.rename: scene.old_name} if scene.old_name else {}),
        },
        "old_name": scene.old_name,
    }


def _scene(
    wish: Wish, answers: t.Mapping[str, Answer], databases: t.Mapping[str, t.Sequence[str]]
) -> _Scene:
    names = {**wish.wanted, **wish.removed}
    views = {host: view_of(answers.get(host, {})) for host in names}
    old_name = ""
    if wish.rename in wish.wanted:
        new_name = wish.wanted[wish.rename]
        stored = [name for name in databases.get(wish.rename, ()) if name != new_name]
        candidates = [wish.old_name, views[wish.rename].get("node"), *stored]
        old_name = next((str(name) for name in candidates if name), "")
        old_name = "" if old_name == new_name else old_name
    known = {**names, **({wish.rename: old_name} if old_name else {})}
    told = {host: answers.get(host, {}) for host in known}
    return _Scene(wish, views, databases, census(known, told, wish.consent), old_name)


def _can_stop(view: View) -> bool:
    return view["state"] != "unreachable" and view.get("installed") is not False


def _has_old_database(scene: _Scene, host: str) -> bool:
    """Tell whether a new host that runs no node holds a database under the node's name."""
    name = scene.wish.wanted[host]
    return scene.views[host]["state"] == "down" and name in scene.databases.get(host, ())


def _errors(scene: _Scene) -> Errors:
    basic = [*_input_errors(scene)]
    yield from basic
    if basic:
        return
    yield from scene.found["errors"]
    yield from _member_errors(scene)
    yield from _removal_errors(scene)
    yield from _new_errors(scene)


def _input_errors(scene: _Scene) -> Errors:
    wish = scene.wish
    for item in wish.unknown:
        yield (
            f"Expected inventory hosts or node names (NAME@HOST), found {item}, which the "
            "inventory does not have: correct it, or give the node's name"
        )
    for host in wish.removed:
        if host in wish.wanted:
            yield f"Host {host}: expected to stay or to go, found both"
    for host in [*(wish.may_join or ()), *([wish.rename] if wish.rename else [])]:
        if host not in wish.wanted:
            yield (
                f"Host {host}: expected a member of the cluster's inventory group, found it "
                "outside: put it into the group (with its variables) and run this again"
            )
    if len(wish.cores) < wish.min_cores:
        yield (
            f"Expected at least {wish.min_cores} cores to stay (emqx_min_cores), found "
            f"{len(wish.cores)}: add a node first, or lower emqx_min_cores"
        )


def _member_errors(scene: _Scene) -> Errors:
    wish, views = scene.wish, scene.views
    if not scene.cores:
        known = ", ".join(f"{host} is {_state(views[host])}" for host in wish.wanted)
        yield (
            f"Expected a running core to work with, found none ({known}): start the members "
            "all together first (playbook site), it also builds a cluster from nothing"
        )
        return
    for host in scene.stay:
        if not is_ready(views[host]):
            yield (
                f"Host {host}: expected all members that stay to be ready, found its node "
                f"{_state(views[host])}: start it, or remove it, too"
            )
    common = common_sight(views[host] for host in scene.survivors)
    for host in scene.survivors:
        if sight(views[host]) != common:
            yield (
                f"Host {host}: expected all members to see the same cluster, found "
                f"{_sight(sight(views[host]))} here and {_sight(common)} elsewhere: see the "
                "playbook status, and mend the connection between the nodes first"
            )
    going = {*wish.removed.values(), scene.old_name}
    if scene.new:
        for name in sorted(scene.seen - scene.running - going):
            yield (
                f"Expected all members to run before a node is added, found {name} stopped: start "
                "it, or have its place taken with the playbook replace_node"
            )


def _state(view: View) -> str:
    reason = str(view.get("reason", "")).rstrip(".")
    return f"{view['state']} ({reason})" if reason else str(view["state"])


def _sight(seen: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    stopped = f" and {', '.join(seen[1])} stopped" if seen[1] else ""
    return f"{', '.join(seen[0]) or 'nobody'} running{stopped}"


def _removal_errors(scene: _Scene) -> Errors:
    wish = scene.wish
    for host, name in wish.removed.items():
        view = scene.views[host]
        if name in scene.running and not is_ready(view) and scene.is_replicant(host):
            yield (
                f"Host {host}: expected the replicant {name} to be stopped or its host to answer, "
                f"found it running as its peers see it, and {view['state']} from here "
                f"({view['reason']}): a replicant goes by being stopped, so cut its power first"
            )
            continue
        if wish.evict_running:
            continue
        runs = name in scene.running or (is_ready(view) and len(listed(view)) > 1)
        if runs and wish.replaces:
            yield (
                f"Host {host}: expected a dead member, found {name} running: add the new node "
                "with add_node and remove this one with remove_node, or set emqx_evict_running"
            )
        elif name in scene.running and not is_ready(view):
            yield (
                f"Host {host}: expected {name} to be stopped or its host to answer, found it "
                f"running as its peers see it, and {_state(view)} from here: it would come back "
                "after a force-leave. Stop it or cut its power first, or set emqx_evict_running to "
                "force-leave it all the same"
            )


def _new_errors(scene: _Scene) -> Errors:
    wish = scene.wish
    for host in scene.new:
        view = scene.views[host]
        if wish.may_join is not None and host not in wish.may_join:
            yield (
                f"Host {host}: expected a member, found it in the inventory group without being "
                "one: add it with add_node, or take it out of the group"
            )
        elif view["state"] not in ("ready", "down"):
            # What it holds is not known then.
            yield (
                f"Host {host}: expected a node that is ready or down, found it {_state(view)}: "
                "run this again once that has passed, or stop the node"
            )
        elif host == wish.rename or scene.is_replicant(host):
            # A replicant has nothing of its own to lose.
            continue
        elif _has_old_database(scene, host) and host not in wish.consent:
            yield (
                f"Host {host}: expected an empty data directory, found a database of "
                f"{wish.wanted[host]}, which is no member: set emqx_allow_data_loss: true for "
                f"{host} to have it moved aside, or start its service to see what it holds"
            )
        elif view.get("config_changed") and host not in wish.consent:
            yield (
                f"Host {host}: expected an empty node, found that {view['node']} has run-time "
                f"configuration of {', '.join(view['config_changed'])} (cluster.hocon), which "
                f"joining deletes: set emqx_allow_data_loss: true for {host} if it may go"
            )
    stored = scene.databases.get(wish.rename, ())
    told = wish.old_name or (wish.rename and scene.views[wish.rename].get("node"))
    if len(stored) > 1 and not told:
        yield (
            f"Host {wish.rename}: expected one old name, found databases of {', '.join(stored)}: "
            "set emqx_old_node_name"
        )
