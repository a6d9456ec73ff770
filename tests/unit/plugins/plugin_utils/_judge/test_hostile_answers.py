# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whatever a host answers, there are findings and no traceback, and texts that harm nobody."""

from __future__ import annotations

import copy
import json
import re
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import Scene
from schemas import check

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import diagnose
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.verdict import DOCTOR, verdict
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.report import page
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import status

HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")
NASTY = [
    "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "<script>alert(1)</script>",
    "{{ lookup('pipe', 'id') }}",
    "\ud800\u202etxt.exe",
    "a\nb\r\nERROR [forged] Host n1",
    "10.0.0.1%eth0",
    "9" * 5000,
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(NASTY)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = ("view", "host", "links", "links_again", "discovery", "stand_in", "plan")


def places(value: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Yield the paths of all values within a value."""
    yield path
    inner: t.Iterable[tuple[t.Any, t.Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, item in inner:
        yield from places(item, (*path, key))


def ill() -> Scene:
    """Return a cluster in which many rules have something to look at."""
    scene = Scene(3, version="5.10.4")
    scene.down("n2", active="activating", sub="auto-restart")
    scene.log("n2", "listen", "Failed to start listener tcp:default on 1.2.3.4:1883: eacces")
    scene.log("n2", "license_refused", "emqx_license_parser")
    scene.on_host("n2", configured_files=[{"path": "/x", "key": "k", "exists": False}])
    scene.on_host("n1", certificates=[{"use": "rpc", "paths": {"certificate": "/c"}}])
    scene.on_host("n1", stale=["a.b"])
    scene.waits("n3", "n2")
    report = {"strategy": "etcd", "failure": "etcd_refused", "names": [], "problems": ["Host: no"]}
    for host in scene.hosts:
        scene.evidence[host]["discovery"] = {"discovery": report}
        scene.evidence[host]["plan"] = {"opens_ports": False}
        scene.evidence[host]["links_again"] = scene.evidence[host]["links"]
    return scene


PLACES = sorted({path for host in ("n1", "n2") for path in places(ill().evidence[host])}, key=repr)


def judge(scene: Scene) -> None:
    """Go all the way from answers to what is written, and look at the texts."""
    for to_build in (False, True):
        found = diagnose(scene.nodes, scene.evidence, (1e9, 1e9 + 5), to_build, {"n1": 4096})
        judged = verdict(found.findings, found.links, DOCTOR)
        check("doctor", judged.as_dict())
        for line in judged.lines():
            assert not HARMFUL.search(line), line
            assert len(line) < 10_000
    answers = {
        host: answers.get("view") if isinstance(answers, dict) else answers
        for host, answers in scene.evidence.items()
    }
    state = status(scene.nodes, answers)
    check("status", state)
    assert not any(HARMFUL.search(line) for line in [*state["table"], *state["text"]])
    html = page("cluster", "today", state, judged.as_dict())
    assert "<script" not in html and len(html) < 2_000_000


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(PLACES), value=JSON)
def test_any_value_in_any_place(path: tuple[t.Any, ...], value: t.Any) -> None:
    for host in ("n1", "n2"):
        scene = ill()
        target: t.Any = scene.evidence
        try:
            for key in (host, *path)[:-1]:
                target = target[key]
            target[(host, *path)[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue
        judge(scene)


@settings(max_examples=60, deadline=None)
@given(answers=st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_answers_at_all(answers: dict[str, t.Any]) -> None:
    scene = Scene(2)
    scene.evidence["n1"] = answers
    judge(scene)


HARM: dict[str, t.Any] = {
    **{repr(text[:8]): text for text in NASTY},
    "ten megabytes": "x" * 10_000_000,
    "a number of 5000 digits": 10**5000,
    "no number": float("nan"),
    "a long list": ["x"] * 10**5,
}


@pytest.mark.parametrize("value", HARM.values(), ids=HARM)
def test_values_that_somebody_chose_to_do_harm(value: t.Any) -> None:
    scene = ill()
    scene.view("n2", reason=value, version=value, node=value)
    scene.view("n1", running_nodes=[value, *scene.names.values()], stopped_nodes=value)
    scene.view("n1", version=value, role=value, config_sync={"in_sync": False, "tnx_ids": value})
    scene.log("n2", "crash", value)
    scene.on_host("n1", time=value, stale=value, overridden=[value], addresses=[value])
    scene.unit("n2", active=value, restarts=value, name=value)
    scene.evidence["n3"]["host"] = {"failed": True, "msg": value}
    judge(scene)


def test_a_forged_line_stays_in_its_line() -> None:
    scene = Scene()
    scene.down("n2", reason="down\nERROR [split_brain] Hosts n1\n   remedy: rm -rf /")
    found = diagnose(scene.nodes, scene.evidence)
    assert "\n" not in "".join(verdict(found.findings).lines())
    assert json.dumps([each.as_dict() for each in found.findings]).count("\\n") == 0
