# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The tar.gz way ends where the package way does."""

from __future__ import annotations

import pytest
from lab_hosts import scenario_lab

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)


@pytest.mark.parametrize("host", HOSTS)
def test_every_member_sees_exactly_the_members(host: str) -> None:
    members = sorted(LAB.node_name(host) for host in HOSTS)
    assert LAB.view(host) == {"running_nodes": members, "stopped_nodes": []}


@pytest.mark.parametrize("host", HOSTS)
def test_the_unit_runs_the_release_as_its_own_user(host: str) -> None:
    service = LAB.hosts[host].service("emqx")
    assert service.is_enabled
    assert service.is_running
    pid = LAB.hosts[host].check_output("systemctl show --property=MainPID --value emqx")
    assert LAB.hosts[host].check_output(f"stat -c %U /proc/{pid}") == "emqx"
    assert "/opt/emqx" in LAB.hosts[host].check_output(f"tr '\\0' ' ' </proc/{pid}/cmdline")


@pytest.mark.parametrize("host", HOSTS)
def test_owners_and_modes(host: str) -> None:
    config = LAB.hosts[host].file("/opt/emqx/etc/emqx.conf")
    assert (config.user, config.group, config.mode) == ("root", "emqx", 0o640)
    data = LAB.hosts[host].file("/opt/emqx/data")
    assert (data.user, data.group, data.mode) == ("emqx", "emqx", 0o750)
    assert not LAB.hosts[host].file("/opt/emqx.unpacking").exists


def test_a_change_restarts_it() -> None:
    change = {"emqx_config": {"mqtt.max_packet_size": "2MB"}}
    result = LAB.playbook("mqttops.emqx.site", **change)
    assert result.returncode == 0, result.stdout + result.stderr
    for host in HOSTS:
        assert "2MB" in LAB.emqx(host, "ctl", "conf", "show", "mqtt").stdout
    again = LAB.playbook("mqttops.emqx.site", **change)
    assert again.stdout.count("changed=0") == len(HOSTS), again.stdout
