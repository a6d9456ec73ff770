# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A change is predicted, shown without secrets, and made one node after the other."""

from __future__ import annotations

import re

from lab_hosts import ROOT, scenario_lab

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
CHANGE = {
    "emqx_config": {"mqtt.max_packet_size": "2MB"},
    "emqx_environment": {"EMQX_LOG__CONSOLE__ENABLE": "false"},
}


def changes(output: str) -> dict[str, int]:
    return {
        host: int(count)
        for host, count in re.findall(r"^(n\d+) .*changed=(\d+)", output, re.MULTILINE)
    }


def times(host: str) -> tuple[int, int]:
    shown = LAB.hosts[host].check_output(
        "systemctl show --value --property=InactiveExitTimestampMonotonic,"
        "ActiveEnterTimestampMonotonic emqx"
    )
    first, last = (int(line) for line in shown.split())
    return first, last


def test_check_mode_shows_the_change_and_makes_none() -> None:
    before = {host: LAB.hosts[host].file("/etc/emqx/emqx.conf").sha256sum for host in HOSTS}
    started = {host: times(host) for host in HOSTS}
    result = LAB.playbook("mqttops.emqx.site", "--check", "--diff", **CHANGE)
    assert result.returncode == 0, result.stdout + result.stderr
    assert '+  max_packet_size = "2MB"' in result.stdout
    cookie = (ROOT / ".cache/lab" / LAB.name / "emqxcl.cookie").read_text(encoding="utf-8")
    assert cookie.split()[0] not in result.stdout + result.stderr
    assert all(count > 0 for count in changes(result.stdout).values())
    assert {h: LAB.hosts[h].file("/etc/emqx/emqx.conf").sha256sum for h in HOSTS} == before
    assert {host: times(host) for host in HOSTS} == started


def test_a_changed_secret_shows_as_changed_and_not_itself() -> None:
    secret = {"emqx_cookie": "AnotherCookieOfTwentyChars", "emqx_allow_full_restart": True}
    result = LAB.playbook("mqttops.emqx.site", "--check", "--diff", "-vvv", **secret)
    assert result.returncode == 0, result.stdout + result.stderr
    assert '+  cookie = "******** (changed)"' in result.stdout
    # The command line of ansible-playbook holds what this test gave it there.
    shown = [line for line in result.stdout.splitlines() if "AnotherCookie" in line]
    assert not shown


def test_nodes_restart_one_after_the_other() -> None:
    started = {host: times(host) for host in HOSTS}
    result = LAB.playbook("mqttops.emqx.site", **CHANGE)
    assert result.returncode == 0, result.stdout + result.stderr
    again = {host: times(host) for host in HOSTS}
    assert all(again[host] > started[host] for host in HOSTS)
    # In the order of the inventory, each some time after the one before it was up.
    assert [again[host] for host in HOSTS] == sorted(again.values())
    for host in HOSTS:
        assert LAB.emqx(host, "ctl", "conf", "show", "mqtt").stdout.count("2MB") == 1
    assert changes(LAB.playbook("mqttops.emqx.site", **CHANGE).stdout) == dict.fromkeys(HOSTS, 0)


def test_a_change_that_a_killed_run_left_half_done_is_finished() -> None:
    # The state after a run that died between writing the files and restarting the nodes.
    only_configure = ROOT / "molecule/default/configure_only.yml"
    result = LAB.playbook(str(only_configure), emqx_config={"mqtt.max_packet_size": "4MB"})
    assert result.returncode == 0, result.stdout + result.stderr
    started = {host: times(host) for host in HOSTS}
    result = LAB.playbook("mqttops.emqx.site", emqx_config={"mqtt.max_packet_size": "4MB"})
    assert result.returncode == 0, result.stdout + result.stderr
    assert all(times(host) > started[host] for host in HOSTS)


def test_new_cookie_with_consent() -> None:
    result = LAB.playbook(
        "mqttops.emqx.site", emqx_cookie="AnotherCookieOfTwentyChars", emqx_allow_full_restart=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    for host in HOSTS:
        assert len(LAB.view(host)["running_nodes"]) == len(HOSTS)
    assert LAB.playbook("mqttops.emqx.site", emqx_allow_full_restart=True).returncode == 0
