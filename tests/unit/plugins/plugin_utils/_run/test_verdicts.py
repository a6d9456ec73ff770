# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is said of a cluster from all that was gathered."""

from __future__ import annotations

import datetime as dt
import typing as t

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


class TestDiscovery:
    """What a run that failed says of what EMQX discovers."""

    FINDING: t.ClassVar[dict[str, t.Any]] = {
        "code": "extra",
        "hosts": ["n1"],
        "expected": "none of 10.9.9.9",
        "found": "10.9.9.9",
        "remedy": "remove the record",
    }

    def run(self, **more: t.Any) -> list[str]:
        run, scene = Run(3, discovery_strategy="dns", dns_name="mq.example.org"), Scene(3)
        run.purpose = INSPECT
        run.more = {"began": 990.0, "now": dt.datetime(1970, 1, 1, 0, 17)}
        scene.sees("n3", "n3")
        for host in ("n1", "n2"):
            scene.sees(host, "n1 n2")
        run.survey(scene)
        report = {
            "strategy": "dns",
            "source": "the A records of mq.example.org",
            "asked": "10.0.0.53",
            "failure": "",
            "names": ["emqx@10.9.9.9"],
            "entries": ["10.9.9.9"],
            "findings": [self.FINDING],
            **more,
        }
        for host in run.hosts:
            run.answers[host]["discovery"] = {"discovery": report}
        return t.cast("list[str]", verdicts.doctor(run.input())["causes"])

    def test_who_finds_what(self) -> None:
        lines = self.run()
        assert lines[-1] == (
            "n3 finds by the A records of mq.example.org (asked 10.0.0.53): emqx@10.9.9.9"
        )

    def test_what_is_wrong_with_it(self) -> None:
        assert "   remedy: remove the record" in self.run()

    def test_it_is_not_to_blame(self) -> None:
        lines = self.run(findings=[])
        assert not any("discovery_complete" in line for line in lines)
