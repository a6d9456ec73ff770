# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.members import Wish, plan

NAMES = {f"n{i}": f"emqx@10.0.0.{i}" for i in range(1, 6)}
ABSENT = {"emqx": {"state": "down", "installed": False, "reason": "no such user"}}
DOWN = {"emqx": {"state": "down", "installed": True, "reason": "not responding to pings"}}
BOOTING = {"emqx": {"state": "booting", "installed": True, "reason": "starting", "node": "x"}}
GONE = {"unreachable": True, "msg": "Connection timed out"}
FRESH = {"dashboard_users": 1}


def names(*hosts: str) -> dict[str, str]:
    return {host: NAMES[host] for host in hosts}


def ready(
    name: str, running: t.Iterable[str], stopped: t.Iterable[str] = (), **more: t.Any
) -> dict[str, t.Any]:
    view = {
        "state": "ready",
        "installed": True,
        "node": name,
        "role": "core",
        "running_nodes": sorted(running),
        "stopped_nodes": sorted(stopped),
        "data": FRESH,
        "config_changed": [],
        **more,
    }
    return {"emqx": view}


def cluster(*hosts: str, stopped: t.Iterable[str] = ()) -> dict[str, t.Any]:
    """Return the answers of hosts that form one cluster."""
    members = list(names(*hosts).values())
    down = [NAMES.get(host, host) for host in stopped]
    return {host: ready(NAMES[host], members, down) for host in hosts}


def wish(*wanted: str, **more: t.Any) -> Wish:
    return Wish(wanted=names(*wanted), cores=list(names(*wanted).values()), **more)


def run(
    what: Wish, answers: dict[str, t.Any], databases: dict[str, list[str]] | None = None
) -> dict[str, t.Any]:
    return plan(what, answers, databases or {})


def only_error(result: dict[str, t.Any]) -> str:
    (error,) = result["errors"]
    return str(error)


# --- add


def test_add_finds_the_new_hosts_by_itself() -> None:
    found = run(wish(*NAMES), {**cluster("n1", "n2", "n3"), "n4": ABSENT, "n5": ABSENT})
    assert found["errors"] == []
    assert (found["members"], found["new"]) == (["n1", "n2", "n3"], ["n4", "n5"])
    assert (found["leave"], found["stop"], found["evict"], found["aside"]) == ([], [], [], {})


def test_add_to_a_single_node() -> None:
    answers = {"n1": ready(NAMES["n1"], [NAMES["n1"]]), "n2": ABSENT, "n3": ABSENT}
    assert run(wish("n1", "n2", "n3"), answers)["new"] == ["n2", "n3"]


def test_add_a_second_time_has_nothing_to_do() -> None:
    assert run(wish("n1", "n2"), cluster("n1", "n2"))["new"] == []


def test_add_takes_only_the_named_hosts() -> None:
    answers = {**cluster("n1", "n2", "n3"), "n4": ABSENT, "n5": ABSENT}
    error = only_error(run(wish(*NAMES, may_join=["n4"]), answers))
    assert error.startswith("Host n5: expected a member, found it in the inventory group")
    assert run(wish("n1", "n2", "n3", "n4", may_join=["n4"]), answers)["errors"] == []


def test_add_wants_the_new_host_in_the_group() -> None:
    error = only_error(run(wish("n1", "n2", may_join=["n4"]), cluster("n1", "n2")))
    assert error.startswith("Host n4: expected a member of the cluster's inventory group")


