# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Runs that change who the members are: what is done where, and what is refused before."""

from __future__ import annotations

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import ERROR, WARNING, is_error
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.members import MembersChange
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    ADD,
    REMOVE,
    RENAME,
    REPLACE,
)
from ansible_collections.mqttops.emqx.tests.unit.runs import Run, empty, todo


def scene(size: int = 3, *, absent: str = "", down: str = "") -> Scene:
    """Return a cluster in which a host runs no node yet, or whose node went down."""
    found = Scene(size)
    if absent:
        found.view(absent, state="down", running_nodes=[], node="", role="")
        rest = " ".join(host for host in found.hosts if host != absent)
        for host in rest.split():
            found.sees(host, rest)
    if down:
        found.down(down)
    return found


def cluster(purpose: str, found: Scene, **variables: object) -> Run:
    """Return a run on a cluster of three hosts that is as its inventory says."""
    run = Run(3)
    run.converge()
    run.everywhere(**variables)
    run.purpose = purpose
    run.views(found)
    return run


def change(plan: Deployment) -> MembersChange:
    assert plan.change is not None
    return plan.change


def errors(plan: Deployment) -> list[str]:
    return [finding.code for finding in plan.findings if is_error(finding)]


# -- add -------------------------------------------------------------------------------------------


def adding(**variables: object) -> Run:
    run = cluster(ADD, scene(absent="n3"), **variables)
    run.states["n3"] = empty()
    return run


def test_a_new_host_is_built_and_members_get_its_address() -> None:
    run = adding()
    plan = run.plan()
    assert errors(plan) == []
    assert (change(plan).new, change(plan).members) == (("n3",), ("n1", "n2"))
    assert {"install", "configure", "service", "membership"} <= todo(run)["n3"]
    assert todo(run)["n1"] == {"membership"}
    assert plan.look == ""
    assert run.result()["data"]["steps"][0] == {
        "host": "n3",
        "kind": "join",
        "text": "start emqx@10.0.0.3 and have it join",
        "reason": "it is no member yet",
    }


def test_only_hosts_that_were_named_are_added() -> None:
    plan = adding(new_hosts=["n9"]).plan()
    assert set(errors(plan)) == {"not_in_group"}
    plan = adding(new_hosts=["n3"]).plan()
    assert errors(plan) == []


def test_a_new_host_with_a_database_is_not_added_without_consent() -> None:
    run = adding()
    run.found("n3", data_nodes=("emqx@10.0.0.3",))
    assert "old_database" in errors(run.plan())
    run.on("n3", allow_data_loss=True)
    own = run.result()["hosts"]["n3"]
    assert change(run.plan()).aside == {"n3": "emqx@10.0.0.3"}
    assert own["database_from"] == "/var/lib/emqx/mnesia/emqx@10.0.0.3"
    assert own["database_to"].startswith("/var/lib/emqx/mnesia-aside-emqx@10.0.0.3-20")


@pytest.mark.parametrize(("purpose", "severity"), [(ADD, ERROR), (REMOVE, WARNING)])
def test_members_that_would_have_to_restart(purpose: str, severity: str) -> None:
    run = adding() if purpose == ADD else removing("n3")
    run.found("n1", stale=("node.process_limit",))
    (finding,) = [one for one in run.plan().findings if one.code == "restart_needed"]
    assert (finding.severity, finding.hosts) == (severity, ("n1",))
    assert "n1 would have to restart for node.process_limit" in finding.found


# -- remove ----------------------------------------------------------------------------------------


def removing(host: str, found: Scene | None = None, **variables: object) -> Run:
    run = cluster(REMOVE, found or Scene(3), remove_hosts=[host], **variables)
    run.outside(host)
    return run


def test_a_member_leaves_and_is_stopped() -> None:
    run = removing("n3")
    plan, result = run.plan(), run.result()
    assert errors(plan) == []
    assert (change(plan).leave, change(plan).stop) == (("n3",), ("n3",))
    assert (change(plan).evict, change(plan).evict_now) == (("emqx@10.0.0.3",), ())
    assert change(plan).seed == "n1"
    own = result["hosts"]["n3"]
    assert (own["stays"], own["wipes"], "node" in own) == (False, False, False)
    assert own["layout"]["data"] == "/var/lib/emqx"
    assert own["database_from"] == "/var/lib/emqx/mnesia/emqx@10.0.0.3"
    # Members get seeds and rules without the node.
    assert todo(run)["n1"] == {"firewall", "configure", "membership"}
    assert result["cluster"]["members"] == ["emqx@10.0.0.1", "emqx@10.0.0.2"]
    assert (
        "Clients: clients of n3 are cut off for good: they have to reconnect to other nodes"
        in (result["text"])
    )


