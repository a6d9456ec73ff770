# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.recovery import Recovery, plan

NAMES = {host: f"emqx@{host}" for host in ("a", "b", "c")}


def ready(host: str, sees: str, **more: t.Any) -> NodeView:
    running = tuple(NAMES[each] for each in sees)
    stopped = tuple(name for name in NAMES.values() if name not in running)
    return NodeView("ready", node=NAMES[host], running=running, stopped=stopped, **more)


def stuck(host: str, gone: str) -> NodeView:
    return NodeView(
        "booting", node=NAMES[host], waiting_tables=("emqx_acl",), waiting_nodes=(f"emqx@{gone}",)
    )


def of(views: t.Mapping[str, NodeView], source: str = "", **stopped_at: float) -> Recovery:
    return plan({host: NAMES[host] for host in views}, views, stopped_at, source)


def kinds(found: Recovery) -> list[tuple[str, str]]:
    return [(step.host, step.kind) for step in found.steps]


WAITING = {"a": stuck("a", "c"), "b": stuck("b", "c")}
SPLIT = {
    "a": ready("a", "ab", data={"mqtt_users": 3}),
    "b": ready("b", "ab"),
    "c": ready("c", "c", config_changed=("mqtt",)),
}


def test_nodes_that_wait_for_one_that_is_gone_are_shown_and_left_alone() -> None:
    found = of(WAITING, a=2000.0, b=1000.0)
    assert (found.kind, found.steps, found.impact, found.findings) == ("tables", (), (), ())
    text = "\n".join(found.text)
    assert "Nodes wait for tables of emqx@c" in text
    assert "a (emqx@a): stopped at 1970-01-01T00:33:20Z, the last of these" in text
    assert "b (emqx@b): stopped at 1970-01-01T00:16:40Z; waits for emqx_acl" in text
    assert "-e emqx_recover_from=HOST. Lost is what was written after its node stopped" in text


def test_the_cluster_goes_on_with_the_copy_that_is_chosen() -> None:
    found = of(WAITING, "a")
    assert (kinds(found), found.losers) == ([("a", "force_load")], ())
    assert found.impact == ("what was written after a stopped is lost for clients",)


def test_parts_are_shown_with_what_each_holds() -> None:
    found = of(SPLIT)
    text = "\n".join(found.text)
    assert (found.kind, found.steps) == ("split", ())
    assert "Part 1: a, b\n   holds: 3 mqtt users\n" in text
    assert "Part 2: c\n   holds: no records; changed at run time: mqtt\n" in text
    assert "-e emqx_recover_from=c. Lost is what was written on a, b alone" in text


def test_the_other_parts_start_anew() -> None:
    found = of(SPLIT, "b")
    assert found.losers == ("c",)
    assert kinds(found) == [("c", "stop"), ("c", "move_aside"), ("b", "force_leave"), ("c", "join")]
    assert of(SPLIT, "c").losers == ("a", "b")
    assert found.impact == ("clients of c are cut off until they are back",)


def test_a_member_that_lost_its_database_is_taken_in_anew() -> None:
    views = {"a": ready("a", "ab"), "b": ready("b", "ab"), "c": NodeView("down")}
    found = plan(NAMES, views, {}, "", ["c"])
    assert "Part 2: c\n   holds: nothing, as its database is gone" in "\n".join(found.text)
    chosen = plan(NAMES, views, {}, "a", ["c"])
    assert kinds(chosen)[-2:] == [("a", "force_leave"), ("c", "join")]
    assert [one.code for one in plan(NAMES, views, {}, "c", ["c"]).findings] == ["bad_choice"]


def test_a_new_host_is_no_member_that_lost_something() -> None:
    alone = NodeView("ready", node=NAMES["a"], running=(NAMES["a"],))
    assert plan(NAMES, {"a": alone}, {}, "", ["c"]).kind == ""


def test_a_choice_that_is_none() -> None:
    for views in (WAITING, SPLIT):
        found = of(views, "z")
        assert [finding.code for finding in found.findings] == ["bad_choice"]
        assert found.steps == ()


def test_nothing_is_done_where_nothing_needs_a_choice() -> None:
    views = {"a": ready("a", "ab"), "b": ready("b", "ab"), "c": NodeView("down")}
    found = of(views, "a")
    assert (found.kind, found.steps) == ("", ())
    assert "c: down. The playbook start starts what is down." in found.text


def test_a_node_that_gets_its_tables_from_a_ready_one_needs_no_choice() -> None:
    found = of({"a": ready("a", "a"), "b": stuck("b", "c")}, "b")
    assert (found.kind, found.steps) == ("", ())
