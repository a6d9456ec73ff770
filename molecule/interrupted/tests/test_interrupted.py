# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The controller is killed after each task that changes something; one more run finishes the work.

What a run knows only by itself, as that a unit was written or a file changed, the next one does
not know: all of it has to show on the host. Each host is a cluster of its own, three at a time.
"""

from __future__ import annotations

import signal
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab_hosts import ROOT, scenario_lab
from operations import changed, done, group, planned, together

LAB = scenario_lab()
AT_ONCE = 3
CALLBACKS = {
    "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/support/callbacks"),
    "ANSIBLE_CALLBACKS_ENABLED": "kill_after",
}


class Outcome(t.NamedTuple):
    """What came of a run that was killed after so many changes, or ended before them."""

    killed: bool
    left: set[str]
    """What the run after the one that followed would still do, by kind."""


def interrupted(folder: Path, number: int) -> Outcome:
    host = f"n{number}"
    folder = folder / host
    folder.mkdir()
    arguments = group(folder, **{host: {}})
    given: dict[str, t.Any] = {"emqx_cluster_name": f"cut{number}"}
    cut = {**CALLBACKS, "KILL_AFTER": str(number)}
    first = LAB.playbook("mqttops.emqx.site", *arguments, environment=cut, **given)
    assert first.returncode in (0, -signal.SIGKILL), first.stdout
    done(LAB.playbook("mqttops.emqx.site", *arguments, **given))
    together(LAB, host)
    left = planned(LAB, "mqttops.emqx.site", *arguments, **given)
    return Outcome(first.returncode != 0, {step["kind"] for step in left})


def test_one_more_run_finishes_what_was_cut_off(tmp_path: Path) -> None:
    numbers = range(1, len(LAB.addresses) + 1)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda number: interrupted(tmp_path, number), numbers))
    assert [outcome.left for outcome in found] == [set()] * len(found)
    # There are fewer changes than hosts: no moment was left out.
    assert [outcome.killed for outcome in found].index(False) > 5


def test_the_run_after_that_changes_nothing(tmp_path: Path) -> None:
    host = "n1"
    given: dict[str, t.Any] = {"emqx_cluster_name": "cut1"}
    again = LAB.playbook("mqttops.emqx.site", *group(tmp_path, **{host: {}}), **given)
    assert changed(done(again)) == set()
