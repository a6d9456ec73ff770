# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from model_builders import ABSENT, BOOTING, DOWN, GONE, cluster, node, view

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.member_scene import DesiredChange
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.members import (
    MembersChange,
    change,
    desired_change,
)

Views = t.Dict[str, NodeView]
NAMES = {f"n{i}": f"emqx@10.0.0.{i}" for i in range(1, 6)}


def names(*hosts: str) -> dict[str, str]:
    return {host: NAMES[host] for host in hosts}


def together(*hosts: str, stopped: t.Iterable[str] = ()) -> Views:
    """Return the views of hosts that form one cluster."""
    members = names(*hosts).values()
    down = [NAMES.get(host, host) for host in stopped]
    return {host: view(NAMES[host], *members, stopped=down) for host in hosts}


def desired(*hosts: str, **more: t.Any) -> DesiredChange:
    values: dict[str, t.Any] = {"cores": tuple(names(*hosts).values()), "may_join": None, **more}
    return DesiredChange(names(*hosts), **values)


def run(
    what: DesiredChange, views: Views, databases: dict[str, list[str]] | None = None
) -> MembersChange:
    return change(what, views, databases or {})


def sentences(result: MembersChange) -> list[str]:
    return [finding.sentence() for finding in result.findings]


def only_one(result: MembersChange) -> str:
    (sentence,) = sentences(result)
    return sentence


# --- add


def test_add_finds_the_new_hosts_by_itself() -> None:
    found = run(desired(*NAMES), {**together("n1", "n2", "n3"), "n4": ABSENT, "n5": ABSENT})
    assert found.findings == ()
    assert (found.members, found.new) == (("n1", "n2", "n3"), ("n4", "n5"))
    assert (found.leave, found.stop, found.evict, found.aside) == ((), (), (), {})


def test_add_to_a_single_node() -> None:
    views = {"n1": view(NAMES["n1"]), "n2": ABSENT, "n3": ABSENT}
    assert run(desired("n1", "n2", "n3"), views).new == ("n2", "n3")


def test_add_a_second_time_has_nothing_to_do() -> None:
    assert run(desired("n1", "n2"), together("n1", "n2")).new == ()


def test_add_takes_only_the_named_hosts() -> None:
    views = {**together("n1", "n2", "n3"), "n4": ABSENT, "n5": ABSENT}
    error = only_one(run(desired(*NAMES, may_join=["n4"]), views))
    assert error.startswith("Host n5: expected a member, found it in the inventory group")
    assert run(desired("n1", "n2", "n3", "n4", may_join=["n4"]), views).findings == ()


def test_add_wants_the_new_host_in_the_group() -> None:
    error = only_one(run(desired("n1", "n2", may_join=["n4"]), together("n1", "n2")))
    assert error.startswith("Host n4: expected a member of the cluster's inventory group")


def test_add_goes_on_with_a_node_that_a_killed_run_started() -> None:
    views = {**together("n1", "n2"), "n3": view(NAMES["n3"])}
    found = run(desired("n1", "n2", "n3"), views, {"n3": [NAMES["n3"]]})
    assert (found.findings, found.new, found.aside) == ((), ("n3",), {})


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (DOWN, "found a database of emqx@10.0.0.3, which is no member"),
        (
            view(NAMES["n3"], data={"dashboard_users": 2, "banned": 4}),
            "n3 (emqx@10.0.0.3) holds 1 dashboard users, 4 banned",
        ),
        (
            view(NAMES["n3"], config_changed=("mqtt",)),
            "found run-time configuration of mqtt (cluster.hocon) on emqx@10.0.0.3, which joining "
            "deletes",
        ),
    ],
)
def test_add_never_takes_data_without_consent(seen: NodeView, expected: str) -> None:
    views = {**together("n1", "n2"), "n3": seen}
    databases = {"n3": [NAMES["n3"]]}
    found = run(desired("n1", "n2", "n3"), views, databases)
    (finding,) = found.findings
    assert expected in "\n".join([finding.sentence(), *finding.evidence])
    assert "emqx_allow_data_loss: true for " in finding.remedy or "(n3)" in finding.remedy
    assert finding.subject == "emqx_allow_data_loss"
    agreed = run(desired("n1", "n2", "n3", consent=["n3"]), views, databases)
    assert (agreed.findings, agreed.new) == ((), ("n3",))
    assert agreed.aside == ({"n3": NAMES["n3"]} if seen is DOWN else {})