def test_add_goes_on_with_a_node_that_a_killed_run_started() -> None:
    answers = {**cluster("n1", "n2"), "n3": ready(NAMES["n3"], [NAMES["n3"]])}
    found = run(wish("n1", "n2", "n3"), answers, {"n3": [NAMES["n3"]]})
    assert (found["errors"], found["new"], found["aside"]) == ([], ["n3"], {})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (DOWN, "found a database of emqx@10.0.0.3, which is no member"),
        (
            ready(NAMES["n3"], [NAMES["n3"]], data={"dashboard_users": 2, "banned": 4}),
            "Found 2: n1 (emqx@10.0.0.1) is in a cluster with emqx@10.0.0.2; "
            "n3 (emqx@10.0.0.3) holds 1 dashboard users, 4 banned",
        ),
        (
            ready(NAMES["n3"], [NAMES["n3"]], config_changed=["mqtt"]),
            "Host n3: expected an empty node, found that emqx@10.0.0.3 has run-time "
            "configuration of mqtt (cluster.hocon), which joining deletes",
        ),
    ],
)
def test_add_never_takes_data_without_consent(answer: dict[str, t.Any], expected: str) -> None:
    answers = {**cluster("n1", "n2"), "n3": answer}
    databases = {"n3": [NAMES["n3"]]}
    found = run(wish("n1", "n2", "n3"), answers, databases)
    assert expected in found["errors"][0]
    assert "emqx_allow_data_loss: true" in found["errors"][0]
    agreed = run(wish("n1", "n2", "n3", consent=["n3"]), answers, databases)
    assert (agreed["errors"], agreed["new"]) == ([], ["n3"])
    assert agreed["aside"] == ({"n3": NAMES["n3"]} if answer is DOWN else {})


@pytest.mark.parametrize(
    ("answer", "found"),
    [(BOOTING, "booting (starting)"), (GONE, "unreachable (Connection timed out)")],
)
@pytest.mark.parametrize("rename", ["", "n3"])
def test_nobody_joins_before_it_is_known_what_it_holds(
    answer: dict[str, t.Any], found: str, rename: str
) -> None:
    answers = {**cluster("n1", "n2"), "n3": answer}
    result = run(wish("n1", "n2", "n3", rename=rename), answers, {"n3": [NAMES["n3"]]})
    assert f"Host n3: expected a node that is ready or down, found it {found}" in only_error(result)


def test_add_refuses_while_a_member_is_stopped() -> None:
    answers = {**cluster("n1", "n2", stopped=["n3"]), "n3": GONE, "n4": ABSENT}
    found = run(wish("n1", "n2", "n3", "n4"), answers)
    assert found["errors"][0].startswith("Host n3: expected all members that stay to be ready")
    assert "Connection timed out" in found["errors"][0]
    assert "found emqx@10.0.0.3 stopped" in found["errors"][1]
    assert "replace_node" in found["errors"][1]


def test_nothing_is_changed_while_views_differ() -> None:
    answers = cluster("n1", "n2", "n3")
    answers["n3"] = ready(NAMES["n3"], [NAMES["n3"]], [NAMES["n1"], NAMES["n2"]])
    error = run(wish("n1", "n2", "n3", "n4"), {**answers, "n4": ABSENT})["errors"][0]
    assert error.startswith("Host n3: expected all members to see the same cluster")
    assert "emqx@10.0.0.3 running and emqx@10.0.0.1, emqx@10.0.0.2 stopped here" in error


def test_nothing_is_changed_without_a_running_member() -> None:
    error = run(wish("n1", "n2"), {"n1": DOWN, "n2": ABSENT}, {"n1": [NAMES["n1"]]})["errors"][0]
    assert "found none (n1 is down (not responding to pings), n2 is down (no such user))" in error
    assert "playbook site" in error


# --- remove


def test_a_running_node_leaves_by_itself() -> None:
    found = run(wish("n1", "n2", removed=names("n3")), cluster("n1", "n2", "n3"))
    assert found["errors"] == []
    assert (found["leave"], found["stop"]) == (["n3"], ["n3"])
    assert (found["seed"], found["evict"], found["evict_now"]) == ("n1", [NAMES["n3"]], [])
    assert found["aside"] == names("n3")


