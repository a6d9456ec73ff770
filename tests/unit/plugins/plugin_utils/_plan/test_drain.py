# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import drain


def planned(
    host: str = "n2",
    state: str = drain.STOPPED,
    down: t.Collection[str] = (),
    evacuates: bool = False,
    replicants: t.Sequence[str] = (),
) -> drain.Drain:
    scene = Scene(3, replicants=replicants)
    running = tuple(scene.names[name] for name in scene.hosts if name not in down)
    views = {
        name: NodeView("down")
        if name in down
        else NodeView("ready", node=scene.names[name], running=running)
        for name in scene.hosts
    }
    return drain.plan(host, state, scene.nodes, views, evacuates)


def codes(found: drain.Drain) -> list[str]:
    return [finding.code for finding in found.findings]


def kinds(found: drain.Drain) -> list[str]:
    return [step.kind for step in found.steps]


def test_a_node_is_stopped_while_another_one_watches() -> None:
    found = planned()
    assert (found.host, found.witness, codes(found)) == ("n2", "n1", [])
    assert found.others == ("emqx@10.0.0.1", "emqx@10.0.0.3")
    assert kinds(found) == ["stop"]
    assert found.impact == ("clients of n2 have to reconnect to other nodes",)


def test_its_clients_are_handed_over_first_where_the_edition_can() -> None:
    found = planned(evacuates=True)
    assert kinds(found) == ["evacuate", "stop"]
    assert found.impact == ("clients of n2 are handed to other nodes",)
    assert kinds(planned(state=drain.EVACUATED, evacuates=True)) == ["evacuate"]


def test_of_a_node_that_is_down_no_client_is_handed_over() -> None:
    found = planned(evacuates=True, down=["n2"])
    assert (found.evacuates, found.serves, kinds(found)) == (False, False, ["stop"])
    assert found.impact == ()


@pytest.mark.parametrize("down", [["n1", "n3"], ["n1"]])
def test_the_last_core_is_not_drained(down: list[str]) -> None:
    replicants = ["n3"] if down == ["n1"] else []
    assert codes(planned(down=down, replicants=replicants)) == ["last_core"]


def test_no_second_node_goes_out_of_service() -> None:
    (found,) = planned(down=["n3"]).findings
    assert (found.code, found.hosts) == ("member_down", ("n3",))


def test_it_is_brought_back_however_few_there_are() -> None:
    found = planned(state=drain.SERVING, down=["n1", "n2", "n3"])
    assert (kinds(found), codes(found), found.impact) == (["start"], [], ())


def test_only_some_editions_hand_over_clients() -> None:
    assert codes(planned(state=drain.EVACUATED)) == ["no_evacuation"]


@pytest.mark.parametrize("host", ["", "n9"])
def test_a_host_that_is_none(host: str) -> None:
    assert codes(planned(host)) == ["no_member"]