@pytest.mark.parametrize(
    ("seen", "found"),
    [(BOOTING, "booting (starting)"), (GONE, "unreachable (Connection timed out)")],
)
@pytest.mark.parametrize("rename", ["", "n3"])
def test_nobody_joins_before_it_is_known_what_it_holds(
    seen: NodeView, found: str, rename: str
) -> None:
    views = {**together("n1", "n2"), "n3": seen}
    result = run(desired("n1", "n2", "n3", rename=rename), views, {"n3": [NAMES["n3"]]})
    assert f"Host n3: expected a node that is ready or down, found it {found}" in only_one(result)


def test_add_refuses_while_a_member_is_stopped() -> None:
    views = {**together("n1", "n2", stopped=["n3"]), "n3": GONE, "n4": ABSENT}
    found = run(desired("n1", "n2", "n3", "n4"), views)
    not_ready, stopped = sentences(found)
    assert not_ready.startswith("Host n3: expected all members that stay to be ready")
    assert "Connection timed out" in not_ready
    assert "found emqx@10.0.0.3 stopped" in stopped
    assert "replace_node" in stopped


def test_nothing_is_changed_while_views_differ() -> None:
    views = together("n1", "n2", "n3")
    views["n3"] = view(NAMES["n3"], stopped=[NAMES["n1"], NAMES["n2"]])
    error = sentences(run(desired("n1", "n2", "n3", "n4"), {**views, "n4": ABSENT}))[0]
    assert error.startswith("Host n3: expected all members to see the same cluster")
    assert "emqx@10.0.0.3 running and emqx@10.0.0.1, emqx@10.0.0.2 stopped here" in error


def test_nothing_is_changed_without_a_running_member() -> None:
    result = run(desired("n1", "n2"), {"n1": DOWN, "n2": ABSENT}, {"n1": [NAMES["n1"]]})
    error = sentences(result)[0]
    assert "found none (n1 is down (not responding to pings), n2 is down (no such user))" in error
    assert "playbook site" in error


# --- remove


def test_a_running_node_leaves_by_itself() -> None:
    found = run(desired("n1", "n2", removed=names("n3")), together("n1", "n2", "n3"))
    assert found.findings == ()
    assert (found.leave, found.stop) == (("n3",), ("n3",))
    assert (found.seed, found.evict, found.evict_now) == ("n1", (NAMES["n3"],), ())
    assert found.aside == names("n3")


@pytest.mark.parametrize(("seen", "stops"), [(DOWN, ["n3"]), (GONE, []), (BOOTING, ["n3"])])
def test_a_node_that_is_down_is_force_left(seen: NodeView, stops: list[str]) -> None:
    views = {**together("n1", "n2", stopped=["n3"]), "n3": seen}
    found = run(desired("n1", "n2", removed=names("n3")), views)
    assert found.findings == ()
    assert (found.leave, found.stop, found.evict_now) == ((), tuple(stops), (NAMES["n3"],))
    assert list(found.aside) == stops


def test_a_node_without_a_host_is_force_left() -> None:
    ghost = "emqx@10.0.0.9"
    views = together("n1", "n2", stopped=[ghost])
    found = run(desired("n1", "n2", removed={ghost: ghost}), views)
    assert (found.findings, found.evict_now) == ((), (ghost,))


def test_two_dead_ones_go_in_one_run() -> None:
    views = {**together("n1", stopped=["n2", "n3"]), "n2": GONE, "n3": DOWN}
    found = run(desired("n1", removed=names("n2", "n3")), views)
    assert (found.findings, found.evict_now) == ((), (NAMES["n2"], NAMES["n3"]))


def test_removing_a_second_time_evicts_nobody() -> None:
    found = run(desired("n1", "n2", removed=names("n3")), {**together("n1", "n2"), "n3": DOWN})
    assert (found.findings, found.leave, found.evict_now) == ((), (), ())
    assert found.stop == ("n3",)


def test_a_left_node_that_runs_alone_is_stopped() -> None:
    views = {**together("n1", "n2"), "n3": view(NAMES["n3"])}
    found = run(desired("n1", "n2", removed=names("n3")), views)
    assert (found.findings, found.leave, found.stop) == ((), (), ("n3",))


def test_a_running_node_on_a_lost_host_would_come_back() -> None:
    views = {**together("n1", "n2", "n3"), "n3": GONE}
    error = only_one(run(desired("n1", "n2", removed=names("n3")), views))
    assert (
        "found it running as its peers see it, and unreachable (Connection timed out) from here"
        in error
    )
    assert "emqx_evict_running" in error
    agreed = run(desired("n1", "n2", removed=names("n3"), evict_running=True), views)
    assert (agreed.findings, agreed.evict_now) == ((), (NAMES["n3"],))