@pytest.mark.parametrize(("answer", "stops"), [(DOWN, ["n3"]), (GONE, []), (BOOTING, ["n3"])])
def test_a_node_that_is_down_is_force_left(answer: dict[str, t.Any], stops: list[str]) -> None:
    answers = {**cluster("n1", "n2", stopped=["n3"]), "n3": answer}
    found = run(wish("n1", "n2", removed=names("n3")), answers)
    assert found["errors"] == []
    assert (found["leave"], found["stop"], found["evict_now"]) == ([], stops, [NAMES["n3"]])
    assert list(found["aside"]) == stops


def test_a_node_without_a_host_is_force_left() -> None:
    ghost = "emqx@10.0.0.9"
    answers = cluster("n1", "n2", stopped=[ghost])
    found = run(wish("n1", "n2", removed={ghost: ghost}), answers)
    assert (found["errors"], found["evict_now"]) == ([], [ghost])


def test_two_dead_ones_go_in_one_run() -> None:
    answers = {**cluster("n1", stopped=["n2", "n3"]), "n2": GONE, "n3": DOWN}
    found = run(wish("n1", removed=names("n2", "n3")), answers)
    assert (found["errors"], found["evict_now"]) == ([], [NAMES["n2"], NAMES["n3"]])


def test_removing_a_second_time_evicts_nobody() -> None:
    found = run(wish("n1", "n2", removed=names("n3")), {**cluster("n1", "n2"), "n3": DOWN})
    assert (found["errors"], found["leave"], found["evict_now"]) == ([], [], [])
    assert found["stop"] == ["n3"]


def test_a_left_node_that_runs_alone_is_stopped() -> None:
    answers = {**cluster("n1", "n2"), "n3": ready(NAMES["n3"], [NAMES["n3"]])}
    found = run(wish("n1", "n2", removed=names("n3")), answers)
    assert (found["errors"], found["leave"], found["stop"]) == ([], [], ["n3"])


def test_a_running_node_on_a_lost_host_would_come_back() -> None:
    answers = {**cluster("n1", "n2", "n3"), "n3": GONE}
    error = only_error(run(wish("n1", "n2", removed=names("n3")), answers))
    assert (
        "found it running as its peers see it, and unreachable (Connection timed out) from here"
        in error
    )
    assert "emqx_evict_running" in error
    agreed = run(wish("n1", "n2", removed=names("n3"), evict_running=True), answers)
    assert (agreed["errors"], agreed["evict_now"]) == ([], [NAMES["n3"]])


def test_the_cores_the_user_wants_stay() -> None:
    answers = cluster("n1", "n2", "n3")
    error = only_error(run(wish("n1", "n2", removed=names("n3"), min_cores=3), answers))
    assert "Expected at least 3 cores to stay (emqx_min_cores), found 2" in error


def test_unknown_hosts_are_named() -> None:
    result = run(wish("n1", unknown=["n9"]), cluster("n1", "n2"))
    assert "found n9, which the inventory does not have" in only_error(result)


def test_a_host_stays_or_goes() -> None:
    result = run(wish("n1", "n2", removed=names("n2")), cluster("n1", "n2"))
    assert only_error(result) == "Host n2: expected to stay or to go, found both"


def test_removal_wants_all_others_to_be_members() -> None:
    answers = {**cluster("n1", "n2"), "n3": ABSENT}
    error = only_error(run(wish("n1", "n3", may_join=[], removed=names("n2")), answers))
    assert error.startswith("Host n3: expected a member")


def test_removal_wants_survivors_that_run() -> None:
    answers = {**cluster("n1", "n3", stopped=["n2"]), "n2": DOWN}
    error = only_error(run(wish("n1", "n2", may_join=[], removed=names("n3")), answers))
    assert error.startswith("Host n2: expected all members that stay to be ready")


# --- replace


def test_the_dead_one_goes_before_the_new_one_comes() -> None:
    answers = {**cluster("n1", "n3", stopped=["n2"]), "n2": GONE, "n4": ABSENT}
    what = wish("n1", "n3", "n4", removed=names("n2"), may_join=["n4"], replaces=True)
    found = run(what, answers)
    assert found["errors"] == []
    assert (found["evict_now"], found["new"], found["stop"]) == ([NAMES["n2"]], ["n4"], [])


