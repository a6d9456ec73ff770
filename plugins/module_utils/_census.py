# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

# Private to this collection: it may change in any release.

"""Who is in a cluster with whom, from what the nodes of all hosts say. Pure: answers in,
statements out.

An answer is what cluster_info or cluster_wait returned for a host: ``emqx`` (the view), or
``unreachable`` or ``failed`` with ``msg``.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._cluster import held_records

Answer = t.Mapping[str, t.Any]
Answers = t.Mapping[str, Answer]
View = t.Mapping[str, t.Any]


def view_of(answer: Answer) -> View:
    """Return a host's view, one of a node that is down where it could not be asked."""
    view = answer.get("emqx")
    if isinstance(view, t.Mapping):
        return view
    state = "unreachable" if answer.get("unreachable") else "unknown"
    return {"state": state, "installed": None, "reason": str(answer.get("msg", "not asked"))}


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
    * ``complete``: whether all hosts see exactly these nodes, all running;
    * ``errors``: why nobody may join now, in words.
    """
    views = {host: view_of(answers.get(host, {})) for host in names}
    groups = _groups(names, views)
    claims = [group for group in groups if _claim(group, views, consent)]
    if not claims:
        claims = [group for group in groups if views[group[0]].get("config_changed")][:1]
    chosen = (claims or [_first_ready(groups, views)])[0]
    candidates = [h for h in chosen if is_ready(views[h]) and views[h].get("role") != "replicant"]
    whole = (tuple(sorted(names.values())), ())
    return {
        "seed": (candidates or chosen or [""])[0],
        "members": chosen,
        "joiners": [host for host in names if host not in chosen],
        "complete": all(is_ready(view) and sight(view) == whole for view in views.values()),
        "errors": [
            *_rival_errors(claims, names, views),
            *_foreign_errors(chosen, names, views),
        ],
    }


def _first_ready(groups: list[list[str]], views: t.Mapping[str, View]) -> list[str]:
    ready = [group for group in groups if any(is_ready(views[host]) for host in group)]
    return next(iter(ready or groups), [])


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