def test_the_cores_the_user_wants_stay() -> None:
    views = together("n1", "n2", "n3")
    error = only_one(run(desired("n1", "n2", removed=names("n3"), min_cores=3), views))
    assert "emqx_min_cores: expected at least 3 cores to stay, found 2" in error


def test_unknown_hosts_are_named() -> None:
    result = run(desired("n1", unknown=["n9"]), together("n1", "n2"))
    assert "found n9, which the inventory does not have" in only_one(result)


def test_a_host_stays_or_goes() -> None:
    result = run(desired("n1", "n2", removed=names("n2")), together("n1", "n2"))
    assert "Host n2, emqx_cluster_hosts: expected a host to stay or to go, found both" in only_one(
        result
    )


def test_removal_wants_all_others_to_be_members() -> None:
    views = {**together("n1", "n2"), "n3": ABSENT}
    error = only_one(run(desired("n1", "n3", may_join=[], removed=names("n2")), views))
    assert error.startswith("Host n3: expected a member")


def test_removal_wants_survivors_that_run() -> None:
    views = {**together("n1", "n3", stopped=["n2"]), "n2": DOWN}
    error = only_one(run(desired("n1", "n2", may_join=[], removed=names("n3")), views))
    assert error.startswith("Host n2: expected all members that stay to be ready")


# --- replace


def test_the_dead_one_goes_before_the_new_one_comes() -> None:
    views = {**together("n1", "n3", stopped=["n2"]), "n2": GONE, "n4": ABSENT}
    what = desired("n1", "n3", "n4", removed=names("n2"), may_join=["n4"], replaces=True)
    found = run(what, views)
    assert found.findings == ()
    assert (found.evict_now, found.new, found.stop) == ((NAMES["n2"],), ("n4",), ())


@pytest.mark.parametrize("reachable", [True, False])
def test_replacing_a_living_node_is_refused(reachable: bool) -> None:
    views = {**together("n1", "n2", "n3"), "n4": ABSENT}
    if not reachable:
        views["n2"] = GONE
    more = {"removed": names("n2"), "may_join": ["n4"], "replaces": True}
    error = only_one(run(desired("n1", "n3", "n4", **more), views))
    assert "Host n2, emqx_dead_host: expected a dead member, found emqx@10.0.0.2 running" in error
    agreed = run(desired("n1", "n3", "n4", evict_running=True, **more), views)
    assert agreed.findings == ()
    assert agreed.leave == (("n2",) if reachable else ())


def test_nobody_is_replaced_while_another_member_is_dead() -> None:
    views = {**together("n1", stopped=["n2", "n3"]), "n2": GONE, "n3": DOWN, "n4": ABSENT}
    what = desired("n1", "n3", "n4", removed=names("n2"), may_join=["n4"], replaces=True)
    assert any("found emqx@10.0.0.3 stopped" in text for text in sentences(run(what, views)))


# --- rename


OLD = "emqx@10.0.0.9"


def renamed(*running: str, stopped: t.Iterable[str] = ()) -> Views:
    members = [*names("n1", "n2").values(), *running]
    return {h: view(NAMES[h], *members, stopped=stopped) for h in ("n1", "n2")}


def test_a_running_node_leaves_under_its_old_name() -> None:
    views = {**renamed(OLD), "n3": view(OLD, *names("n1", "n2").values())}
    found = run(desired("n1", "n2", "n3", rename="n3", may_join=["n3"]), views, {"n3": [OLD]})
    assert found.findings == ()
    assert (found.old_name, found.members, found.new) == (OLD, ("n1", "n2"), ("n3",))
    assert (found.leave, found.stop, found.evict) == (("n3",), ("n3",), (OLD,))
    assert (found.aside, found.evict_now) == ({"n3": OLD}, ())


@pytest.mark.parametrize("given", ["", OLD])
def test_a_stopped_node_is_force_left_under_its_old_name(given: str) -> None:
    views = {**renamed(stopped=[OLD]), "n3": DOWN}
    databases = {"n3": [] if given else [OLD]}
    what = desired("n1", "n2", "n3", rename="n3", old_name=given, may_join=["n3"])
    found = run(what, views, databases)
    assert (found.findings, found.old_name, found.evict_now) == ((), OLD, (OLD,))
    assert found.aside == {"n3": OLD}


