# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Who is in a cluster with whom, from what the nodes of all hosts say. Pure: answers in,
statements out.

An answer is what cluster_info or cluster_wait returned for a host: ``emqx`` (the view), or
``unreachable`` or ``failed`` with ``msg``.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._node.decide import held_records

Answer = t.Mapping[str, t.Any]
Answers = t.Mapping[str, Answer]
View = t.Mapping[str, t.Any]


def view_of(answer: Answer) -> View:
    """Return a host's view, one of a node that is down where it could not be asked."""
    view = answer.get("emqx")
    if isinstance(view, t.Mapping):
        return view
    state = "unreachable" if answer.get("unreachable") else "unknown"
    return {
        "state": state,
        "installed": None,
        "reason": str(answer.get("msg", "left out of this run")),
    }


def is_ready(view: View) -> bool:
    return bool(view["state"] == "ready")


def listed(view: View) -> frozenset[str]:
    """Return all members that a view has, running or stopped."""
    return frozenset([*view.get("running_nodes", ()), *view.get("stopped_nodes", ())])


def sight(view: View) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the running and the stopped members in a form that compares."""
    return (
        tuple(sorted(view.get("running_nodes", ()))),
        tuple(sorted(view.get("stopped_nodes", ()))),
    )


def common_sight(views: t.Iterable[View]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what most of the ready nodes see, of equals what the first one sees."""
    counted = collections.Counter(sight(view) for view in views if is_ready(view))
    return max(counted, key=lambda key: counted[key]) if counted else ((), ())


def records(view: View) -> list[str]:
    """Return in words what a node holds that a fresh one does not."""
    return held_records(view.get("data") or {})


def census(
    names: t.Mapping[str, str], answers: Answers, consent: t.Collection[str] = ()
) -> dict[str, t.Any]:
    """Return which hosts are together and which node the others may join.

    ``names`` maps inventory hosts, in the order of their preference as seeds, to node names;
    ``consent`` lists the hosts whose data may be deleted. The result:

    * ``seed``: a host of the one cluster there is; else the one that holds data; else the first;
    * ``members``: the hosts that are in one cluster with the seed, itself included;
    * ``joiners``: all others;
    * ``claimed``: whether these members are a cluster or hold anything of their own;
    * ``complete``: whether all hosts that were asked see exactly these nodes, and one another
      running;
    * ``errors``: why nobody may join now, in words.

    A host without an answer was left out of this run: nothing is known of its node.
    """
    views = {host: view_of(answers.get(host, {})) for host in names}
    asked = [host for host in names if host in answers]
    groups = _groups(names, views)
    claims = [group for group in groups if _claim(group, views, consent)]
    if not claims:
        claims = [group for group in groups if views[group[0]].get("config_changed")][:1]
    chosen = (claims or [_first_usable(groups, views, asked)])[0]
    candidates = [h for h in chosen if is_ready(views[h]) and views[h].get("role") != "replicant"]
    return {
        "seed": (candidates or chosen or [""])[0],
        "members": chosen,
        "joiners": [host for host in names if host not in chosen],
        "claimed": bool(claims),
        "complete": _is_complete(names, asked, views),
        "errors": [
            *_rival_errors(claims, names, views),
            *_foreign_errors(chosen, names, views),
            *_left_out_errors(names, asked, views, consent),
            *_stopped_errors(chosen, names, asked, views),
        ],
    }


def newcomers(
    names: t.Mapping[str, str],
    hosts: t.Sequence[str],
    fresh: t.Collection[str],
    answers: Answers,
    consent: t.Collection[str] = (),
) -> dict[str, t.Any]:
    """Return which nodes have to start last where discovery brings the nodes together.

    Discovery has each node join the one that has been up the longest, whoever holds the data. So
    those who have something to keep start first, and those who may lose what they have last.

    ``names`` maps hosts to node names; ``hosts`` are the cores of this run, and ``fresh`` those
    of them that never ran a node; ``answers`` has those of all hosts of this run, or nothing if
    nobody was asked. The result has the hosts in ``last``, and in ``errors`` what would be lost
    without consent.
    """
    old = [host for host in hosts if host not in fresh]
    last = [host for host in hosts if host in fresh and old]
    if not old or not answers:
        return {"last": last, "errors": []}
    views = {host: view_of(answers.get(host, {})) for host in names}
    found = census(names, answers, consent)
    apart = [host for host in old if host not in found["members"]]
    errors = list(found["errors"])
    if not found["claimed"]:
        # Of a node that is down nobody knows what it holds, of the others that it is nothing.
        apart = [host for host in old if is_ready(views[host])]
        apart = [] if apart == old else apart
    else:
        errors += _apart_errors([h for h in apart if h not in consent], found, names, views)
    return {"last": [h for h in hosts if h in apart or h in last], "errors": errors}


def _apart_errors(
    apart: t.Iterable[str],
    found: t.Mapping[str, t.Any],
    names: t.Mapping[str, str],
    views: t.Mapping[str, View],
) -> t.Iterator[str]:
    """Name what the nodes outside the chosen cluster hold, or may hold, besides records."""
    for host in apart:
        view = views[host]
        if not is_ready(view):
            held = f"a database of {names[host]}, whose node is {view['state']} ({view['reason']})"
        elif view.get("config_changed"):
            held = f"run-time configuration of {', '.join(view['config_changed'])} (cluster.hocon)"
        else:
            continue
        yield (
            f"Host {host}: expected nothing that the cluster of {', '.join(found['members'])} does "
            f"not have, found {held}, which is deleted when it joins: set emqx_allow_data_loss: "
            f"true for {host} if it may go"
        )


