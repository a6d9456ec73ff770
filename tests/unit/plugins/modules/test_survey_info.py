# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import socket
import threading
import time
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import ParseError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import evidence
from ansible_collections.mqttops.emqx.plugins.module_utils._host import probe as _probe
from ansible_collections.mqttops.emqx.plugins.module_utils._module import (
    cluster_info as _cluster_info,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._module import host_info as _host_info
from ansible_collections.mqttops.emqx.plugins.module_utils._module import survey_info as _survey
from ansible_collections.mqttops.emqx.plugins.modules import survey_info
from ansible_collections.mqttops.emqx.tests.unit.documented import documented


def run(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        survey_info.main()
    return dict(json.loads(capsys.readouterr().out))


@pytest.fixture(name="node")
def _node() -> t.Iterator[dict[str, t.Any]]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1], other.getsockname()[1]]
    name = "emqx@127.0.0.1"
    yield {"name": name, "host": "127.0.0.1", "dist_port": ports[0], "rpc_port": ports[1]}
    _probe.close(ports)


class Host:
    """The answers of a host by module, each ready only when all are asked for."""

    def __init__(self, count: int, state: str = "down", active: str = "inactive") -> None:
        self._all = threading.Barrier(count, timeout=10)
        self.state, self.active = state, active
        self.params: dict[str, t.Any] = {}

    def read(self, name: str, answer: dict[str, t.Any]) -> t.Callable[..., dict[str, t.Any]]:
        def read(params: dict[str, t.Any], *_run_command: t.Any) -> dict[str, t.Any]:
            self.params[name] = params
            self._all.wait()
            return answer

        return read

    def answers(self) -> dict[str, tuple[t.Any, t.Any]]:
        view = {"emqx": {"state": self.state}}
        found = {"evidence": {"unit": {"active": self.active}}}
        return {
            "host_info": (_host_info.OPTIONS, self.read("host_info", {"host": {}})),
            "cluster_info": (_cluster_info.OPTIONS, self.read("cluster_info", view)),
            "evidence_info": (evidence.OPTIONS, self.read("evidence_info", found)),
            "cluster_probe": (_probe.OPTIONS, self.read("cluster_probe", {"probe": {}})),
        }


def asked(monkeypatch: pytest.MonkeyPatch, host: Host) -> Host:
    monkeypatch.setattr(_survey, "READS", host.answers())
    return host


def test_all_are_asked_at_the_same_time_with_their_own_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = asked(monkeypatch, Host(2))
    answer = run(capsys, cluster_info={"timeout": "7"}, host_info={"root_dir": "/srv"})
    assert answer["changed"] is False
    assert answer["cluster_info"] == {"emqx": {"state": "down"}}
    assert answer["host_info"] == {"host": {}}
    assert "evidence_info" not in answer
    assert host.params["cluster_info"]["timeout"] == 7
    assert host.params["cluster_info"]["command"] == ["emqx"]
    assert host.params["host_info"]["root_dir"] == "/srv"


def test_what_cannot_be_read_leaves_the_rest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: t.Any) -> dict[str, t.Any]:
        raise ParseError("emqx eval broke off")

    def missing(*_arguments: t.Any) -> dict[str, t.Any]:
        raise OSError("the command ip is not installed on this host")

    answers = Host(1).answers()
    answers["cluster_info"] = (_cluster_info.OPTIONS, broken)
    answers["evidence_info"] = (evidence.OPTIONS, missing)
    monkeypatch.setattr(_survey, "READS", answers)
    answer = run(capsys, cluster_info={}, evidence_info={}, host_info={})
    assert "failed" not in answer
    assert answer["cluster_info"]["failed"]
    assert answer["cluster_info"]["failure"]["code"] == "parse"
    assert answer["evidence_info"]["msg"].startswith("Reading the host failed: the command ip")
    assert answer["host_info"] == {"host": {}}


def test_an_option_that_the_module_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    failed = run(capsys, host_info={"root": "/srv"})
    assert failed["failed"]
    assert failed["msg"].startswith("options of host_info: root. Supported parameters include:")


