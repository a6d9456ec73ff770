# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import container

WISH: dict[str, t.Any] = {
    "engine": "podman",
    "name": "emqx",
    "image": "sha256:1",
    "version": "5.8.9",
    "network": "host",
    "ports": [4370, 5369, 1883],
    "alias": "",
    "options": ["--memory=4g"],
    "node_name": "emqx@10.0.0.1",
    "rpc_port_discovery": "manual",
    "environment": {"EMQX_B": "secret", "EMQX_A": "other"},
    "nofile": 1024,
    "etc": "/etc/emqx",
    "files": ["emqx.conf", "base.hocon"],
    "folders": ["/etc/mqttops-emqx/tls"],
    "service_account": "",
    "data": "/var/lib/emqx",
    "log": "/var/log/emqx",
}


def start(**other: t.Any) -> list[str]:
    return list(container.plan({**WISH, **other})["start"])


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
            '"--volume=/etc/mqttops-emqx/tls:/etc/mqttops-emqx/tls:ro,z"',
            '"--volume=/var/lib/emqx:/opt/emqx/data:z"',
            '"--volume=/var/log/emqx:/opt/emqx/log:z"',
            '"--memory=4g"',
            '"sha256:1"',
        ]

    def test_what_it_shows_to_kubernetes(self) -> None:
        place = "/var/run/secrets/kubernetes.io/serviceaccount"
        assert f'"--volume=/a:{place}:ro,z"' in start(service_account="/a")
        assert place not in " ".join(start())

    def test_values_of_the_environment_are_nowhere(self) -> None:
        assert "secret" not in json.dumps(container.plan(WISH))

    def test_docker_gets_a_number_for_its_limit(self) -> None:
        shown = start(engine="docker")
        assert shown[0] == "/usr/bin/docker"
        assert '"--ulimit=nofile=1024:1024"' in shown

    def test_a_network_of_its_own(self) -> None:
        shown = start(network="net", alias="node1.example", ports=[4370, "1884:1883"])
        first = shown.index('"--network=net"')
        network = [word.strip('"') for word in shown[first : first + 5]]
        assert network == [
            "--network=net",
            "--network-alias=node1.example",
            "--add-host=node1.example:127.0.0.1",
            "--publish=4370:4370",
            "--publish=1884:1883",
        ]
        assert not any("alias" in word for word in start(network="net"))

    def test_commands(self) -> None:
        plan = container.plan({**WISH, "name": "emqx2"})
        assert plan["stop"] == "/usr/bin/podman stop --time=120 emqx2"
        assert plan["remove"] == "/usr/bin/podman rm --force --volumes emqx2"

    def test_the_check_sees_the_same_files_and_no_network(self) -> None:
        check = container.plan({**WISH, "network": "net"})["check"]
        assert check["run"][:4] == ["/usr/bin/podman", "run", "--rm", "--network=none"]
        assert "--env=EMQX_A" in check["run"]
        assert not any("publish" in word or "name=" in word for word in check["run"][4:5])
        assert check["image"] == "sha256:1"
        assert [volume.split(":")[0] for volume in check["volumes"]] == [
            "/etc/emqx/emqx.conf",
            "/etc/emqx/base.hocon",
            "/etc/mqttops-emqx/tls",
            "/var/lib/emqx",
            "/var/log/emqx",
        ]


@pytest.mark.parametrize(
    ("argument", "text"),
    [("a b", '"a b"'), ("50%", '"50%%"'), ("$HOME", '"$$HOME"'), ('a"\\', '"a\\"\\\\"')],
)
def test_a_unit_takes_arguments_literally(argument: str, text: str) -> None:
    assert container.quoted(argument) == text


class TestAnswers:
    def test_image(self) -> None:
        shown = json.dumps([{"Id": "ab", "RepoTags": ["docker.io/emqx/emqx:5.8.9"]}])
        assert container.parse_image(shown) == {"id": "ab", "names": ["docker.io/emqx/emqx:5.8.9"]}
        assert container.parse_image('[{"Id": "ab", "RepoTags": null}]')["names"] == []

    @pytest.mark.parametrize("shown", ["", "[]\n", "Error: no such image", "[1]"])
    def test_no_image_and_no_network(self, shown: str) -> None:
        assert container.parse_image(shown) == {"id": "", "names": []}
        assert container.parse_network(shown) is None

    @pytest.mark.parametrize(
        "shown",
        [
            {"subnets": [{"subnet": "10.1.0.0/24"}]},
            {"plugins": [{"ipam": {"ranges": [[{"subnet": "10.1.0.0/24"}]]}}, {"type": "portmap"}]},
            {"IPAM": {"Config": [{"Subnet": "10.1.0.0/24"}]}},
        ],
        ids=["podman", "podman 3", "docker"],
    )
    def test_network(self, shown: dict[str, t.Any]) -> None:
        assert container.parse_network(json.dumps([shown])) == ["10.1.0.0/24"]

    def test_unit(self) -> None:
        assert container.unit_version(" ".join(start(version="6.3.0-beta.2"))) == "6.3.0-beta.2"
        assert container.unit_version("ExecStart=/bin/bash /usr/bin/emqx foreground") == ""


class TestProblems:
    WISH: t.ClassVar[dict[str, str]] = {
        "engine": "podman",
        "network": "net",
        "subnet": "10.1.0.0/24",
        "address": "",
        "firewall": "nftables",
    }

    def codes(self, network: list[str] | None = None, **wish: str) -> list[str]:
        found = {"engine": wish.get("engine") != "docker", "network": network}
        return [code for code, *_rest in container.problems(found, {**self.WISH, **wish})]

    def test_none(self) -> None:
        assert self.codes() == []
        assert self.codes(["fd00::/64", "10.1.0.0/24"]) == []

    @pytest.mark.parametrize("firewall", ["firewalld", "ufw"])
    def test_the_hosts_network_goes_with_any_firewall(self, firewall: str) -> None:
        wish = {**self.WISH, "network": "host", "firewall": firewall, "subnet": "nonsense"}
        assert list(container.problems({"engine": True, "network": None}, wish)) == []

    def test_docker_is_left_to_the_user(self) -> None:
        assert self.codes(engine="docker") == ["no_docker"]

    def test_a_container_does_not_reach_itself_by_the_address_of_its_host(self) -> None:
        assert self.codes(address="10.0.0.1") == ["container_address"]

    def test_another_subnet(self) -> None:
        assert self.codes(["10.2.0.0/24"]) == ["container_subnet"]
        assert self.codes(subnet="10.1.0.1/24") == ["container_subnet"]

    @pytest.mark.parametrize("firewall", ["firewalld", "ufw"])
    def test_published_ports_pass_by_firewall_managers(self, firewall: str) -> None:
        assert self.codes(firewall=firewall) == ["published_ports"]
