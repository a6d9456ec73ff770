# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Nodes in containers: one cluster on the hosts' network, two more on networks of containers."""

from __future__ import annotations

import json
import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from lab_hosts import ROOT, scenario_lab
from operations import can_log_in, changed, done, refused

LAB = scenario_lab()
HOSTS = ["n1", "n2"]
SPARE = "n3"
MEMBERS = [LAB.node_name(host) for host in HOSTS]
INVENTORY = f"--inventory={ROOT}/tests/inventory/containers.yml"
GROUP = {"emqx_cluster_group": "containers"}
USER, PASSWORD = "kept", "Lab0password"
IMAGE = "localhost/emqx-stand-in:5.8.9"
# The image of that name which is on the host, without an archive.
BY_NAME = {"emqx_package": "", "emqx_package_source": "download"}


def emqx(host: str, *arguments: str, name: str = "emqx") -> t.Any:
    shown = " ".join(f"'{argument}'" for argument in arguments)
    return LAB.hosts[host].run(f"podman exec {name} emqx {shown}")


def view(host: str, name: str = "emqx") -> dict[str, list[str]]:
    shown = emqx(host, "ctl", "cluster", "status", "--json", name=name)
    return dict(json.loads(shown.stdout))


def podman(host: str, *arguments: str) -> str:
    return str(LAB.hosts[host].check_output(f"podman {' '.join(arguments)}"))


def container(host: str) -> str:
    """Return the ID of a host's container, which each one that is made has for itself."""
    return podman(host, "inspect", "--format={{.Id}}", "emqx")


def site(**variables: t.Any) -> str:
    return done(LAB.playbook("mqttops.emqx.site", INVENTORY, **GROUP, **variables))


def together(*members: str) -> None:
    with ThreadPoolExecutor() as pool:
        views = list(pool.map(view, HOSTS))
    assert views == [{"running_nodes": [*members], "stopped_nodes": []}] * len(HOSTS)


def reaches(source: str, target: str, port: int) -> bool:
    dial = f"timeout 3 bash -c '</dev/tcp/{LAB.addresses[target]}/{port}'"
    return bool(LAB.hosts[source].run(dial).rc == 0)


def test_every_member_sees_exactly_the_members() -> None:
    together(*MEMBERS)


@pytest.mark.parametrize("host", HOSTS)
def test_sockets_are_those_of_an_image(host: str) -> None:
    for port in (4370, 5369, 1883, 18083):
        assert LAB.hosts[host].socket(f"tcp://0.0.0.0:{port}").is_listening, port


@pytest.mark.parametrize("host", HOSTS)
def test_ports_between_nodes_are_for_members(host: str) -> None:
    for port in (4370, 5369):
        assert all(reaches(source, host, port) for source in HOSTS)
        assert not reaches(SPARE, host, port)


@pytest.mark.parametrize("host", HOSTS)
def test_the_cookie_shows_nowhere(host: str) -> None:
    store = ROOT / ".cache" / "lab" / LAB.name / "emqxcl.cookie"
    cookie = store.read_text(encoding="utf-8").split()[0]
    assert cookie not in podman(host, "inspect", "emqx")
    conf = LAB.hosts[host].file("/etc/emqx/emqx.conf")
    assert f'cookie = "{cookie}"' in conf.content_string
    assert (conf.uid, conf.gid, conf.mode) == (0, 1000, 0o640)
    assert cookie not in LAB.hosts[host].check_output("ps -ww -C podman,conmon -o args=")
    unit = LAB.hosts[host].check_output("systemctl cat emqx")
    assert cookie not in unit


def test_a_value_that_emqx_refuses_touches_nothing() -> None:
    before = [container(host) for host in HOSTS]
    value = {"emqx_config": {"mqtt": {"max_packet_size": "abc"}}}
    shown = refused(LAB.playbook("mqttops.emqx.site", INVENTORY, **GROUP, **value))
    assert "mqtt.max_packet_size: Not a valid bytesize" in shown
    assert [container(host) for host in HOSTS] == before


def test_package_and_container_do_not_mix() -> None:
    before = LAB.hosts[SPARE].check_output("find /etc -newermt 2000-01-01 | wc -l")
    shown = refused(LAB.playbook("mqttops.emqx.site", INVENTORY))
    assert "ERROR [mixed_rpc_ports] Cluster, emqx_rpc_port_discovery" in shown
    assert "stateless on n3" in shown
    assert "remedy: set emqx_rpc_port_discovery for the whole cluster" in shown
    assert LAB.hosts[SPARE].check_output("find /etc -newermt 2000-01-01 | wc -l") == before


