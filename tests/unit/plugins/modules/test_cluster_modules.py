# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The three modules as Ansible runs them: arguments in, one JSON result out."""

from __future__ import annotations

import json
import typing as t
from types import ModuleType

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._module import (
    cluster_info as _cluster_info,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node import wait
from ansible_collections.mqttops.emqx.plugins.modules import (
    cluster_info,
    cluster_member,
    cluster_wait,
)
from ansible_collections.mqttops.emqx.tests.unit.scripted import (
    DOWN,
    EVICTED,
    JOINED,
    N1,
    N2,
    N3,
    NOT_INSTALLED,
    TWICE,
    Answer,
    ScriptedRunner,
    peer,
    view,
)

ALONE = view(N2, [N2], peers={N1: peer([N1])})
MEMBER = view(N2, [N1, N2], peers={N1: peer([N1, N2])})
JOIN_CALL = f"ctl cluster join {N1}"


class Host:
    """Runs a module against a scripted command line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = monkeypatch, capfd
        self.runner = ScriptedRunner()
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        # What ansible does with a warning depends on which of its parts a process has loaded.
        self.warnings: list[str] = []
        monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: self.warnings.append(text))

    def run(
        self, module: ModuleType, args: dict[str, t.Any], *script: tuple[str, Answer]
    ) -> dict[str, t.Any]:
        self.runner = runner = ScriptedRunner(*script)

        def run_command(
            _module: AnsibleModule, argv: list[str], **options: t.Any
        ) -> tuple[int, str, str]:
            assert options["data"] == "\n"
            assert options["handle_exceptions"] is False
            return runner(argv, options["environ_update"])

        self._patch.setattr(AnsibleModule, "run_command", run_command)
        with patch_module_args(args), pytest.raises(SystemExit) as end:
            module.main()
        runner.finish()
        result: dict[str, t.Any] = json.loads(self._capture.readouterr().out)
        assert bool(result.get("failed")) == bool(end.value.code)
        return result


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Host:
    return Host(monkeypatch, capfd)


def lists(running: list[str], stopped: list[str] | None = None) -> dict[str, list[str]]:
    return {"running_nodes": running, "stopped_nodes": stopped or []}


# cluster_member


def test_join(host: Host) -> None:
    result = host.run(
        cluster_member,
        {"seed": N1, "environment": {"EMQX_NODE__NAME": N2}},
        ("eval", ALONE),
        (JOIN_CALL, JOINED),
        ("eval", MEMBER),
    )
    before, after = lists([N2]), lists([N1, N2])
    assert result["changed"] is True
    assert result["action"] == "join"
    assert result["msg"] == f"this node is alone and {N1} is ready"
    assert result["members"] == result["diff"] == {"before": before, "after": after}
    assert host.runner.environments[0]["EMQX_NODE__NAME"] == N2


def test_join_again(host: Host) -> None:
    result = host.run(cluster_member, {"seed": N1}, ("eval", MEMBER))
    assert (result["changed"], result["action"]) == (False, "none")


def test_join_in_check_mode(host: Host) -> None:
    args = {"seed": N1, "_ansible_check_mode": True}
    result = host.run(cluster_member, args, ("eval", ALONE))
    assert (result["changed"], result["action"]) == (True, "join")
    assert result["diff"]["after"] == lists([N1, N2])


def test_join_in_check_mode_before_anything_is_installed(host: Host) -> None:
    args = {"seed": N1, "_ansible_check_mode": True}
    result = host.run(cluster_member, args, ("eval", NOT_INSTALLED))
    assert (result["changed"], result["msg"]) == (True, "EMQX is not installed here yet")


def test_refusal(host: Host) -> None:
    rich = view(N2, [N2], peers={N1: peer([N1])}, data={"emqx_app": 2})
    result = host.run(cluster_member, {"seed": N1}, ("eval", rich))
    assert "2 api keys; set allow_data_loss" in result["msg"]
    assert result["failure"] == {"code": "refused", "details": {"seen": lists([N2])}}


def test_consent(host: Host) -> None:
    rich = view(N2, [N2], peers={N1: peer([N1])}, data={"emqx_app": 2})
    result = host.run(
        cluster_member,
        {"seed": N1, "allow_data_loss": True},
        ("eval", rich),
        (JOIN_CALL, JOINED),
        ("eval", MEMBER),
    )
    assert result["changed"] is True
    assert "deleted by the join: 2 api keys" in host.warnings[-1]


def test_leave_warns(host: Host) -> None:
    static = view(N2, [N1, N2], peers={N1: peer([N1, N2])}, discovery="static")
    args = {"state": "left", "_ansible_check_mode": True}
    result = host.run(cluster_member, args, ("eval", static))
    assert (result["changed"], result["diff"]["after"]) == (True, lists([N2]))
    assert "will come back at its next restart" in host.warnings[-1]


def test_evict(host: Host) -> None:
    result = host.run(
        cluster_member,
        {"state": "evicted", "node": N3},
        ("eval", view(N1, [N1], [N3])),
        (f"ctl cluster force-leave {N3}", EVICTED),
        ("eval", view(N1, [N1])),
    )
    assert (result["changed"], result["action"]) == (True, "evict")


def test_timeout(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_member, "Deadline", lambda seconds: wait.Deadline(0))
    result = host.run(cluster_member, {"seed": N1, "timeout": 3}, ("eval", DOWN))
    assert result["failure"] == {"code": "timeout", "details": {"last": lists([])}}
    assert "this node is down: Node 'emqx2@127.0.0.1' not responding to pings" in result["msg"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "state is joined but all of the following are missing: seed"),
        ({"state": "evicted"}, "state is evicted but all of the following are missing: node"),
        ({"seed": "emqx1"}, "'emqx1' is not a node name: expected NAME@HOST"),
        ({"seed": N1, "timeout": 0}, "timeout is 0: expected at least 1 second"),
        ({"seed": N1, "command": []}, "command is empty: expected the argv that starts emqx"),
    ],
)
def test_input_of_cluster_member(host: Host, args: dict[str, t.Any], message: str) -> None:
    assert message in host.run(cluster_member, args)["msg"]


def test_a_program_that_cannot_be_started(
    host: Host, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def run_command(*_args: t.Any, **_options: t.Any) -> t.NoReturn:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(AnsibleModule, "run_command", run_command)
    with patch_module_args({}), pytest.raises(SystemExit):
        cluster_info.main()
    result = json.loads(capfd.readouterr().out)
    assert (result["emqx"]["state"], result["emqx"]["installed"]) == ("down", False)
    assert result["emqx"]["reason"] == "failed to execute timeout: No such file or directory"


# cluster_info


def test_info(host: Host) -> None:
    result = host.run(cluster_info, {}, ("eval", MEMBER))
    assert result["changed"] is False
    assert result["emqx"]["state"] == "ready"
    assert result["emqx"]["running_nodes"] == [N1, N2]
    assert result["emqx"]["ports"] == {"distribution": 4372, "rpc": 5372}
    assert result["emqx"]["cookie_fingerprint"] == "ba7816bf8f01"
    assert "tls" not in result


def test_info_of_certificates(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"certificate": "/c", "key": "/k", "ca": "/a"}
    asked: list[t.Any] = []

    def read(_run: t.Any, given: dict[str, str]) -> dict[str, str]:
        asked.append(given)
        return {"ends": "2029-02-07T12:00:00Z"}

    monkeypatch.setattr(_cluster_info, "certificates", read)
    result = host.run(cluster_info, {"certificates": files}, ("eval", MEMBER))
    assert (asked, result["tls"]) == ([files], {"ends": "2029-02-07T12:00:00Z"})


def test_info_of_the_others(host: Host) -> None:
    other = view(N1, [N1, N2], data={"emqx_admin": 3})
    result = host.run(cluster_info, {"others": True}, ("eval", view(N2, [N1, N2], others=[other])))
    assert result["emqx"]["node"] == N2
    assert list(result["others"]) == [N1]
    assert result["others"][N1]["data"] == {"dashboard_users": 3}
    assert result["others"][N1].keys() == result["emqx"].keys()
    assert "others" not in host.run(cluster_info, {}, ("eval", MEMBER))


def test_info_of_a_node_that_is_down(host: Host) -> None:
    result = host.run(cluster_info, {"_ansible_check_mode": True}, ("eval", DOWN))
    assert (result["changed"], result["emqx"]["state"]) == (False, "down")
    assert result["emqx"]["reason"] == "Node 'emqx2@127.0.0.1' not responding to pings."


def test_info_that_cannot_be_had(host: Host) -> None:
    result = host.run(cluster_info, {}, ("eval", TWICE))
    assert "set EMQX_NODE__NAME in the option environment" in result["msg"]
    assert result["failure"]["code"] == "command"
    assert result["failure"]["details"]["rc"] == 1


# cluster_wait


def test_wait_asks_once_when_it_is_so(host: Host) -> None:
    result = host.run(cluster_wait, {"members": [N1, N2]}, ("eval", MEMBER))
    assert (result["changed"], result["reached"]) == (False, True)
    assert result["emqx"]["running_nodes"] == [N1, N2]


def test_wait_until_ready(host: Host) -> None:
    result = host.run(cluster_wait, {}, ("eval", DOWN), ("eval", TWICE), ("eval", MEMBER))
    assert result["reached"] is True


@pytest.mark.parametrize(
    ("answer", "args", "reason"),
    [
        (DOWN, {}, "this node is down: Node 'emqx2@127.0.0.1' not responding to pings"),
        (MEMBER, {"members": [N1, N2, N3]}, f"{N3} missing (not started, not joined, or joining)"),
        (TWICE, {}, "emqx eval: "),
    ],
)
def test_wait_times_out(
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    args: dict[str, t.Any],
    reason: str,
) -> None:
    monkeypatch.setattr(cluster_wait, "Deadline", lambda seconds: wait.Deadline(0))
    result = host.run(cluster_wait, args, ("eval", answer))
    assert result["msg"].startswith(f"not reached within 0 s: {reason}")
    assert result["reached"] is False
    assert result["failure"]["code"] == "timeout"
    assert ("emqx" in result) is (answer is not TWICE)


@pytest.mark.parametrize("answer", [DOWN, NOT_INSTALLED, TWICE])
def test_wait_in_check_mode_never_fails_for_what_is_not_there(host: Host, answer: Answer) -> None:
    result = host.run(cluster_wait, {"_ansible_check_mode": True}, ("eval", answer))
    assert (result["changed"], result["reached"]) == (False, False)
    assert result["reason"]


def test_wait_does_not_wait_for_an_installation(host: Host) -> None:
    result = host.run(cluster_wait, {}, ("eval", NOT_INSTALLED))
    assert result["failure"]["code"] == "refused"
    assert "EMQX is not installed here" in result["msg"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"interval": 0}, "interval is 0: expected at least 1 second"),
        ({"members": ["x"]}, "'x' is not a node name"),
    ],
)
def test_input_of_cluster_wait(host: Host, args: dict[str, t.Any], message: str) -> None:
    result = host.run(cluster_wait, args)
    assert message in result["msg"]
    assert result["failure"]["code"] == "input"
