# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Views of nodes as plain dictionaries, for those who do not read them as NodeView yet.

An answer is what cluster_info or cluster_wait returned for a host: ``emqx`` (the view), or
``unreachable`` or ``failed`` with ``msg``.
"""

from __future__ import annotations

import collections
import typing as t

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
