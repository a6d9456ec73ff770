# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Two servers with two nodes each, one test after the other: what site.yml left behind, then one
node less, and one of the package's own beside an instance."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import typing as t
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from operations import changed, group
from reach import reach

LAB = scenario_lab()
INVENTORY = f"--inventory={ROOT}/tests/inventory/instances.yml"
# inventory host -> its server and the number of its instance
NODES = {"n1a": ("n1", 1), "n1b": ("n1", 2), "n2a": ("n2", 1), "n2b": ("n2", 2)}


def name(node: str) -> str:
    server, number = NODES[node]
    return f"emqx{number}@{LAB.addresses[server]}"


def emqx(node: str, *arguments: str) -> str:
    """Run the command line of an instance, as root does by hand."""
    server, number = NODES[node]
    return str(LAB.hosts[server].check_output(f"emqx-{number} {' '.join(arguments)}"))


def view(node: str) -> dict[str, list[str]]:
    return dict(json.loads(emqx(node, "ctl cluster status --json")))


def together(*nodes: str, also: t.Sequence[str] = ()) -> None:
    members = sorted([*map(name, nodes), *also])
    for node in nodes:
        assert view(node) == {"running_nodes": members, "stopped_nodes": []}, node


def pids() -> dict[str, str]:
    show = "systemctl show --property=MainPID --value emqx@{}"
    return {
        node: LAB.hosts[server].check_output(show.format(number))
        for node, (server, number) in NODES.items()
    }


def cluster_ports(server: str) -> set[int]:
    """Return the ports between nodes that a server's rules keep."""
    table = LAB.hosts[server].check_output("nft list table inet mqttops_emqx")
    ports = {int(port) for port in re.findall(r"\b\d{4,5}\b", " ".join(re.findall("{.*?}", table)))}
    return {port for port in ports if 4370 <= port < 5500}


