# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the action cluster_plan takes from a play, and hands to its tasks."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.mqttops.emqx.plugins.action import cluster_plan, host_state
from ansible_collections.mqttops.emqx.tests.unit.actions import Play
from ansible_collections.mqttops.emqx.tests.unit.runs import COOKIE


@pytest.fixture
def play() -> Play:
    found = Play()
    found.read(host_state)
    return found


def codes(result: dict[str, t.Any]) -> list[str]:
    return [finding["code"] for finding in result["findings"]]


def test_the_plan_of_all_hosts(play: Play) -> None:
    result = play.run(cluster_plan)
    assert (result["changed"], result["passed"], result["look"]) == (False, True, "survey")
    assert result["cluster"]["members"] == ["emqx@10.0.0.1", "emqx@10.0.0.2"]
    assert all(own["todo"]["install"] for own in result["hosts"].values())
    assert (result["missing_secrets"], COOKIE in result["secrets"]) == ([], True)
    assert json.loads(json.dumps(result))["in_run"] == ["n1", "n2"]


def test_a_second_plan_keeps_what_the_first_one_drew(play: Play) -> None:
    first = play.run(cluster_plan)
    play.planned(first)
    second = play.run(cluster_plan)
    assert (second["salt"], second["began"]) == (first["salt"], first["began"])


def test_what_was_registered_is_planned_with(play: Play) -> None:
    asked = {"changed_files": ["/etc/emqx/emqx.conf"], "stale": ["mqtt"], "changed_keys": {}}
    play.hostvars["n1"]["__emqx_trial"] = asked
    play.hostvars["n2"]["__emqx_trial"] = {"skipped": True}
    for own in play.hostvars.values():
        own["__emqx_state"]["host"]["package"] = {"name": "emqx", "version": "5.8.9"}
    result = play.run(cluster_plan)
    assert {host: own["tries"] for host, own in result["hosts"].items()} == {
        "n1": False,
        "n2": True,
    }


def test_hosts_outside_the_play_are_known_by_their_variables() -> None:
    play = Play(3)
    play.play_hosts = ["n1"]
    play.read(host_state)
    result = play.run(cluster_plan)
    assert result["in_run"] == ["n1"]
    assert result["absent"] == ["emqx@10.0.0.2", "emqx@10.0.0.3"]


def test_a_cookie_that_is_still_to_be_made() -> None:
    play = Play(emqx_cookie="", emqx_cookie_file="/nowhere/kept.cookie")
    play.read(host_state)
    result = play.run(cluster_plan)
    assert (result["missing_secrets"], result["passed"]) == (["/nowhere/kept.cookie"], True)
    contents = [
        file["content"]
        for own in result["hosts"].values()
        for file in own["files"]
        if file["path"] == "/etc/emqx/emqx.conf"
    ]
    stood_in = {text.split("cookie = ")[1].split("\n")[0] for text in contents}
    assert len(stood_in) == 1


def test_a_cookie_that_is_kept_on_the_control_node(tmp_path: Path) -> None:
    kept = tmp_path / "cookie"
    kept.write_text("KeptCookieOfTwentyChars\n")
    play = Play(emqx_cookie="", emqx_cookie_file=str(kept))
    play.read(host_state)
    result = play.run(cluster_plan)
    assert result["missing_secrets"] == []
    assert "KeptCookieOfTwentyChars" in result["secrets"]


def test_a_new_cookie_is_made_beside_the_one_that_is_kept(tmp_path: Path) -> None:
    kept, coming = tmp_path / "cookie", tmp_path / "cookie.next"
    kept.write_text("KeptCookieOfTwentyChars\n")
    given: dict[str, t.Any] = {"emqx_cookie": "", "emqx_cookie_file": str(kept)}
    play = Play(**given, emqx_new_cookie=True)
    play.read(host_state)
    result = play.run(cluster_plan)
    assert result["missing_secrets"] == [str(coming)]
    assert "KeptCookieOfTwentyChars" not in result["secrets"]
    assert not [each for each in result["findings"] if each["code"] == "cookie_rotation"]
    # Cut short: the same command takes the cookie that was made, any other run names it.
    coming.write_text("ComingCookieOfTwentyChars\n")
    play.read(host_state)
    again = play.run(cluster_plan)
    assert again["missing_secrets"] == []
    assert "ComingCookieOfTwentyChars" in again["secrets"]
    other = Play(**given)
    other.read(host_state)
    (found,) = [
        each for each in other.run(cluster_plan)["findings"] if each["code"] == "cookie_rotation"
    ]
    assert (found["found"], found["severity"]) == (str(coming), "warning")