@pytest.mark.parametrize("reachable", [True, False])
def test_replacing_a_living_node_is_refused(reachable: bool) -> None:
    answers = {**cluster("n1", "n2", "n3"), "n4": ABSENT}
    if not reachable:
        answers["n2"] = GONE
    more = {"removed": names("n2"), "may_join": ["n4"], "replaces": True}
    error = only_error(run(wish("n1", "n3", "n4", **more), answers))
    assert "Host n2: expected a dead member, found emqx@10.0.0.2 running" in error
    agreed = run(wish("n1", "n3", "n4", evict_running=True, **more), answers)
    assert agreed["errors"] == []
    assert agreed["leave"] == (["n2"] if reachable else [])


def test_a_second_dead_member_stands_against_a_replacement() -> None:
    answers = {**cluster("n1", stopped=["n2", "n3"]), "n2": GONE, "n3": DOWN, "n4": ABSENT}
    what = wish("n1", "n3", "n4", removed=names("n2"), may_join=["n4"], replaces=True)
    errors = run(what, answers)["errors"]
    assert any("found emqx@10.0.0.3 stopped" in error for error in errors)


# --- rename


OLD = "emqx@10.0.0.9"


def renamed(*running: str, stopped: t.Iterable[str] = ()) -> dict[str, t.Any]:
    members = [*names("n1", "n2").values(), *running]
    return {h: ready(NAMES[h], members, stopped) for h in ("n1", "n2")}


def test_a_running_node_leaves_under_its_old_name() -> None:
    answers = {**renamed(OLD), "n3": ready(OLD, [*names("n1", "n2").values(), OLD])}
    found = run(wish("n1", "n2", "n3", rename="n3", may_join=["n3"]), answers, {"n3": [OLD]})
    assert found["errors"] == []
    assert (found["old_name"], found["members"], found["new"]) == (OLD, ["n1", "n2"], ["n3"])
    assert (found["leave"], found["stop"], found["evict"]) == (["n3"], ["n3"], [OLD])
    assert (found["aside"], found["evict_now"]) == ({"n3": OLD}, [])


@pytest.mark.parametrize("given", ["", OLD])
def test_a_stopped_node_is_force_left_under_its_old_name(given: str) -> None:
    answers = {**renamed(stopped=[OLD]), "n3": DOWN}
    databases = {"n3": [] if given else [OLD]}
    what = wish("n1", "n2", "n3", rename="n3", old_name=given, may_join=["n3"])
    found = run(what, answers, databases)
    assert (found["errors"], found["old_name"], found["evict_now"]) == ([], OLD, [OLD])
    assert found["aside"] == {"n3": OLD}


def test_a_renamed_node_has_nothing_left_to_do() -> None:
    what = wish("n1", "n2", "n3", rename="n3", may_join=["n3"])
    found = run(what, cluster("n1", "n2", "n3"), {"n3": [NAMES["n3"]]})
    assert (found["errors"], found["old_name"], found["new"]) == ([], "", [])
    assert (found["leave"], found["stop"], found["evict"], found["aside"]) == ([], [], [], {})


def test_a_rename_goes_on_where_a_killed_run_stopped() -> None:
    what = wish("n1", "n2", "n3", rename="n3", may_join=["n3"])
    found = run(what, {**cluster("n1", "n2"), "n3": DOWN}, {"n3": []})
    assert (found["errors"], found["new"], found["evict"]) == ([], ["n3"], [])


def test_several_old_names_are_a_question() -> None:
    answers = {**renamed(stopped=[OLD]), "n3": DOWN}
    what = wish("n1", "n2", "n3", rename="n3", may_join=["n3"])
    errors = run(what, answers, {"n3": [OLD, "emqx@10.0.0.8"]})["errors"]
    assert "found databases of emqx@10.0.0.9, emqx@10.0.0.8: set emqx_old_node_name" in errors[0]