@pytest.mark.parametrize(
    ("state", "active", "listens"),
    [
        ("down", "inactive", True),
        ("down", "failed", True),
        # It starts, or waits for its next start.
        ("down", "activating", False),
        ("booting", "active", False),
        ("ready", "active", False),
    ],
)
def test_a_listener_stands_in_for_a_node_that_stays_down(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    node: dict[str, t.Any],
    state: str,
    active: str,
    listens: bool,
) -> None:
    asked(monkeypatch, Host(3, state, active))
    probe = {"node": node["name"], "nodes": [node], "seconds": 20}
    answer = run(capsys, cluster_info={}, evidence_info={}, cluster_probe=probe, stand_in=True)
    assert answer.get("stand_in") == ({"busy": {}} if listens else None)
    states = _probe.dial([("127.0.0.1", node["dist_port"])], 1)
    assert set(states.values()) == {"open" if listens else "refused"}


def test_a_listener_of_an_earlier_run_is_not_taken_for_something_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, node: dict[str, t.Any]
) -> None:
    probe = {"node": node["name"], "nodes": [node], "seconds": 20, "expected_peers": 2}
    _probe.read({**probe, "ipv6": False, "state": "listening"})
    answers = Host(2).answers()
    answers["cluster_probe"] = (_probe.OPTIONS, lambda params, _run: _probe.read(params))
    monkeypatch.setattr(_survey, "READS", answers)
    answer = run(capsys, cluster_info={}, evidence_info={}, cluster_probe=probe, stand_in=True)
    assert answer["cluster_probe"]["probe"]["listening"] == {}
    assert answer["stand_in"] == {"busy": {}}
    assert {link["state"] for link in answer["cluster_probe"]["probe"]["links"]} == {"open"}
    # Others may have been there, and not here.
    assert not answer["all_open"]


def meeting(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    nodes: list[dict[str, t.Any]],
    **host: t.Any,
) -> dict[str, t.Any]:
    answers = Host(2, **host).answers()
    answers["cluster_probe"] = (_probe.OPTIONS, lambda params, _run: _probe.read(params))
    monkeypatch.setattr(_survey, "READS", answers)
    probe = {"node": nodes[0]["name"], "nodes": nodes, "seconds": 20, "expected_peers": 1}
    return run(capsys, cluster_info={}, evidence_info={}, cluster_probe=probe, stand_in=True)


def test_hosts_that_meet_need_no_second_try(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, node: dict[str, t.Any]
) -> None:
    answer = meeting(capsys, monkeypatch, [node])
    assert answer["all_open"]
    assert {link["state"] for link in answer["cluster_probe"]["probe"]["links"]} == {"open"}
    # Its only peer has tried it.
    deadline = time.monotonic() + 10
    while set(_probe.dial([("127.0.0.1", node["dist_port"])], 1).values()) != {"refused"}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_hosts_that_do_not_meet_say_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, node: dict[str, t.Any]
) -> None:
    other = {**node, "name": "emqx@127.0.0.2", "host": "127.0.0.2", "dist_port": 1, "rpc_port": 1}
    answer = meeting(capsys, monkeypatch, [node, other])
    assert answer["all_open"] is False
    states = {link["to"]: link["state"] for link in answer["cluster_probe"]["probe"]["links"]}
    assert states == {node["name"]: "open", "emqx@127.0.0.2": "refused"}
    # A node that is about to start is nobody's to stand in for.
    assert meeting(capsys, monkeypatch, [node], active="activating")["all_open"] is False


def test_one_node_speaks_for_those_that_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, node: dict[str, t.Any]
) -> None:
    probe = {"node": node["name"], "nodes": [node]}
    asks: dict[str, t.Any] = {"cluster_info": {}, "evidence_info": {}, "cluster_probe": probe}
    runs = [{"node": "emqx@127.0.0.9"}]
    monkeypatch.setattr(_survey, "processes", lambda service: runs if service else [])
    host = asked(monkeypatch, Host(3))
    assert run(capsys, **asks, speaks_for_others=True)["cluster_info"] == {
        "emqx": {"state": "down"}
    }
    assert host.params["cluster_info"]["others"] is True
    # Its own node does not run: nobody else can tell why.
    assert run(capsys, **asks, speaks_for_others=False)["cluster_info"] == {
        "emqx": {"state": "down"}
    }
    assert host.params["cluster_info"]["others"] is False
    runs.append({"node": node["name"]})
    asked(monkeypatch, Host(2))
    answer = run(capsys, **asks, speaks_for_others=False)
    assert "cluster_info" not in answer
    assert answer["evidence_info"]["evidence"]["unit"] == {"active": "inactive"}


def test_the_documentation_names_the_options() -> None:
    options = documented("survey_info")["DOCUMENTATION"]["options"]
    names = {*_survey.READS, "stand_in", "speaks_for_others"}
    assert set(options) == set(survey_info.ARGUMENT_SPEC) == names