def test_a_cookie_that_is_given_is_taken(tmp_path: Path) -> None:
    given: dict[str, t.Any] = {
        "emqx_cookie": "GivenCookieOfTwentyChars",
        "emqx_cookie_file": str(tmp_path / "cookie"),
    }
    play = Play(**given, emqx_new_cookie=True)
    play.read(host_state)
    result = play.run(cluster_plan)
    assert result["settings"]["new_cookie"] is False
    assert "GivenCookieOfTwentyChars" in result["secrets"]


def test_a_password_of_the_dashboard_is_made_unless_one_is_set(tmp_path: Path) -> None:
    kept = tmp_path / "password"
    given: dict[str, t.Any] = {
        "emqx_dashboard_password": "",
        "emqx_dashboard_password_file": str(kept),
    }
    for own in (
        {"emqx_config": {"dashboard": {"default_password": "Of-the-user-1"}}},
        {"emqx_base_config": {"dashboard.default_password": "Of-the-user-1"}},
        {"emqx_environment": {"EMQX_DASHBOARD__DEFAULT_PASSWORD": "Of-the-user-1"}},
        {},
    ):
        play = Play(**given, **own)
        play.read(host_state)
        result = play.run(cluster_plan)
        assert result["missing_secrets"] == ([] if own else [str(kept)]), own
    kept.write_text("Kept-Password-1\n")
    play.read(host_state)
    result = play.run(cluster_plan)
    assert (result["missing_secrets"], "Kept-Password-1" in result["secrets"]) == ([], True)
    contents = {f["path"]: f["content"] for f in result["hosts"]["n1"]["files"]}
    assert 'default_password = "Kept-Password-1"' in contents["/etc/emqx/emqx.conf"]


def test_files_of_the_control_node_that_are_not_there(tmp_path: Path) -> None:
    etcd = {"emqx_discovery_strategy": "etcd", "emqx_etcd_servers": ["https://10.0.0.9:2379"]}
    play = Play(1, **etcd, emqx_etcd_ca=str(tmp_path / "no.pem"))
    play.read(host_state)
    result = play.run(cluster_plan)
    (finding,) = [one for one in result["findings"] if one["subject"] == "emqx_etcd_ca"]
    assert "no.pem" in finding["found"]


def test_a_package_on_the_control_node_is_looked_at_once(tmp_path: Path) -> None:
    package = tmp_path / "emqx-5.8.9-debian12-amd64.deb"
    package.write_bytes(b"no package")
    play = Play(emqx_package=str(package), emqx_package_source="controller")
    play.read(host_state)
    result = play.run(cluster_plan)
    assert set(result["packages"]) == {str(package)}
    assert result["packages"][str(package)]["exists"] is True
    play.planned(result)
    package.unlink()
    assert play.run(cluster_plan)["packages"] == result["packages"]


def test_what_variables_hold_is_found_with_all_else() -> None:
    play = Play(emqx_instance="many", emqx_cluster_nam="plant", emqx_min_free_mb=99999999)
    play.read(host_state)
    result = play.run(cluster_plan)
    assert result["passed"] is False
    assert {"unknown_variable", "disk"} <= set(codes(result))
    assert "emqx_instance" in [finding["subject"] for finding in result["findings"]]


@pytest.mark.parametrize(
    ("purpose", "subjects"),
    [
        ("remove", ["emqx_remove_hosts"]),
        ("replace", ["emqx_dead_host", "emqx_new_host"]),
        ("rename", ["emqx_rename_host"]),
    ],
)
def test_what_a_purpose_cannot_do_without(play: Play, purpose: str, subjects: list[str]) -> None:
    result = play.run(cluster_plan, purpose=purpose)
    missing = [one["subject"] for one in result["findings"] if one["code"].endswith("missing")]
    assert sorted(set(missing)) == subjects
    assert result["passed"] is False


def test_hosts_that_were_not_read_are_no_run() -> None:
    with pytest.raises(AnsibleActionFail, match="expected the answer of host_state"):
        Play().run(cluster_plan)


def test_a_purpose_that_there_is_not(play: Play) -> None:
    with pytest.raises(Exception, match="purpose"):
        play.run(cluster_plan, purpose="demolish")


def test_check_mode_is_that_of_the_task(play: Play) -> None:
    play.check_mode = True
    assert play.run(cluster_plan)["hosts"]["n1"]["todo"]["membership"] is False
