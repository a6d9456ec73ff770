# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The order of an upgrade: a core, replicants, the other cores; what was cut short comes first."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import upgrade

OLD, NEW = "5.8.8", "5.8.9"


def unit(host: str, role: str = "core", version: str = OLD, **more: t.Any) -> upgrade.Unit:
    given = {"server": host, "runs": version, "ready": True, **more}
    return upgrade.Unit(f"emqx@{host}", role=role, installed=version, **given)


Made = t.Union[upgrade.Unit, t.Callable[[str], upgrade.Unit]]


def units(**given: Made) -> dict[str, upgrade.Unit]:
    return {h: one if isinstance(one, upgrade.Unit) else one(h) for h, one in given.items()}


def core(host: str, **more: t.Any) -> upgrade.Unit:
    return unit(host, **more)


def replicant(host: str, **more: t.Any) -> upgrade.Unit:
    return unit(host, "replicant", **more)


def test_cores_go_one_by_one() -> None:
    found = upgrade.plan(units(a=core, b=core, c=core), NEW, 1)
    assert found.batches == (("a",), ("b",), ("c",))
    assert found.whole["b"] == ("emqx@a", "emqx@b", "emqx@c")
    assert found.steps[0].text == "upgrade emqx@a from 5.8.8 to 5.8.9"
    assert found.impact == ("clients of a, b, c have to reconnect, one node after the other",)
    assert found.findings == ()


def test_a_core_then_replicants_then_the_other_cores() -> None:
    many = units(a=core, r=replicant, s=replicant, t=replicant, b=core)
    assert upgrade.plan(many, NEW, 1).batches == (("a",), ("r",), ("s",), ("t",), ("b",))
    assert upgrade.plan(many, NEW, 2).batches == (("a",), ("r", "s"), ("t",), ("b",))


def test_an_old_core_is_kept_while_there_are_old_replicants() -> None:
    """Whatever is done already, the last old core goes after the last old replicant."""
    hosts = ("a", "b", "c", "r", "s")
    for done in range(2 ** len(hosts)):
        made = {
            host: unit(
                host,
                "replicant" if host in "rs" else "core",
                NEW if done >> number & 1 else OLD,
            )
            for number, host in enumerate(hosts)
        }
        order = upgrade.plan(made, NEW, 1).pending
        old = [host for host in hosts if made[host].installed == OLD]
        assert sorted(order) == sorted(old)
        replicants = [place for place, host in enumerate(order) if host in "rs"]
        cores = [place for place, host in enumerate(order) if host in "abc"]
        if replicants and cores and len(cores) > 1:
            assert max(replicants) < max(cores)
        # And each of them finds a new one.
        if replicants:
            assert any(made[h].installed == NEW for h in "abc") or min(cores) < min(replicants)


def test_what_was_cut_short_is_finished_first() -> None:
    made = units(a=core, b=core(host="b", ready=False, runs=""), c=core)
    found = upgrade.plan(made, NEW, 1)
    assert found.batches == (("b",), ("a",), ("c",))
    assert found.running == ("emqx@a", "emqx@c")
    assert found.steps[0].reason.startswith("it is not ready")
    made = units(a=core(host="a", version=NEW), b=core(host="b", version=NEW, ready=False), c=core)
    found = upgrade.plan(made, NEW, 1)
    assert found.batches == (("b",), ("c",))
    assert found.done == ("a",)
    assert found.whole["b"] == ("emqx@a", "emqx@b", "emqx@c")
    assert found.steps[0].text == "bring emqx@b up with 5.8.9"


def test_several_that_are_down_count_only_once_they_are_back() -> None:
    down = {"ready": False, "runs": ""}
    made = units(a=core(host="a", **down), b=core(host="b", **down), c=core)
    found = upgrade.plan(made, NEW, 1)
    assert found.whole["a"] == ("emqx@a", "emqx@c")
    assert found.whole["b"] == ("emqx@a", "emqx@b", "emqx@c")


def test_a_node_that_runs_the_version_before_is_not_done() -> None:
    made = units(a=core(host="a", version=NEW, runs=OLD), b=core(host="b", version=NEW))
    assert upgrade.plan(made, NEW, 1).batches == (("a",),)


def test_nothing_is_left_to_do() -> None:
    found = upgrade.plan(units(a=core(host="a", version=NEW)), NEW, 1)
    assert (found.batches, found.steps, found.impact, found.done) == ((), (), (), ("a",))


def test_nodes_of_one_server_go_together() -> None:
    made = units(a=core(host="a", server="x"), b=core(host="b", server="x"), c=core)
    found = upgrade.plan(made, NEW, 1)
    assert found.batches == (("a", "b"), ("c",))
    assert found.steps[0].reason == "together: a, b share a server"


def test_the_only_core_needs_consent() -> None:
    (finding,) = upgrade.plan(units(a=core, r=replicant), NEW, 1).findings
    assert (finding.code, finding.hosts) == ("last_core", ("a",))
    assert upgrade.plan(units(a=core), NEW, 1, full_restart=True).findings == ()
    made = units(a=core(host="a", server="x"), b=core(host="b", server="x"))
    found = upgrade.plan(made, NEW, 1)
    assert [one.code for one in found.findings] == ["last_core"]
    assert found.impact == ("all clients are cut off while a, b is upgraded",)
