# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.outage import (
    Unit,
    lost,
    started_without,
    stop,
    without_database,
)


def units(*active: str, **stopped_at: float) -> dict[str, Unit]:
    """Return the nodes of hosts a, b and c, and the replicant r."""
    return {
        host: Unit(
            f"emqx@{host}",
            "replicant" if host == "r" else "core",
            host in active,
            stopped_at.get(host, 0.0),
        )
        for host in ("a", "b", "c", "r")
    }


def test_replicants_stop_first_and_the_first_core_last() -> None:
    found = stop(units("a", "b", "c", "r"))
    assert (found.together, found.cores) == (("r",), ("c", "b", "a"))
    assert [step.host for step in found.steps] == ["r", "c", "b", "a"]
    assert found.steps[-1].reason == "the last to stop, which has all there is"
    assert found.impact == ("all clients are cut off until the playbook start has run",)


def test_what_is_down_is_left_alone() -> None:
    found = stop(units("b"))
    assert (found.together, found.cores) == ((), ("b",))
    assert (stop(units()).steps, stop(units()).impact) == ((), ())


def test_a_start_without_some_members_says_who_stopped_last() -> None:
    (found,) = started_without(units(a=1000.0, b=2000.0), ["z"])
    assert (found.code, found.severity) == ("start_limited", "warning")
    assert found.found == "a run without z; b stopped last here"
    assert found.evidence[1] == "b stopped at 1970-01-01T00:33:20Z"


def test_nothing_is_said_where_others_run_or_nobody_is_left_out() -> None:
    assert list(started_without(units("c"), ["z"])) == []
    assert list(started_without(units(), [])) == []


def test_a_core_that_lost_its_database_is_left_alone() -> None:
    given = {**units("a"), "b": Unit("emqx@b", database=False)}
    assert lost(given) == ("b",)
    (found,) = without_database(given)
    assert (found.code, found.hosts) == ("no_database", ("b",))


def test_new_hosts_have_lost_nothing() -> None:
    assert lost({"a": Unit("emqx@a", database=False), "b": Unit("emqx@b", database=False)}) == ()
    assert lost({"a": Unit("emqx@a"), "r": Unit("emqx@r", "replicant", database=False)}) == ()
