# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host.container import unit_version
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Listener,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import container
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import release
from ansible_collections.mqttops.emqx.tests.unit import plans

GIVEN: dict[str, t.Any] = {
    "deployment": "container",
    "tuning_nofile": 1024,
    "container_options": ("--memory=4g",),
    "environment": {"EMQX_B": "secret", "EMQX_A": "other"},
    "base_config": {"mqtt.max_topic_levels": 64},
    "dist_tls": False,
    "rpc_tls": True,
}


def plan(node: Node | None = None, **given: t.Any) -> container.ContainerPlan:
    settings = plans.settings(**{**GIVEN, **given})
    planned = release(settings, plans.host(), {})
    return container.plan(
        settings, node or plans.node(), layout(settings), planned, given.get("image", "sha256:1")
    )


def start(node: Node | None = None, **given: t.Any) -> list[str]:
    return list(plan(node, **given).start)


class TestPlan:
    def test_start(self) -> None:
        assert start() == [
            "/usr/bin/podman",
            '"run"',
            '"--rm"',
            '"--name=emqx"',
            '"--label=mqttops.emqx.version=5.8.9"',
            '"--log-driver=none"',
            '"--ulimit=host"',
            '"--stop-timeout=120"',
            '"--network=host"',
            '"--env=EMQX_NODE_NAME=emqx@10.0.0.1"',
            '"--env=EMQX_RPC__PORT_DISCOVERY=manual"',
            '"--env=EMQX_A"',
            '"--env=EMQX_B"',
            '"--volume=/etc/emqx/emqx.conf:/opt/emqx/etc/emqx.conf:ro,z"',
            '"--volume=/etc/emqx/base.hocon:/opt/emqx/etc/base.hocon:ro,z"',
            '"--volume=/etc/mqttops-emqx/tls-emqx:/etc/mqttops-emqx/tls-emqx:ro,z"',
            '"--volume=/var/lib/emqx:/opt/emqx/data:z"',
            '"--volume=/var/log/emqx:/opt/emqx/log:z"',
            '"--memory=4g"',
            '"sha256:1"',
        ]

    @pytest.mark.parametrize(
        ("given", "volume"),
        [
            ({"dist_tls": True}, "/etc/emqx/ssl_dist.conf:/opt/emqx/etc/ssl_dist.conf:ro,z"),
            (
                {"license": "MjIwMTExCjA", "version": "5.10.4"},
                "/etc/mqttops-emqx/plant:/etc/mqttops-emqx/plant:ro,z",
            ),
            (
                {"discovery_strategy": "etcd", "etcd_ca": "ca.pem"},
                "/etc/mqttops-emqx/plant:/etc/mqttops-emqx/plant:ro,z",
            ),
            (
                {"discovery_strategy": "k8s", "k8s_token": "x"},
                "/etc/mqttops-emqx/plant/serviceaccount:"
                "/var/run/secrets/kubernetes.io/serviceaccount:ro,z",
            ),
        ],
    )
    def test_what_else_it_reads(self, given: dict[str, t.Any], volume: str) -> None:
        assert f'"--volume={volume}"' in start(**given)
        assert f'"--volume={volume}"' not in start()

    def test_values_of_the_environment_are_nowhere(self) -> None:
        assert "secret" not in repr(plan())

    def test_an_image_is_started_by_its_name_before_its_id_is_known(self) -> None:
        assert plan(image="").check.image == "docker.io/emqx/emqx:5.8.9"

    def test_docker_gets_a_number_for_its_limit(self) -> None:
        shown = start(container_engine="docker")
        assert shown[0] == "/usr/bin/docker"
        assert '"--ulimit=nofile=1024:1024"' in shown

    def test_a_network_of_its_own(self) -> None:
        node = plans.node("emqx@node1.example", host_is_ip=False)
        given = {"container_network": "net", "container_ports": ("4370", "1884:1883")}
        shown = start(node, **given)
        first = shown.index('"--network=net"')
        assert [word.strip('"') for word in shown[first : first + 5]] == [
            "--network=net",
            "--network-alias=node1.example",
            "--add-host=node1.example:127.0.0.1",
            "--publish=4370:4370",
            "--publish=1884:1883",
        ]
        assert not any("alias" in word for word in start(container_network="net"))

    @pytest.mark.parametrize(
        ("listeners", "ports"),
        [
            ((), ["4370", "5370", "1883", "8083", "8084", "8883", "18083"]),
            (
                (
                    Listener("tcp:default", "mqtt", 2883),
                    Listener("quic:default", "mqtt", 14567, "udp"),
                    Listener("ssl:default", "mqtt", 8883, enabled=False),
                ),
                ["4370", "5370", "2883", "14567/udp"],
            ),
        ],
    )
    def test_published_are_the_ports_of_the_node(
        self, listeners: tuple[Listener, ...], ports: list[str]
    ) -> None:
        shown = start(plans.node(listeners=listeners), container_network="net")
        published = [word.strip('"') for word in shown if "--publish" in word]
        assert published == [f"--publish={port.split('/')[0]}:{port}" for port in ports]

    def test_commands(self) -> None:
        made = plan(container_name="emqx2")
        assert made.stop == "/usr/bin/podman stop --time=120 emqx2"
        assert made.remove == "/usr/bin/podman rm --force --volumes emqx2"

    def test_the_check_sees_the_same_files_and_no_network(self) -> None:
        check = plan(container_network="net").check
        assert check.run[:4] == ("/usr/bin/podman", "run", "--rm", "--network=none")
        assert "--env=EMQX_A" in check.run
        assert not any("publish" in word or "name=" in word for word in check.run[4:5])
        assert check.image == "sha256:1"
        assert [volume.split(":")[0] for volume in check.volumes] == [
            "/etc/emqx/emqx.conf",
            "/etc/emqx/base.hocon",
            "/etc/mqttops-emqx/tls-emqx",
            "/var/lib/emqx",
            "/var/log/emqx",
        ]

    def test_a_unit_says_the_version_that_it_starts(self) -> None:
        assert unit_version(" ".join(start(version="6.3.0-beta.2"))) == "6.3.0-beta.2"