def test_a_renamed_node_has_nothing_left_to_do() -> None:
    what = desired("n1", "n2", "n3", rename="n3", may_join=["n3"])
    found = run(what, together("n1", "n2", "n3"), {"n3": [NAMES["n3"]]})
    assert (found.findings, found.old_name, found.new) == ((), "", ())
    assert (found.leave, found.stop, found.evict, found.aside) == ((), (), (), {})


def test_a_rename_goes_on_where_a_killed_run_stopped() -> None:
    what = desired("n1", "n2", "n3", rename="n3", may_join=["n3"])
    found = run(what, {**together("n1", "n2"), "n3": DOWN}, {"n3": []})
    assert (found.findings, found.new, found.evict) == ((), ("n3",), ())


def test_several_old_names_are_a_question() -> None:
    views = {**renamed(stopped=[OLD]), "n3": DOWN}
    what = desired("n1", "n2", "n3", rename="n3", may_join=["n3"])
    error = sentences(run(what, views, {"n3": [OLD, "emqx@10.0.0.8"]}))[0]
    assert "found databases of emqx@10.0.0.9, emqx@10.0.0.8: set emqx_old_node_name" in error


def test_a_lone_node_has_nobody_to_get_its_data_from() -> None:
    error = sentences(run(desired("n1", rename="n1"), {"n1": view(OLD)}, {"n1": [OLD]}))[0]
    assert "expected a running core to work with, found none (n1 is ready)" in error


# --- replicants


def with_replicant(
    *hosts: str, replicants: t.Sequence[str] = ("n3",), stopped: t.Iterable[str] = ()
) -> Views:
    views = together(*hosts, stopped=stopped)
    for host in set(replicants) & set(hosts):
        views[host] = dataclasses.replace(views[host], role="replicant")
    return views


REPLICANT = {"replicants": [NAMES["n3"]]}


def test_a_replicant_goes_by_being_stopped() -> None:
    what = desired("n1", "n2", may_join=[], removed=names("n3"), **REPLICANT)
    found = run(what, with_replicant("n1", "n2", "n3"))
    assert found.findings == ()
    assert (found.stop, found.leave, found.evict) == (("n3",), (), ())


def test_nobody_remembers_a_dead_replicant() -> None:
    views = {**together("n1", "n2"), "n3": GONE, "n4": ABSENT}
    what = desired(
        "n1", "n2", "n4", removed=names("n3"), may_join=["n4"], replaces=True, **REPLICANT
    )
    found = run(what, views)
    assert found.findings == ()
    assert (found.stop, found.evict, found.new) == ((), (), ("n4",))


def test_an_unreachable_replicant_that_runs_cannot_be_removed() -> None:
    views = {**with_replicant("n1", "n2", "n3"), "n3": GONE}
    more = {"may_join": [], "removed": names("n3"), "evict_running": True, **REPLICANT}
    error = only_one(run(desired("n1", "n2", **more), views))
    assert error.startswith("Host n3: expected the replicant emqx@10.0.0.3 to be stopped")
    assert error.endswith("cut its power first.")


def test_a_replicant_is_added_whatever_it_holds() -> None:
    views = {**together("n1", "n2"), "n3": DOWN}
    found = run(desired("n1", "n2", "n3", **REPLICANT), views, {"n3": [NAMES["n3"]]})
    assert (found.findings, found.new) == ((), ("n3",))
    assert found.aside == {"n3": NAMES["n3"]}


def test_a_replicant_that_is_down_is_a_member_that_is_down() -> None:
    views = {**together("n1", "n2"), "n3": DOWN, "n4": ABSENT}
    what = desired("n1", "n2", "n3", "n4", may_join=["n4"], **REPLICANT)
    error = only_one(run(what, views))
    assert error.startswith("Host n3: expected all members that stay to be ready")


def test_only_a_core_forces_others_out() -> None:
    views = with_replicant("n1", "n2", "n3", replicants=["n1"])
    what = desired("n1", "n2", may_join=[], removed=names("n3"), replicants=[NAMES["n1"]])
    assert run(what, views).seed == "n2"
    alone = {"n1": views["n1"], "n2": DOWN, "n3": DOWN}
    assert "expected a running core to work with" in sentences(run(what, alone))[0]


def test_a_renamed_replicant_just_starts_under_its_new_name() -> None:
    seen = view(OLD, *names("n1", "n2").values(), role="replicant")
    what = desired("n1", "n2", "n3", rename="n3", may_join=["n3"], **REPLICANT)
    found = run(what, {**renamed(OLD), "n3": seen}, {"n3": [OLD]})
    assert found.findings == ()
    assert (found.new, found.stop, found.leave) == (("n3",), ("n3",), ())
    assert (found.evict, found.aside) == ((), {"n3": OLD})


