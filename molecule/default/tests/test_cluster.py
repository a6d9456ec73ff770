# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What site.yml left behind, seen from every host and from outside."""

from __future__ import annotations

import shlex
import socket

import pytest
from lab_hosts import ROOT, scenario_lab
from operations import can_log_in, together
from reach import reach

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
CONFIG_FILES = {
    f"{LAB.etc}/emqx.conf": "root emqx 640",
    "/etc/mqttops-emqx/emqx.env": "root root 600",
    "/etc/mqttops-emqx/firewall.nft": "root root 644",
    # A tar.gz brings no unit that a drop-in could add to.
    "/etc/systemd/system/emqx.service"
    + ("" if LAB.unpacked else ".d/50-mqttops.conf"): "root root 644",
    LAB.data: "emqx emqx 750",
    "/run/mqttops-emqx/emqx": "root root 700",
}


def test_every_member_sees_exactly_the_members() -> None:
    together(LAB, *HOSTS)


def test_sockets() -> None:
    for host, sockets in LAB.outputs("ss -Hltn").items():
        listening = {line.split()[3] for line in sockets.splitlines()}
        assert listening >= {f"0.0.0.0:{port}" for port in (4370, 5370, 1883, 18083)}, host


def test_service_is_enabled_and_runs_as_emqx() -> None:
    asked = "systemctl is-enabled emqx; systemctl is-active emqx; "
    asked += "stat -c %U /proc/$(systemctl show --property=MainPID --value emqx)"
    for host, shown in LAB.outputs(asked).items():
        assert shown.split() == ["enabled", "active", "emqx"], host


def test_owners_and_modes() -> None:
    asked = f"stat -c '%n %U %G %a' {' '.join(map(shlex.quote, CONFIG_FILES))}"
    for host, shown in LAB.outputs(asked).items():
        found = dict(line.split(" ", 1) for line in shown.splitlines())
        assert found == CONFIG_FILES, host


def test_the_cookie_is_of_this_cluster() -> None:
    store = ROOT / ".cache" / "lab" / LAB.name / "emqxcl.cookie"
    cookie = store.read_text(encoding="utf-8").split()[0]
    assert store.stat().st_mode & 0o077 == 0
    for host, conf in LAB.outputs(f"cat {LAB.etc}/emqx.conf").items():
        assert f'cookie = "{cookie}"' in conf, host


def test_the_dashboard_takes_the_password_that_was_made_and_not_the_vendors() -> None:
    store = ROOT / ".cache" / "lab" / LAB.name / "emqxcl.dashboard-password"
    password = store.read_text(encoding="utf-8").split()[0]
    assert store.stat().st_mode & 0o077 == 0
    for host in HOSTS:
        assert can_log_in(LAB, host, "admin", password), host
        assert not can_log_in(LAB, host, "admin", "public"), host


def test_kernel_values_live_and_at_boot() -> None:
    keys = "net.core.somaxconn net.ipv4.ip_local_reserved_ports"
    for host, shown in LAB.outputs(
        f"sysctl -n {keys}; cat /etc/sysctl.d/90-mqttops-emqx.conf"
    ).items():
        somaxconn, reserved, *kept = shown.splitlines()
        assert somaxconn == "32768", host
        assert {"4370", "5370", "18083"} <= set(reserved.split(","))
        assert "net.core.somaxconn = 32768" in kept
        assert "a_key_of_no_kernel" not in shown


def test_peers_reach_the_cluster_ports() -> None:
    links = [(address, port) for address in LAB.addresses.values() for port in (4370, 5370)]
    for source in HOSTS:
        assert reach(LAB, source, links) == dict.fromkeys(links, "open"), source


@pytest.mark.parametrize("port", [4370, 5370])
def test_others_are_filtered_from_the_cluster_ports(port: int) -> None:
    # This machine is on the hosts' network and no member.
    for address in LAB.addresses.values():
        with pytest.raises(TimeoutError):
            socket.create_connection((address, port), timeout=2)


def test_others_reach_the_listeners() -> None:
    for address in LAB.addresses.values():
        for port in (1883, 18083):
            socket.create_connection((address, port), timeout=2).close()
