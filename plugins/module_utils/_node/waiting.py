# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether a node is in operation among its members yet, and whether it ever will be."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import CommandError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.decision import (
    Decision,
    names,
    not_ready,
    sight,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View


class Seen(t.NamedTuple):
    """What a node says of itself, None where it cannot be asked, what that is good for, and why it
    looks as if that would never change, "" where it does not."""

    view: View | None
    decision: Decision
    hopeless: str = ""


def plan_wait(
    view: View,
    members: t.Collection[str] = (),
    may_be_stopped: t.Collection[str] = (),
    others: bool = False,
) -> Decision:
    """Decide whether this node is ready and its cluster is made of exactly these members.

    Of them only those in ``may_be_stopped`` need not run. With ``others`` there may be more.
    """
    if view.state != "ready":
        return not_ready(view, "wait")
    wanted, running = set(members), set(view.running)
    if others:
        wanted |= running | set(view.stopped)
        may_be_stopped = {*may_be_stopped, *(wanted - set(members))}
    stopped = (wanted & set(view.stopped)) - set(may_be_stopped)
    if not wanted or (wanted == running | set(view.stopped) and not stopped):
        return Decision("nothing", f"this node is ready and sees {sight(view)}")
    parts = []
    if stopped:
        parts.append(f"{names(stopped)} stopped or cut off (service, ports between the nodes)")
    absent = wanted - running - set(view.stopped)
    if absent:
        parts.append(f"{names(absent)} missing (not started, not joined, or joining)")
    extra = running - wanted
    if extra:
        parts.append(f"{names(extra)} not expected (state: left on them, or add them)")
    ghosts = set(view.stopped) - wanted
    if ghosts:
        parts.append(f"{names(ghosts)} stopped and not expected (state: evicted)")
    return Decision("wait", "; ".join(parts))


def hopeless(view: View | None, starting: t.Collection[str]) -> str:
    """Return why a node waits in vain, "" where it may not.

    It waits for tables of which members that are down hold the newest copies, and none of those is
    among the members that are ``starting``. Where none is named, nothing is known of the others.
    Tables are on their way only from others that run.
    """
    if view is None or not view.waiting_for_tables:
        return ""
    if view.copying_tables and set(view.running) - {view.node or ""}:
        return ""
    down = set(view.waiting_for_nodes)
    if not starting or not down or down & set(starting):
        return ""
    return (
        f"it waits for table(s) {', '.join(view.waiting_for_tables[:5])}, of which newer copies "
        f"may lie on {names(down)}, which nothing starts now: start all cores together, or remove "
        "from the cluster what is gone for good"
    )


def look(ctl: Ctl, params: Record, timeout: float) -> Seen:
    """Ask a node once whether it is as the options of cluster_wait say."""
    try:
        view = ctl.view(timeout=timeout)
    except CommandError as error:
        return Seen(None, Decision("wait", error.message))
    members, stopped = params["members"], params["may_be_stopped"]
    decision = plan_wait(view, members, stopped, params["others"])
    # As far as the options say it.
    starting = set(params["starting"]) or set(members) - set(stopped)
    return Seen(view, decision, hopeless(view, starting) if decision.do == "wait" else "")