# --- what a run prints before it does it


def shown(result: MembersChange) -> list[str]:
    return [f"{step.host}: {step.kind}: {step.text}: {step.reason}" for step in result.steps]


def test_the_steps_of_a_removal() -> None:
    ghost = "emqx@10.0.0.9"
    what = desired("n1", "n2", removed={**names("n3"), ghost: ghost})
    found = run(what, together("n1", "n2", "n3", stopped=[ghost]))
    assert shown(found) == [
        "n3: leave: have emqx@10.0.0.3 leave the cluster: it is removed",
        "n3: stop: stop emqx@10.0.0.3: it is removed",
        "n1: force_leave: force-leave emqx@10.0.0.9: it is a member that cannot leave by itself",
        "n3: move_aside: move the database of emqx@10.0.0.3 aside, if any: no node can boot on it "
        "any more",
    ]
    assert found.impact == (
        "clients of n3 are cut off for good: they have to reconnect to other nodes",
    )


def test_data_that_is_deleted_is_named() -> None:
    what = desired("n1", "n2", removed=names("n3"), wipe_data=True)
    found = run(what, together("n1", "n2", "n3"))
    assert shown(found)[-1] == "n3: wipe: empty the data directory: emqx_wipe_data is true"


def test_the_steps_of_an_addition() -> None:
    found = run(desired("n1", "n2", "n3"), {**together("n1", "n2"), "n3": ABSENT})
    assert shown(found) == ["n3: join: start emqx@10.0.0.3 and have it join: it is no member yet"]
    assert found.impact == ()


def test_the_steps_of_a_rename() -> None:
    views = {**renamed(OLD), "n3": view(OLD, *names("n1", "n2").values())}
    found = run(desired("n1", "n2", "n3", rename="n3", may_join=("n3",)), views, {"n3": [OLD]})
    assert [(step.host, step.kind) for step in found.steps] == [
        ("n3", "leave"),
        ("n3", "stop"),
        ("n3", "move_aside"),
        ("n3", "join"),
    ]
    assert found.steps[0].text == f"have {OLD} leave the cluster"
    assert found.steps[3].text == "start emqx@10.0.0.3 and have it join"
    assert found.impact[0].startswith("clients of n3 are cut off until it is back as emqx@10.0.0.3")


def test_a_second_removal_has_only_the_database_to_look_for() -> None:
    found = run(desired("n1", "n2", removed=names("n3")), {**together("n1", "n2"), "n3": DOWN})
    assert [step.kind for step in found.steps] == ["move_aside"]
    assert found.impact == ()


def test_the_form_for_tasks_is_data() -> None:
    found = run(desired("n1", unknown=("n9",), removed=names("n2")), together("n1", "n2"))
    data = json.loads(json.dumps(found.as_dict()))
    assert data["leave"] == ["n2"]
    assert data["findings"][0]["code"] == "unknown_node"
    assert data["steps"][0]["host"] == "n2"


# --- what shall change, from the model and the settings

MODEL = cluster(node("n1", "10.0.0.1"), node("n2", "10.0.0.2", role="replicant"))


def test_a_change_without_anything_to_change() -> None:
    assert desired_change(MODEL, Settings(), ["n2"]) == DesiredChange(
        names=names("n1", "n2"),
        cores=(NAMES["n1"],),
        replicants=frozenset({NAMES["n2"]}),
        may_join=(),
        consent=frozenset({"n2"}),
    )


def test_what_is_removed_is_a_host_or_a_name() -> None:
    gone = node("n3", "10.0.0.3", role="replicant")
    found = desired_change(
        MODEL, Settings(), [], ["n3", "emqx@10.0.0.9", "n8"], {"n3": gone}, None, replaces=True
    )
    assert found.removed == {"n3": NAMES["n3"], "emqx@10.0.0.9": "emqx@10.0.0.9"}
    assert found.unknown == ("n8",)
    assert found.replicants == {NAMES["n2"], NAMES["n3"]}
    assert (found.may_join, found.replaces) == (None, True)


def test_the_settings_of_a_change() -> None:
    settings = Settings(min_cores=3, evict_running=True, wipe_data=True, old_node_name=OLD)
    found = desired_change(MODEL, settings, [], may_join=["n1"], rename="n1")
    assert (found.min_cores, found.evict_running, found.wipe_data) == (3, True, True)
    assert (found.rename, found.old_name, found.may_join) == ("n1", OLD, ("n1",))
    assert desired_change(MODEL, settings, []).old_name == ""
