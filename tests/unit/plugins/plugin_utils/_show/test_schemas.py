# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""All that is written for programs is as docs/schema/ says."""

from __future__ import annotations

import typing as t

import jsonschema
import pytest
from scenes import Scene
from schemas import FOLDER, check, validator

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.verdict import (
    DOCTOR,
    PREFLIGHT,
    verdict,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import status


def ill() -> Scene:
    scene = Scene(5, replicants=["n5"])
    scene.cut("n1", "n2")
    scene.down("n3", active="inactive")
    scene.lost("n4")
    scene.config("n1", keys={"mqtt.max_packet_size": "bb"})
    return scene


def partial() -> Scene:
    scene = Scene(3)
    del scene.evidence["n2"]
    return scene


SCENES: dict[str, t.Callable[[], Scene]] = {
    "healthy": Scene,
    "ill": ill,
    "partial": partial,
    "nobody": lambda: Scene(0),
}


def test_there_is_a_schema_for_each_output() -> None:
    names = {path.name.partition(".")[0] for path in FOLDER.iterdir()}
    assert names == {"finding", "plan", "preflight", "doctor", "status", "backup"}
    for name in names:
        jsonschema.Draft202012Validator.check_schema(validator(name).schema)


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_outputs_are_as_their_schemas_say(scene: t.Callable[[], Scene]) -> None:
    made = scene()
    found = diagnose(made.nodes, made.evidence)
    state = status(made.nodes, {h: answers["view"] for h, answers in made.evidence.items()})
    check("preflight", verdict(found.findings, found.links, PREFLIGHT).as_dict())
    check("doctor", {**verdict(found.findings, found.links, DOCTOR).as_dict(), "status": state})
    check("status", state)


@pytest.mark.parametrize(
    "change",
    [{"severity": "fatal"}, {"hosts": "n1"}, {"cause": "x"}, {"code": "Not A Code"}, {"found": ""}],
)
def test_the_schema_of_a_finding_tells_right_from_wrong(change: dict[str, t.Any]) -> None:
    scene = ill()
    right = diagnose(scene.nodes, scene.evidence).findings[0].as_dict()
    check("finding", right)
    with pytest.raises(jsonschema.ValidationError):
        check("finding", {**right, **change})