def test_a_member_without_a_host_goes_by_its_name() -> None:
    found = Scene(3)
    found.down("n3")
    run = removing("n3", found)
    run.everywhere(remove_hosts=["emqx@10.0.0.3"])
    run.limit("n1", "n2")
    plan = run.plan()
    assert errors(plan) == []
    assert (change(plan).leave, change(plan).stop) == ((), ())
    assert change(plan).evict_now == ("emqx@10.0.0.3",)
    assert [step.kind for step in change(plan).steps] == ["force_leave"]


def test_data_is_wiped_where_that_was_asked_for() -> None:
    run = removing("n3", wipe_data=True)
    result = run.result()
    assert {host: own["wipes"] for host, own in result["hosts"].items()} == {
        "n1": False,
        "n2": False,
        "n3": True,
    }
    kinds = [step["kind"] for step in result["change"]["steps"]]
    assert kinds == ["leave", "stop", "wipe"]


def test_a_host_cannot_stay_and_go() -> None:
    run = cluster(REMOVE, Scene(3), remove_hosts=["n3"])
    plan = run.plan()
    assert errors(plan) == ["stays_and_goes"]
    assert run.result()["refusal"][0] == "Nothing was changed: 1 finding is in the way."


@pytest.mark.parametrize(
    ("named", "cores", "code"), [("n9", 1, "unknown_node"), ("n3", 3, "min_cores")]
)
def test_removals_that_are_refused(named: str, cores: int, code: str) -> None:
    run = removing("n3", min_cores=cores)
    run.everywhere(remove_hosts=[named])
    assert code in errors(run.plan())


def test_in_check_mode_membership_is_that_of_before() -> None:
    run = removing("n3")
    run.more["check_mode"] = True
    assert "membership" not in todo(run)["n1"]


# -- replace ---------------------------------------------------------------------------------------


def replacing(found: Scene) -> Run:
    run = cluster(REPLACE, found, dead_host="n2", new_host="n3")
    run.states["n3"] = empty()
    run.outside("n2")
    return run


def test_a_new_node_takes_the_place_of_a_dead_one() -> None:
    found = scene(absent="n3")
    found.down("n2")
    plan = replacing(found).plan()
    assert errors(plan) == []
    assert (change(plan).new, change(plan).evict_now) == (("n3",), ("emqx@10.0.0.2",))


def test_a_node_that_runs_is_not_replaced() -> None:
    assert errors(replacing(scene(absent="n3")).plan()) == ["not_dead"]


def test_a_dead_host_may_be_out_of_reach() -> None:
    found = scene(absent="n3")
    found.lost("n2")
    run = replacing(found)
    run.states["n2"] = type(run.state("n2"))(unreachable="Connection timed out")
    plan = run.plan()
    assert errors(plan) == []
    assert (change(plan).evict_now, change(plan).stop) == (("emqx@10.0.0.2",), ())


# -- rename ----------------------------------------------------------------------------------------


def renaming() -> Run:
    run = cluster(RENAME, Scene(3), rename_host="n3")
    run.on("n3", node_name="emqx3@10.0.0.3")
    return run


def test_a_renamed_node_goes_and_comes_back_as_a_new_one() -> None:
    run = renaming()
    plan, result = run.plan(), run.result()
    assert errors(plan) == []
    own = change(plan)
    assert (own.old_name, own.new, own.stop) == ("emqx@10.0.0.3", ("n3",), ("n3",))
    assert own.aside == {"n3": "emqx@10.0.0.3"}
    # It runs now, and starts all the same.
    assert (plan.restarts.start, plan.restarts.restart) == (("n3",), ())
    assert {host: one["starts_renamed"] for host, one in result["hosts"].items()} == {
        "n1": False,
        "n2": False,
        "n3": True,
    }
    assert {"configure", "service", "membership"} <= todo(run)["n3"]
    kinds = [step["kind"] for step in result["change"]["steps"]]
    assert kinds == ["leave", "stop", "move_aside", "join"]


def test_a_renamed_node_does_not_restart_for_what_it_ran_with() -> None:
    run = renaming()
    run.found("n3", stale=("node.name",))
    plan = run.plan()
    assert "restart_needed" not in errors(plan)
    assert plan.restarts.restart == ()


def test_without_a_view_nobody_is_changed() -> None:
    run = renaming()
    for host in run.hosts:
        run.answers[host] = {}
    assert "no_running_core" in errors(run.plan())