def playbook(verb: str, *arguments: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
    variables = {"emqx_cluster_group": "nodes", **variables}
    return LAB.playbook(f"mqttops.emqx.{verb}", INVENTORY, *arguments, **variables)


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_all_see_all() -> None:
    together(*NODES)


@pytest.mark.parametrize("node", NODES)
def test_each_command_line_reaches_its_node(node: str) -> None:
    server, number = NODES[node]
    assert emqx(node, "ctl status") == f"Node '{name(node)}' 5.8.9 is started"
    pid = LAB.hosts[server].check_output(f"systemctl show --property=MainPID --value emqx@{number}")
    assert emqx(node, "pid") == pid
    as_runner = LAB.hosts[server].check_output(f"runuser -u emqx -- emqx-{number} ping")
    assert as_runner == "pong"


@pytest.mark.parametrize("node", NODES)
def test_unit_and_directories(node: str) -> None:
    server, number = NODES[node]
    host = LAB.hosts[server]
    assert host.service(f"emqx@{number}").is_enabled
    assert host.service(f"emqx@{number}").is_running
    for path, expected in {
        f"/etc/emqx-{number}/emqx.conf": ("root", "emqx", 0o640),
        f"/etc/mqttops-emqx/emqx-{number}.env": ("root", "root", 0o600),
        f"/var/lib/emqx-{number}": ("emqx", "emqx", 0o750),
        f"/var/log/emqx-{number}": ("emqx", "emqx", 0o750),
        f"/usr/local/lib/mqttops-emqx/{number}/release": ("root", "root", 0o755),
        f"/usr/local/lib/mqttops-emqx/{number}/release/bin/emqx": ("root", "root", 0o755),
    }.items():
        found = host.file(path)
        assert (found.user, found.group, found.mode) == expected, path
    assert host.file(f"/var/lib/emqx-{number}/mnesia/{name(node)}").is_directory
    assert host.file(f"/run/mqttops-emqx/emqx-{number}/emqx.conf").exists


@pytest.mark.parametrize("server", sorted(LAB.hosts))
def test_the_node_of_the_package_never_starts(server: str) -> None:
    host = LAB.hosts[server]
    assert not host.service("emqx").is_enabled
    assert not host.service("emqx").is_running
    assert not host.file("/var/lib/emqx/mnesia").exists
    assert host.check_output("dpkg-query -W -f '${Status}' emqx") == "install ok installed"


@pytest.mark.parametrize("server", sorted(LAB.hosts))
def test_ports(server: str) -> None:
    host = LAB.hosts[server]
    for port in (4371, 5371, 1893, 18093, 4372, 5372, 1903, 18103):
        assert host.socket(f"tcp://0.0.0.0:{port}").is_listening, port
    for port in (4370, 5370, 1883, 18083):
        assert not host.socket(f"tcp://0.0.0.0:{port}").is_listening, port


@pytest.mark.parametrize("server", sorted(LAB.hosts))
def test_one_table_for_all_nodes_of_a_server(server: str) -> None:
    assert cluster_ports(server) == {4371, 5371, 4372, 5372}
    reserved = LAB.hosts[server].check_output("sysctl -n net.ipv4.ip_local_reserved_ports")
    assert "4371-4372" in reserved
    assert "18103" in reserved


def test_who_reaches_what() -> None:
    closed = (4371, 5371, 4372, 5372, 18093, 18103)
    found = reach(LAB, "n1", [(LAB.addresses["n2"], port) for port in closed])
    assert set(found.values()) == {"open"}, found
    # This machine is on the hosts' network, no member, and not where dashboards are for.
    for address in LAB.addresses.values():
        for port in (1893, 1903):
            socket.create_connection((address, port), timeout=5).close()
        for port in closed:
            with pytest.raises(TimeoutError):
                socket.create_connection((address, port), timeout=1)


def test_status_and_preflight() -> None:
    output = done(playbook("status", emqx_status_strict=True))
    for node in NODES:
        assert re.search(rf"{node} +{re.escape(name(node))} +ready +core .* 4 of 4 +yes", output)
    # The same number twice on one server: refused, and told how to mend it.
    result = playbook("site", emqx_instance=1)
    shown = " ".join((result.stdout + result.stderr).split())
    assert result.returncode != 0
    assert changed(shown) == set()
    assert "Host n1b: emqx_instance is 1, also that of n1a" in shown
    assert "set emqx_instance of n1b" in shown


def test_check_mode_tells_the_truth() -> None:
    assert changed(done(playbook("site", "--check"))) == set()
    before = pids()
    change = {"emqx_config": {"mqtt.max_packet_size": "2MB"}}
    predicted = changed(done(playbook("site", "--check", **change)))
    assert {host for _task, host in predicted} == set(NODES)
    assert pids() == before
    together(*NODES)


def test_one_less_on_a_server() -> None:
    before = pids()
    done(playbook("remove_node", emqx_remove_hosts="n2b"))
    together("n1a", "n1b", "n2a")
    assert {**pids(), "n2b": ""} == {**before, "n2b": ""}
    unit = LAB.hosts["n2"].service("emqx@2")
    assert not unit.is_enabled
    assert not unit.is_running
    assert cluster_ports("n2") == {4371, 5371}
    assert cluster_ports("n1") == {4371, 5371, 4372, 5372}


def left(folder: Path, *more: str) -> list[str]:
    return group(folder, **{host: {} for host in ("n1a", "n1b", "n2a", *more)})


def test_the_one_that_is_left_stays_an_instance(tmp_path: Path) -> None:
    before = pids()
    output = done(LAB.playbook("mqttops.emqx.site", INVENTORY, *left(tmp_path)))
    assert changed(output) == set()
    assert pids() == before


def test_the_node_of_the_package_comes_beside_an_instance(tmp_path: Path) -> None:
    before = pids()
    done(LAB.playbook("mqttops.emqx.add_node", INVENTORY, *left(tmp_path, "n2")))
    assert pids() == before
    own = LAB.node_name("n2")
    together("n1a", "n1b", "n2a", also=[own])
    assert LAB.hosts["n2"].service("emqx").is_enabled
    # The vendor's own command line is not led astray by the instance.
    assert LAB.emqx("n2", "ctl", "status").stdout == f"Node '{own}' 5.8.9 is started\n"
    assert cluster_ports("n2") == {4370, 5370, 4371, 5371}
    output = done(LAB.playbook("mqttops.emqx.site", INVENTORY, *left(tmp_path, "n2")))
    assert changed(output) == set()
