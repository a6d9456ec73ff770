# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Tables of tests of the diagnosis: how a cluster is made ill, and what is said of it."""

from __future__ import annotations

import typing as t

from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import text
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose

Change = t.Callable[[Scene], None]
# name, how the cluster is made ill, the codes in their order, what the first cause says
Row = t.Tuple[str, Change, t.List[str], str]

NC = {"process": "nc", "pid": 77, "unit": "squatter.service"}


def steps(*changes: Change) -> Change:
    def apply(scene: Scene) -> None:
        for change in changes:
            change(scene)

    return apply


def every(action: t.Callable[[Scene, str], None]) -> Change:
    return steps(*(lambda scene, host=host: action(scene, host) for host in ("n1", "n2", "n3")))


def asks_etcd(host: str, failure: str) -> Change:
    """Have a host ask etcd, which fails it."""
    problems = [f"Host {host}: {failure}"] if failure else []
    found = {"strategy": "etcd", "failure": failure, "names": [], "problems": problems}
    return lambda s: s.evidence[host].update(discovery={"discovery": found})


def codes(scene: Scene) -> list[str]:
    return [found.code for found in diagnose(scene.nodes, scene.evidence).findings]


def check_row(change: Change, desired: list[str], words: str) -> None:
    """Make a cluster ill and compare what is said of it."""
    scene = Scene()
    change(scene)
    found = diagnose(scene.nodes, scene.evidence)
    assert [each.code for each in found.findings] == desired, text(found.findings)
    assert not desired or words in found.findings[0].found, text(found.findings)
    assert found.healthy == all(each.severity != "error" for each in found.findings)
