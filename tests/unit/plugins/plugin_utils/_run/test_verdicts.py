# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is said of a cluster from all that was gathered."""

from __future__ import annotations

import datetime as dt

from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import verdicts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import INSPECT
from ansible_collections.mqttops.emqx.tests.unit.runs import Run


def test_a_run_that_failed_tells_of_the_cluster_as_it_is_after_it() -> None:
    run, scene = Run(3), Scene(3)
    run.purpose = INSPECT
    run.more = {"began": 990.0, "now": dt.datetime(1970, 1, 1, 0, 17)}
    run.survey(scene)
    for host in run.hosts:
        # Each saw itself alone before the join that failed later.
        alone = {**scene.evidence[host]["view"]["emqx"], "running_nodes": [scene.names[host]]}
        run.answers[host]["view"] = {"emqx": alone}
        run.answers[host]["links_again"] = {"probe": {"links": []}}
    found = verdicts.doctor(run.input())
    assert found["passed"], found["text"]
    assert found["data"]["status"]["healthy"] is True
    assert any("No cause of it shows on the hosts" in line for line in found["causes"])


def test_a_run_that_failed_ends_on_the_causes() -> None:
    run, scene = Run(3), Scene(3)
    run.purpose = INSPECT
    run.more = {"began": 990.0, "now": dt.datetime(1970, 1, 1, 0, 17)}
    scene.down("n3", active="inactive", sub="dead")
    run.survey(scene)
    found = verdicts.doctor(run.input())
    assert found["causes"][0].startswith("HOST ")
    assert "This run failed. 1 cause found on its hosts:" in found["causes"]