def test_a_lone_node_has_nobody_to_get_its_data_from() -> None:
    error = run(wish("n1", rename="n1"), {"n1": ready(OLD, [OLD])}, {"n1": [OLD]})["errors"][0]
    assert "Expected a running core to work with, found none (n1 is ready)" in error


# --- replicants


def with_replicant(
    *hosts: str, replicants: t.Sequence[str] = ("n3",), stopped: t.Iterable[str] = ()
) -> dict[str, t.Any]:
    answers = cluster(*hosts, stopped=stopped)
    for host in set(replicants) & set(hosts):
        answers[host]["emqx"]["role"] = "replicant"
    return answers


REPLICANT = {"replicants": [NAMES["n3"]]}


def test_a_replicant_goes_by_being_stopped() -> None:
    what = wish("n1", "n2", may_join=[], removed=names("n3"), **REPLICANT)
    found = run(what, with_replicant("n1", "n2", "n3"))
    assert found["errors"] == []
    assert (found["stop"], found["leave"], found["evict"]) == (["n3"], [], [])


def test_nobody_remembers_a_dead_replicant() -> None:
    answers = {**cluster("n1", "n2"), "n3": GONE, "n4": ABSENT}
    what = wish("n1", "n2", "n4", removed=names("n3"), may_join=["n4"], replaces=True, **REPLICANT)
    found = run(what, answers)
    assert found["errors"] == []
    assert (found["stop"], found["evict"], found["new"]) == ([], [], ["n4"])


def test_an_unreachable_replicant_that_runs_cannot_be_removed() -> None:
    answers = {**with_replicant("n1", "n2", "n3"), "n3": GONE}
    more = {"may_join": [], "removed": names("n3"), "evict_running": True, **REPLICANT}
    error = only_error(run(wish("n1", "n2", **more), answers))
    assert error.startswith("Host n3: expected the replicant emqx@10.0.0.3 to be stopped")
    assert error.endswith("cut its power first")


def test_a_replicant_is_added_whatever_it_holds() -> None:
    answers = {**cluster("n1", "n2"), "n3": DOWN}
    found = run(wish("n1", "n2", "n3", **REPLICANT), answers, {"n3": [NAMES["n3"]]})
    assert (found["errors"], found["new"]) == ([], ["n3"])
    assert found["aside"] == {"n3": NAMES["n3"]}


def test_a_replicant_that_is_down_is_a_member_that_is_down() -> None:
    answers = {**cluster("n1", "n2"), "n3": DOWN, "n4": ABSENT}
    what = wish("n1", "n2", "n3", "n4", may_join=["n4"], **REPLICANT)
    error = only_error(run(what, answers))
    assert error.startswith("Host n3: expected all members that stay to be ready")


def test_only_a_core_forces_others_out() -> None:
    answers = with_replicant("n1", "n2", "n3", replicants=["n1"])
    what = wish("n1", "n2", may_join=[], removed=names("n3"), replicants=[NAMES["n1"]])
    assert run(what, answers)["seed"] == "n2"
    alone = {"n1": answers["n1"], "n2": DOWN, "n3": DOWN}
    assert "Expected a running core to work with" in run(what, alone)["errors"][0]


def test_a_renamed_replicant_just_starts_under_its_new_name() -> None:
    view = ready(OLD, [*names("n1", "n2").values(), OLD], role="replicant")
    what = wish("n1", "n2", "n3", rename="n3", may_join=["n3"], **REPLICANT)
    found = run(what, {**renamed(OLD), "n3": view}, {"n3": [OLD]})
    assert found["errors"] == []
    assert (found["new"], found["stop"], found["leave"]) == (["n3"], ["n3"], [])
    assert (found["evict"], found["aside"]) == ([], {"n3": OLD})
