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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from operations import changed, done, group, refused
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


def place(kind: str, number: int) -> str:
    """Return where an instance has its etc, data or log."""
    if LAB.unpacked:
        return f"/opt/emqx-{number}/{kind}"
    return {"etc": "/etc", "data": "/var/lib", "log": "/var/log"}[kind] + f"/emqx-{number}"


def view(node: str) -> dict[str, list[str]]:
    return dict(json.loads(emqx(node, "ctl cluster status --json")))


def together(*nodes: str, also: t.Sequence[str] = ()) -> None:
    members = sorted([*map(name, nodes), *also])
    with ThreadPoolExecutor() as pool:
        views = dict(zip(nodes, pool.map(view, nodes)))
    expected = {"running_nodes": members, "stopped_nodes": []}
    assert views == {node: expected for node in nodes}


def pids() -> dict[str, str]:
    show = "systemctl show --property=MainPID --value emqx@1 emqx@2"
    shown = {server: host.check_output(show).split() for server, host in LAB.hosts.items()}
    return {node: shown[server][number - 1] for node, (server, number) in NODES.items()}


def cluster_ports(server: str) -> set[int]:
    """Return the ports between nodes that a server's rules keep."""
    table = LAB.hosts[server].check_output("nft list table inet mqttops_emqx")
    ports = {int(port) for port in re.findall(r"\b\d{4,5}\b", " ".join(re.findall("{.*?}", table)))}
    return {port for port in ports if 4370 <= port < 5500}


def playbook(verb: str, *arguments: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
    variables = {"emqx_cluster_group": "nodes", **variables}
    return LAB.playbook(f"mqttops.emqx.{verb}", INVENTORY, *arguments, **variables)


def test_all_see_all() -> None:
    together(*NODES)


def test_each_command_line_reaches_its_node() -> None:
    assert {node: emqx(node, "pid") for node in NODES} == pids()
    as_runner = LAB.hosts["n2"].check_output("runuser -u emqx -- emqx-2 ctl status")
    assert as_runner == f"Node '{name('n2b')}' {LAB.version} is started"


@pytest.mark.parametrize("server", sorted(LAB.hosts))
def test_units(server: str) -> None:
    state = "systemctl show --value --property=ActiveState,UnitFileState emqx@1 emqx@2 emqx"
    states = LAB.hosts[server].check_output(state).split()
    # The package's own node, which is installed once for all, never starts; a tar.gz has no unit.
    own = ["inactive"] if LAB.unpacked else ["inactive", "disabled"]
    assert states == ["active", "enabled"] * 2 + own
    LAB.hosts[server].check_output(f"test ! -e {LAB.data}/mnesia")


@pytest.mark.parametrize("node", NODES)
def test_directories(node: str) -> None:
    server, number = NODES[node]
    release = f"/usr/local/lib/mqttops-emqx/{number}/release"
    expected = {
        f"{place('etc', number)}/emqx.conf": "root:emqx 640",
        f"/etc/mqttops-emqx/emqx-{number}.env": "root:root 600",
        place("data", number): "emqx:emqx 750",
        place("log", number): "emqx:emqx 750",
        # Whoever runs EMQX cannot change what root runs.
        release: "root:root 755",
        f"{release}/bin/emqx": "root:root 755",
    }
    paths = " ".join(expected)
    shown = LAB.hosts[server].check_output(f"stat -c '%n=%U:%G %a' {paths}")
    assert dict(line.split("=") for line in shown.splitlines()) == expected
    LAB.hosts[server].check_output(
        f"test -d {place('data', number)}/mnesia/{name(node)}"
        f" -a -f /run/mqttops-emqx/emqx-{number}/emqx.conf"
    )


@pytest.mark.parametrize("server", sorted(LAB.hosts))
def test_ports(server: str) -> None:
    shown = LAB.hosts[server].check_output("ss -ltnH")
    ports = {int(port) for port in re.findall(r":(\d+) ", shown)}
    assert ports >= {4371, 5371, 1893, 18093, 4372, 5372, 1903, 18103}
    assert not ports & {4370, 5370, 1883, 18083}
    reserved = LAB.hosts[server].check_output("sysctl -n net.ipv4.ip_local_reserved_ports")
    assert {"4371-4372", "18103"} <= set(reserved.split(","))
    assert cluster_ports(server) == {4371, 5371, 4372, 5372}


def test_who_reaches_what() -> None:
    closed = (4371, 5371, 4372, 5372, 18093, 18103)
    found = reach(LAB, "n1", [(LAB.addresses["n2"], port) for port in closed])
    assert set(found.values()) == {"open"}, found
    # This machine is on the hosts' network, no member, and not where dashboards are for.
    for port in (1893, 1903):
        socket.create_connection((LAB.addresses["n2"], port), timeout=5).close()
    for port in closed:
        with pytest.raises(TimeoutError):
            socket.create_connection((LAB.addresses["n2"], port), timeout=1)


def test_status() -> None:
    output = done(playbook("status", emqx_status_strict=True))
    for node in NODES:
        assert re.search(rf"{node} +{re.escape(name(node))} +ready +core .* 4 of 4 +yes", output)


def test_two_of_the_same_number_are_refused() -> None:
    shown = refused(playbook("site", emqx_instance=1))
    assert "ERROR [instance_collision] Host n1b, emqx_instance" in shown
    assert "found: 1, also that of n1a" in shown
    assert "remedy: set emqx_instance of n1b" in shown


def test_one_less_on_a_server() -> None:
    before = pids()
    done(playbook("remove_node", emqx_remove_hosts="n2b"))
    together("n1a", "n1b", "n2a")
    assert {**pids(), "n2b": ""} == {**before, "n2b": ""}
    state = "systemctl show --value --property=ActiveState,UnitFileState emqx@2"
    assert LAB.hosts["n2"].check_output(state).split() == ["inactive", "disabled"]
    assert cluster_ports("n2") == {4371, 5371}
    assert cluster_ports("n1") == {4371, 5371, 4372, 5372}


def left(folder: Path, *more: str) -> list[str]:
    return group(folder, **{host: {} for host in ("n1a", "n1b", "n2a", *more)})


def test_the_node_of_the_package_comes_beside_an_instance(tmp_path: Path) -> None:
    before = pids()
    done(LAB.playbook("mqttops.emqx.add_node", INVENTORY, *left(tmp_path, "n2")))
    assert pids() == before
    own = LAB.node_name("n2")
    together("n1a", "n1b", "n2a", also=[own])
    state = "systemctl show --value --property=ActiveState,UnitFileState emqx"
    assert LAB.hosts["n2"].check_output(state).split() == ["active", "enabled"]
    # The vendor's own command line is not led astray by the instance.
    assert LAB.emqx("n2", "ctl", "status").stdout == f"Node '{own}' {LAB.version} is started\n"
    assert cluster_ports("n2") == {4370, 5370, 4371, 5371}
    # And the one that is left of two stays an instance.
    output = done(LAB.playbook("mqttops.emqx.site", INVENTORY, *left(tmp_path, "n2")))
    assert changed(output) == set()
