# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What to do about a desired membership, given what the nodes see. Pure: views in, decisions out.

Exit codes and success texts of the CLI are never asked whether something worked: a failed join
exits 0 up to EMQX 5.8, a failed force-leave does so in every version.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._node.decision import (
    Decision,
    names,
    not_ready,
    refuse,
    sight,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import Peer, View, members

ACTIONS = frozenset({"join", "leave", "evict"})
# Discovery strategies: of a node that never clusters, and those by which it finds nobody.
SINGLETON = "singleton"
FINDS_NOBODY = frozenset({"manual", SINGLETON})


def plan_join(view: View, seed: str, allow_data_loss: bool = False) -> Decision:
    """Decide how this node becomes a member of the seed's cluster."""
    if view.role == "replicant" and seed not in view.known:
        return refuse(
            "a replicant is not joined by hand: configure a discovery strategy by which it finds "
            "the cores and restart it"
        )
    if view.state != "ready":
        return not_ready(view, "wait")
    if seed == view.node:
        return Decision("nothing", "this node is the seed")
    if seed in view.known:
        return _joined_already(view, seed)
    if view.known:
        return refuse(
            f"this node is in another cluster, with {names(view.known)}, of which {seed} is not "
            "a member: let it leave first (state: left)"
        )
    return _join_alone(view, seed, view.peers.get(seed, Peer(reachable=False)), allow_data_loss)


def _joined_already(view: View, seed: str) -> Decision:
    peer = view.peers.get(seed, Peer(reachable=False))
    seen = f"this node sees {sight(view)}, {seed} sees {sight(peer)}"
    if seed in view.stopped and peer.reachable:
        return Decision(
            "wait",
            f"both run but are cut off from each other (split brain): {seen}; see what blocks "
            "their distribution ports, then restart the side that may lose its data",
        )
    if not peer.reachable:
        place = "stopped" if seed in view.stopped else "running"
        return Decision(
            "wait",
            f"this node is a member and lists {seed} as {place}, but {seed} does not answer it",
            unreachable=seed,
        )
    if view.node not in peer.running:
        return Decision("wait", f"the views differ: {seen}")
    return Decision("nothing", f"this node and {seed} list each other", _differences(view))


def _join_alone(view: View, seed: str, peer: Peer, allow_data_loss: bool) -> Decision:
    if view.discovery == SINGLETON:
        return refuse("cluster.discovery_strategy is singleton: such a node never clusters")
    losses = data_losses(view, peer)
    if losses and not allow_data_loss:
        return refuse(
            "joining deletes what this node holds itself: "
            f"{', '.join(losses)}; set allow_data_loss if it may go, or save it first with "
            "'emqx ctl data export'"
        )
    if not peer.reachable:
        return Decision("wait", f"{seed} does not answer", likely=True, unreachable=seed)
    if peer.role == "replicant":
        return refuse(f"{seed} is a replicant: only a core can be joined")
    if not peer.ready:
        return Decision("wait", f"{seed} is booting; it sees {sight(peer)}", likely=True)
    if view.node in peer.stopped:
        return refuse(
            f"{seed} still lists {view.node} as a stopped member, but this node is empty (was its "
            f"data removed?): run state: evicted for {view.node} on {seed} first"
        )
    if view.node in peer.running:
        return Decision(
            "wait", f"the views differ: {seed} sees {sight(peer)}, this node sees itself only"
        )
    gone = (f"deleted by the join: {', '.join(losses)}",) if losses else ()
    return Decision("join", f"this node is alone and {seed} is ready", gone)


def data_losses(view: View, peer: Peer) -> tuple[str, ...]:
    """Return what a join would delete on a node that is alone, in words.

    Configuration counts as lost where cluster.hocon differs from the one of the peer, which
    replaces it; an unknown one counts as different only when the peer could be asked.
    """
    losses = held_records(view.data)
    if not peer.reachable:
        return tuple(losses)
    if view.config is None:
        return (*losses, "cluster.hocon, which could not be read")
    theirs = peer.config or {}
    roots = [root for root, content in view.config.items() if theirs.get(root) != content]
    if roots:
        losses.append(f"run-time configuration of {names(roots)} (cluster.hocon)")
    return tuple(losses)


def held_records(data: t.Mapping[str, int]) -> list[str]:
    """Return in words the records a node holds beyond the one dashboard user of a fresh node."""
    held = {**data, "dashboard_users": data.get("dashboard_users", 0) - 1}
    return [f"{count} {name.replace('_', ' ')}" for name, count in held.items() if count > 0]


def plan_leave(view: View) -> Decision:
    """Decide how this node gets out of its cluster; peers are the members it asks or asked."""
    if view.state != "ready":
        refusal = not_ready(view, "refuse" if view.state == "down" else "wait")
        if refusal.do == "wait":
            return refusal
        return refuse(
            f"{refusal.reason}; only a running node can leave, remove this one from a surviving "
            "member (state: evicted)"
        )
    if not view.known:
        listing = sorted(n for n, peer in view.peers.items() if view.node in _members(peer))
        if listing:
            return Decision("wait", f"this node is alone but {names(listing)} still list it")
        return Decision("nothing", "this node is alone", _silent(view))
    if view.role == "replicant":
        return refuse("a replicant does not leave: stop its service, nothing else remembers it")
    if set(view.running) == {view.node}:
        return refuse(
            f"this node is the last running member; {names(view.stopped)} would be lost to it: "
            "start one of them first, or remove them from here (state: evicted)"
        )
    warnings: tuple[str, ...] = ()
    if view.discovery and view.discovery not in FINDS_NOBODY:
        warnings = (
            f"cluster.discovery_strategy is {view.discovery}: this node will come back at its "
            "next restart unless its service stays stopped or its seeds change",
        )
    return Decision("leave", f"this node is in a cluster with {names(view.known)}", warnings)


def plan_evict(view: View, node: str, force: bool = False) -> Decision:
    """Decide how a survivor removes another node from the cluster (force-leave)."""
    if view.state != "ready":
        return not_ready(view, "refuse" if view.state == "down" else "wait")
    if node == view.node:
        return refuse("a node cannot evict itself: use state: left on it")
    running_in = sorted(
        name for name, peer in view.peers.items() if node in peer.running and name != node
    )
    if node in view.running:
        running_in.append(view.node or "")
    if running_in and not force:
        return refuse(
            f"{node} is running as seen by {names(running_in)}: use state: left on it, or force "
            "if it cannot be reached"
        )
    if node in view.known:
        return Decision("evict", f"{node} is a member", _evict_warnings(view, node, running_in))
    listing = sorted(
        name for name, peer in view.peers.items() if node in _members(peer) and name != node
    )
    if listing:
        return Decision("wait", f"this node does not list {node}, but {names(listing)} still do")
    return Decision("nothing", f"{node} is not a member", _silent(view))


def _evict_warnings(view: View, node: str, running_in: t.Collection[str]) -> tuple[str, ...]:
    if not running_in:
        return (
            f"{node} cannot start again on its old data: remove <data_dir>/mnesia/{node} there "
            "before its service is started",
        )
    if not view.discovery or view.discovery in FINDS_NOBODY:
        return ()
    return (
        f"{node} runs and cluster.discovery_strategy is {view.discovery}: it will come back "
        "unless its service is stopped or its seeds change",
    )


# Answers of the CLI that no repetition changes, and what mends them. EMQX 5.0 to 6.3.
_FINAL: tuple[tuple[str, str], ...] = (
    ("has a single node license", "set license.key on all nodes before joining"),
    ("cannot_join_to_replicant", "name a core as the seed"),
    (": singleton", "cluster.discovery_strategy singleton forbids clustering, on either side"),
    ("illegal_target", "check the seed's name, role and version"),
    ("Operation is unsafe", "move its shards first: 'emqx ctl ds info', 'emqx ctl ds leave'"),
)


def final_answer(text: str) -> str:
    """Return why EMQX will never do what it was asked, or nothing when it might later."""
    for sign, advice in _FINAL:
        for line in text.splitlines():
            if sign in line:
                return f"EMQX answered: {line.strip()}: {advice}"
    return ""


def silence(seed: str, port: int, dialled: str, own: str | None = None) -> str:
    """Return the likely cause of an unreachable node from how its distribution port answers.

    Seen with 5.8.9: a closed port, a filtered one and a wrong cookie give one text, node_down.
    ``own`` is cluster.proto_dist of this node.
    """
    host = seed.partition("@")[2]
    place = f"tcp {host}:{port}"
    tls = bool(own and own.endswith("_tls"))
    if own and dialled in ("tls", "open") and tls != (dialled == "tls"):
        return (
            f"{place} {'does not speak TLS' if tls else 'speaks TLS'}, but this node "
            f"{'does' if tls else 'does not'} (cluster.proto_dist is {own}): all members do or "
            "none does, see emqx_dist_tls"
        )
    return {
        "open": f"{place} is open, so the cookies differ (its log then says 'Invalid "
        "challenge reply'), or EMQX is just starting there",
        "tls": f"{place} speaks TLS, as this node does, so one of them does not accept the "
        "other's certificate (the playbook status judges them), the cookies differ, or EMQX is "
        "just starting there",
        "refused": f"{place} refuses connections: EMQX is down there, or runs under another name",
        "filtered": f"{place} does not answer: a firewall drops it, or the host is down",
        "unresolved": f"{host} does not resolve on this host",
    }[dialled]


def predict(view: View, action: str, target: str) -> dict[str, list[str]]:
    """Return the member lists after an action, for check mode. ``target``: seed or evicted node."""
    seen = members(view)
    if action == "leave":
        return {"running_nodes": [view.node or ""], "stopped_nodes": []}
    if action == "evict":
        return {key: [name for name in names if name != target] for key, names in seen.items()}
    peer = view.peers.get(target, Peer(reachable=False))
    running = {target, *peer.running, *seen["running_nodes"]}
    return {"running_nodes": sorted(running), "stopped_nodes": sorted(peer.stopped)}


def _members(seen: View | Peer) -> frozenset[str]:
    return frozenset(seen.running + seen.stopped)


def _silent(view: View) -> tuple[str, ...]:
    silent = sorted(name for name, peer in view.peers.items() if not peer.reachable)
    return (f"not asked, because they did not answer: {names(silent)}",) if silent else ()


def _differences(view: View) -> tuple[str, ...]:
    """Name the members that see another cluster than this node does."""
    return tuple(
        f"the views differ: this node sees {sight(view)}, {name} sees {sight(peer)}"
        for name, peer in sorted(view.peers.items())
        if peer.reachable
        and (set(peer.running), set(peer.stopped)) != (set(view.running), set(view.stopped))
    )