def _left_out_errors(
    names: t.Mapping[str, str],
    asked: t.Collection[str],
    views: t.Mapping[str, View],
    consent: t.Collection[str],
) -> t.Iterator[str]:
    """Name the lone nodes with data of which only the hosts left out know whether it stays."""
    others = [host for host in names if host not in asked]
    for host in asked if others else ():
        view = views[host]
        if is_ready(view) and len(listed(view)) < 2 and records(view) and host not in consent:
            yield (
                f"Host {host}: expected all hosts of the cluster in this run, as {view['node']} "
                f"is alone and holds {', '.join(records(view))}, which joining deletes; found "
                f"{', '.join(others)} left out: run this without --limit, or set "
                f"emqx_allow_data_loss: true for {host} if it may go"
            )


def _stopped_errors(
    chosen: t.Collection[str],
    names: t.Mapping[str, str],
    asked: t.Collection[str],
    views: t.Mapping[str, View],
) -> t.Iterator[str]:
    """Name the members that are down and stay so in this run, if somebody is to join."""
    if all(host in chosen for host in asked):
        return
    down = frozenset(n for host in chosen for n in views[host].get("stopped_nodes", ()))
    for host in names:
        if host not in asked and names[host] in down:
            yield (
                f"Host {host}: expected all members to run before a node joins, found "
                f"{names[host]} stopped and its host left out: start it with this run, or have "
                "its place taken with the playbook replace_node"
            )


def _is_complete(
    names: t.Mapping[str, str], asked: t.Iterable[str], views: t.Mapping[str, View]
) -> bool:
    wanted, running = frozenset(names.values()), frozenset(names[host] for host in asked)
    return all(
        is_ready(views[host])
        and listed(views[host]) == wanted
        and running <= frozenset(views[host]["running_nodes"])
        for host in asked
    )


def _first_usable(
    groups: list[list[str]], views: t.Mapping[str, View], asked: t.Collection[str]
) -> list[str]:
    """Return the first group of which a node runs, or may run as nobody asked it."""
    usable = [g for g in groups if any(is_ready(views[h]) or h not in asked for h in g)]
    return next(iter(usable or groups), [])


def _groups(names: t.Mapping[str, str], views: t.Mapping[str, View]) -> list[list[str]]:
    """Return the hosts sorted by cluster: whoever lists another one is together with it."""
    merged: list[set[str]] = []
    own = {host: views[host].get("node") or name for host, name in names.items()}
    for host, view in views.items():
        new = {own[host]} | (listed(view) if is_ready(view) else frozenset())
        touching = [group for group in merged if group & new]
        merged = [group for group in merged if not group & new]
        merged.append(new.union(*touching))
    result = [[host for host in names if own[host] in group] for group in merged]
    order = list(names)
    return sorted(result, key=lambda group: order.index(group[0]))


def _claim(group: list[str], views: t.Mapping[str, View], consent: t.Collection[str]) -> bool:
    """Tell whether a group is a cluster, or a lone node with data that nobody gave up."""
    ready = [host for host in group if is_ready(views[host])]
    if any(len(listed(views[host])) > 1 for host in ready):
        return True
    return any(records(views[host]) and host not in consent for host in ready)


def _rival_errors(
    claims: list[list[str]], names: t.Mapping[str, str], views: t.Mapping[str, View]
) -> list[str]:
    if len(claims) < 2:
        return []
    found = "; ".join(_describe_claim(group, names, views) for group in claims)
    lone = [group[0] for group in claims if len(listed(views[group[0]])) < 2]
    ways = [
        "have all but one leave their clusters (emqx ctl cluster leave)"
        if len(lone) < len(claims)
        else "choose the one whose data shall stay"
    ]
    if lone:
        ways.append(
            "set emqx_allow_data_loss: true for each of the hosts whose data may be deleted "
            f"({', '.join(lone)}), best after 'emqx ctl data export' there"
        )
    return [
        "Expected one cluster, or one node with data, that all others join and whose data they "
        f"get. Found {len(claims)}: {found}. Joining deletes the data of the node that joins, so "
        f"this needs a decision: {', then '.join(ways)}."
    ]


def _foreign_errors(
    chosen: list[str], names: t.Mapping[str, str], views: t.Mapping[str, View]
) -> list[str]:
    own = {views[host].get("node") or name for host, name in names.items()}
    seen = frozenset[str]().union(*(listed(views[host]) for host in chosen))
    foreign = ",".join(sorted(seen - own - set(names.values())))
    if not foreign:
        return []
    return [
        f"Expected a cluster of no other nodes than {', '.join(sorted(names.values()))}. Found "
        f"{foreign} in the cluster of {', '.join(chosen)}: put their hosts into "
        "emqx_cluster_hosts (the inventory group), or take them out with the playbook "
        f"remove_node -e emqx_remove_hosts={foreign}."
    ]


def _describe_claim(
    group: list[str], names: t.Mapping[str, str], views: t.Mapping[str, View]
) -> str:
    host = next(host for host in group if is_ready(views[host]))
    node = views[host].get("node") or names[host]
    others = sorted(listed(views[host]) - {node})
    if others:
        return f"{host} ({node}) is in a cluster with {', '.join(others)}"
    return f"{host} ({node}) holds {', '.join(records(views[host]))}"
