# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What site.yml left behind, seen from every host and from outside."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import typing as t

import pytest
from lab_hosts import ROOT, Lab, scenario_lab

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
MEMBERS = sorted(LAB.node_name(host) for host in HOSTS)
CONFIG_FILES = {
    "/etc/emqx/emqx.conf": ("root", "emqx", 0o640),
    "/etc/mqttops-emqx/emqx.env": ("root", "root", 0o600),
    "/etc/mqttops-emqx/firewall.nft": ("root", "root", 0o644),
    "/etc/systemd/system/emqx.service.d/50-mqttops.conf": ("root", "root", 0o644),
    "/var/lib/emqx": ("emqx", "emqx", 0o750),
    "/run/mqttops-emqx/emqx": ("root", "root", 0o700),
}


def wait_for(condition: t.Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.5)


@pytest.mark.parametrize("host", HOSTS)
def test_every_member_sees_exactly_the_members(host: str) -> None:
    assert LAB.view(host) == {"running_nodes": MEMBERS, "stopped_nodes": []}


@pytest.mark.parametrize("host", HOSTS)
def test_sockets(host: str) -> None:
    for port in (4370, 5370, 1883, 18083):
        assert LAB.hosts[host].socket(f"tcp://0.0.0.0:{port}").is_listening, port


@pytest.mark.parametrize("host", HOSTS)
def test_service_is_enabled_and_runs_as_emqx(host: str) -> None:
    service = LAB.hosts[host].service("emqx")
    assert service.is_enabled
    assert service.is_running
    pid = LAB.hosts[host].check_output("systemctl show --property=MainPID --value emqx")
    assert LAB.hosts[host].check_output(f"stat -c %U /proc/{pid}") == "emqx"


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", sorted(CONFIG_FILES))
def test_owner_and_mode(host: str, path: str) -> None:
    found = LAB.hosts[host].file(path)
    assert (found.user, found.group, found.mode) == CONFIG_FILES[path]


@pytest.mark.parametrize("host", HOSTS)
def test_the_cookie_is_of_this_cluster_and_hidden(host: str) -> None:
    store = ROOT / ".cache" / "lab" / LAB.name / "emqxcl.cookie"
    cookie = store.read_text(encoding="utf-8").split()[0]
    assert store.stat().st_mode & 0o077 == 0
    assert f'cookie = "{cookie}"' in LAB.hosts[host].file("/etc/emqx/emqx.conf").content_string
    found = LAB.hosts[host].run(
        f"runuser -u nobody -- grep -rlsF {cookie} /etc /var/lib /var/log /var/cache /run /opt /tmp"
    )
    assert found.stdout == ""


@pytest.mark.parametrize("host", HOSTS)
def test_kernel_values_live_and_at_boot(host: str) -> None:
    assert LAB.hosts[host].sysctl("net.core.somaxconn") == 32768
    kept = LAB.hosts[host].file("/etc/sysctl.d/90-mqttops-emqx.conf").content_string
    assert "net.core.somaxconn = 32768" in kept
    assert "a_key_of_no_kernel" not in kept
    reserved = LAB.hosts[host].check_output("sysctl -n net.ipv4.ip_local_reserved_ports")
    assert {"4370", "5370", "18083"} <= set(reserved.split(","))


def test_peers_reach_the_cluster_ports() -> None:
    for source in HOSTS:
        for target in HOSTS:
            for port in (4370, 5370):
                dial = f"timeout 3 bash -c '</dev/tcp/{LAB.addresses[target]}/{port}'"
                assert LAB.hosts[source].run(dial).rc == 0, (source, target, port)


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


def test_foreign_rules_stay() -> None:
    host = LAB.hosts[HOSTS[0]]
    host.check_output("nft add table inet foreign")
    host.check_output("nft add chain inet foreign input '{ type filter hook input priority 0; }'")
    host.check_output("nft add rule inet foreign input tcp dport 9 drop")
    before = host.check_output("nft list table inet foreign")
    host.check_output("nft delete table inet mqttops_emqx")
    result = LAB.playbook("mqttops.emqx.site")
    assert result.returncode == 0, result.stdout
    assert host.check_output("nft list table inet foreign") == before
    assert "mqttops_emqx" in host.check_output("nft list tables")
    host.check_output("nft delete table inet foreign")


def reboot(lab: Lab, host: str) -> None:
    command = [sys.executable, str(ROOT / "tests/lab/lab.py"), "restart", host, "--name", lab.name]
    subprocess.run(command, check=True, capture_output=True)


def test_a_rebooted_host_comes_back_by_itself() -> None:
    host = HOSTS[-1]
    reboot(LAB, host)

    def complete() -> bool:
        shown = LAB.emqx(host, "ctl", "cluster", "status", "--json").stdout
        return all(f'"{name}"' in shown for name in MEMBERS)

    wait_for(complete, 120)
    assert "mqttops_emqx" in LAB.hosts[host].check_output("nft list tables")
    result = LAB.playbook("mqttops.emqx.site")
    assert "changed=0" in result.stdout
    assert "changed=1" not in result.stdout, result.stdout