def test_data_outlives_the_container() -> None:
    host = HOSTS[0]
    assert emqx(host, "ctl", "admins", "add", USER, PASSWORD).rc == 0
    before = container(host)
    # A new image under the name of the old one, as a pull would bring it.
    LAB.hosts[host].check_output(
        f"printf 'FROM {IMAGE}\\nLABEL edition=second\\n' | podman build --tag {IMAGE} -"
    )
    predicted = done(
        LAB.playbook("mqttops.emqx.site", INVENTORY, "--check", "--diff", **GROUP, **BY_NAME)
    )
    image = podman(host, "image", "inspect", "--format={{.Id}}", IMAGE)
    assert f'+  "{image}"' in predicted
    assert container(host) == before
    other = container(HOSTS[1])
    steps = changed(site(**BY_NAME))
    # For the other host, whose image is the same as before, this is an unchanged second run.
    assert {each for _task, each in steps} == {host}
    assert {each for _task, each in changed(predicted)} == {host}
    assert podman(host, "inspect", "--format={{.Image}}", "emqx") == image
    assert container(host) != before
    assert container(HOSTS[1]) == other
    together(*MEMBERS)
    assert can_log_in(LAB, host, USER, PASSWORD)


def test_quick_start(tmp_path: t.Any) -> None:
    lab = yaml.safe_load(LAB.inventory.read_text(encoding="utf-8"))["lab"]
    archive = next((ROOT / ".cache" / "packages").glob("emqx-image-5.8.9-*.tar"))
    variables = {
        **lab["vars"],
        "ansible_host": LAB.addresses[SPARE],
        "emqx_image": IMAGE,
        "emqx_package": str(archive),
        "emqx_package_source": "controller",
        "emqx_container_options": ["--cgroups=disabled"],
        "emqx_cookie_file": str(tmp_path / "cookie"),
    }
    inventory = ROOT / "docs" / "examples" / "two-containers.yml"

    def run(playbook: str, **more: t.Any) -> str:
        # Without the lab's own inventory, in which these hosts are others.
        return done(LAB.playbook(playbook, inventory=inventory, shared=False, **variables, **more))

    run("mqttops.emqx.site")
    shown = run("mqttops.emqx.status")
    assert shown.count("2 of 2        yes") == 2, shown
    members = ["emqx@node1.emqx.example", "emqx@node2.emqx.example"]
    for name in ("emqx1", "emqx2"):
        expected = {"running_nodes": members, "stopped_nodes": []}
        assert view(SPARE, name=name) == expected
    for port in (1883, 18083, 1884, 18084):
        socket.create_connection((LAB.addresses[SPARE], port), timeout=5).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((LAB.addresses[SPARE], 4370), timeout=5)
    run("mqttops.emqx.remove_node", emqx_remove_hosts="node2")
    assert view(SPARE, name="emqx1") == {"running_nodes": members[:1], "stopped_nodes": []}
    assert not LAB.hosts[SPARE].service("emqx2").is_running


# What containers on a network of their own are given.
BRIDGED = {
    **BY_NAME,
    "emqx_container_network": "emqx-net",
    "emqx_node_address": "{{ lab_fqdn }}",
}
NAMED = [f"emqx@{host}.{LAB.name}.lab" for host in HOSTS]


def test_published_ports_are_for_members_too() -> None:
    for host in HOSTS:
        LAB.hosts[host].check_output("systemctl stop emqx && rm -r /var/lib/emqx")
    site(**BRIDGED)
    together(*NAMED)
    for host in HOSTS:
        assert podman(host, "port", "emqx").count("4370/tcp") == 1
        for port in (4370, 5369):
            assert all(reaches(source, host, port) for source in HOSTS if source != host)
            assert not reaches(SPARE, host, port)
        assert reaches(SPARE, host, 1883)


def test_a_killed_container_is_started_by_the_next_run() -> None:
    host = HOSTS[0]
    podman(host, "kill", "emqx")
    gone = "until ! podman container exists emqx; do sleep 0.2; done"
    LAB.hosts[host].check_output(f"timeout 60 sh -c '{gone}'")
    assert {each for _task, each in changed(site(**BRIDGED))} == {host}
    together(*NAMED)