@pytest.mark.parametrize(
    ("argument", "text"),
    [("a b", '"a b"'), ("50%", '"50%%"'), ("$HOME", '"$$HOME"'), ('a"\\', '"a\\"\\\\"')],
)
def test_a_unit_takes_arguments_literally(argument: str, text: str) -> None:
    assert container.quoted(argument) == text


class TestFindings:
    FQDN = plans.node("emqx@node1.example", host_is_ip=False)

    def codes(
        self,
        network: list[str] | None = None,
        node: Node = FQDN,
        engine: bool = True,
        **given: t.Any,
    ) -> list[str]:
        wanted = {
            "deployment": "container",
            "container_network": "net",
            "container_subnet": "10.1.0.0/24",
            **given,
        }
        host = HostState(container={"engine": engine, "network": network})
        found = container.findings(plans.settings(**wanted), host, node)
        assert all(each.hosts == ("n1",) and each.subject for each in found)
        return [each.code for each in found]

    def test_none(self) -> None:
        assert self.codes() == []
        assert self.codes(["fd00::/64", "10.1.0.0/24"]) == []

    def test_the_hosts_network_has_no_subnet(self) -> None:
        given: dict[str, t.Any] = {"container_network": "host", "container_subnet": "nonsense"}
        assert self.codes(**given) == []

    def test_a_package_needs_none_of_it(self) -> None:
        assert self.codes(deployment="package", engine=False) == []

    def test_docker_is_left_to_the_user(self) -> None:
        assert self.codes(container_engine="docker", engine=False) == ["no_docker"]
        assert self.codes(container_engine="docker") == []

    def test_a_container_does_not_reach_itself_by_the_address_of_its_host(self) -> None:
        assert self.codes(node=plans.node()) == ["container_address"]

    def test_another_subnet(self) -> None:
        assert self.codes(["10.2.0.0/24"]) == ["container_subnet"]
        assert self.codes(container_subnet="10.1.0.1/24") == ["container_subnet"]
