# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the action plugins of the roles ask of a host, and what they hand to the tasks."""

from __future__ import annotations

import typing as t
from pathlib import Path
from unittest import mock

import pytest
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.action import (
    bind_plan,
    certificates_plan,
    etcd_plan,
    kubernetes_plan,
)
from ansible_collections.mqttops.emqx.plugins.filter.topology import topology
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority
from ansible_collections.mqttops.emqx.tests.unit.tls_records import observed

HOSTVARS = {
    "h1": {"ansible_host": "10.0.0.1", "emqx_node_address": "mq1.emqx.iot.svc.cluster.local"},
    "h2": {"ansible_host": "10.0.0.2", "etcd_address": "10.9.0.2", "bind_address": "10.9.0.2"},
}
HOST: dict[str, t.Any] = {
    "platform": {"format": "deb", "name": "Debian"},
    "addresses": [],
    "package": {"name": "", "version": ""},
    "package_file": {},
    "release": "",
    "container": {},
    "files": {},
    "service": {"exists": False, "enabled": False, "active": False},
    "stale": [],
    "places": {},
    "data_nodes": [],
    "package_nodes": [],
    "disks": {},
    "sysctls": {},
    "nft": {},
    "firewall": {},
    "certificates": {},
}
Answers = t.Dict[str, t.Dict[str, t.Any]]


class Run:
    """A run of an action plugin against a host that gives these answers, by module."""

    def __init__(self, plugin: t.Any, answers: Answers | None = None, shown: str = "") -> None:
        self.plugin, self.answers, self.shown = plugin, answers or {}, shown
        self.asked: dict[str, dict[str, t.Any]] = {}

    def __call__(self, **arguments: t.Any) -> dict[str, t.Any]:
        task = mock.Mock(args=arguments, async_val=0, check_mode=False, diff=False)
        mocks = {name: mock.Mock() for name in ("connection", "play_context", "loader", "templar")}
        action = self.plugin.ActionModule(task=task, shared_loader_obj=None, **mocks)
        action._execute_module = self.execute
        action._low_level_execute_command = lambda _command: {"stdout": self.shown}
        variables = {"inventory_hostname": "h1", "hostvars": HOSTVARS}
        return dict(action.run(task_vars=variables))

    def execute(self, module_name: str, module_args: t.Any, **_more: t.Any) -> dict[str, t.Any]:
        self.asked[module_name] = module_args
        return self.answers[module_name]


ETCD = {
    "hosts": ["h1", "h2", "h3"],
    "data_dir": "/var/lib/etcd/x",
    "ca_dir": "/nonexistent/ca",
    "ca_days": "3650",
    "days": 825,
}
INFO, PORTS = "mqttops.emqx.host_info", "community.general.listen_ports_facts"


def test_etcd_reads_the_host_and_its_ports() -> None:
    listening = {"ansible_facts": {"tcp_listen": [{"name": "nc", "port": 2379}]}}
    run = Run(etcd_plan, {INFO: {"host": HOST}, PORTS: listening})
    found = run(**ETCD)
    assert "/var/lib/etcd/x/member" in run.asked[INFO]["files"]
    assert run.asked[INFO]["certificates"]["key"] == "/etc/mqttops-emqx/etcd/key.pem"
    (error,) = found["errors"]
    assert error.startswith("Host h1: expected nobody on the ports 2379 and 2380")
    assert found["plan"]["findings"][0]["code"] == "etcd_ports"
    members = "h1=https://10.0.0.1:2380,h2=https://10.9.0.2:2380,h3=https://h3:2380"
    assert members in found["plan"]["files"][0]["content"]
    assert found["changed"] is False


def test_etcd_asks_no_ports_of_a_member() -> None:
    active = {**HOST, "service": {"exists": True, "enabled": True, "active": True}}
    run = Run(etcd_plan, {INFO: {"host": active}})
    (error,) = run(**ETCD)["errors"]
    assert "found an etcd that this role did not set up" in error
    assert list(run.asked) == [INFO]


def test_a_host_that_cannot_be_read() -> None:
    failed = {INFO: {"failed": True, "msg": "no python"}}
    assert Run(etcd_plan, failed)(**ETCD)["msg"] == "no python"
    assert Run(bind_plan, failed)(hosts=["h1"], zone="mq.example")["msg"] == "no python"


CLUSTER = topology(HOSTVARS, ["h1"], {"discovery_strategy": "k8s", "k8s_namespace": "iot"})


def test_bind_serves_the_records() -> None:
    run = Run(bind_plan, {INFO: {"host": HOST}})
    options = {"zone": "iot.svc.cluster.local", "name": "iot.svc.cluster.local"}
    found = run(hosts=["h1", "h2"], cluster=CLUSTER, record_type="srv", **options)
    assert (found["errors"], found["plan"]["primary"]) == ([], True)
    assert found["plan"]["addresses"] == ["10.0.0.1", "10.9.0.2"]
    assert "findings" not in found["plan"]


def test_bind_refuses_a_server_with_other_zones() -> None:
    host = {**HOST, "package": {"name": "bind9", "version": "9"}}
    run = Run(bind_plan, {INFO: {"host": host}}, 'zone "shop.example" { };')
    options = {"zone": "mq.example", "name": "mq.example"}
    (error,) = run(hosts=["h1"], cluster={"nodes": {}}, **options)["errors"]
    assert "one with the zones shop.example" in error


def test_bind_reads_no_host_for_records_and_addresses() -> None:
    run = Run(bind_plan)
    found = run(hosts=["h1", "h2"], zone="mq.example", only="addresses")
    assert found["plan"] == {"addresses": ["10.0.0.1", "10.9.0.2"]}
    options = {"zone": "iot.svc.cluster.local", "name": "iot.svc.cluster.local"}
    found = run(hosts=[], cluster=CLUSTER, record_type="srv", only="records", **options)
    assert found["plan"]["text"].splitlines()[0].endswith(" mq1.emqx.iot.svc.cluster.local.")
    assert run.asked == {}


def test_kubernetes_makes_manifests() -> None:
    settings = {"discovery_strategy": "k8s", "k8s_namespace": "iot", "k8s_address_type": "hostname"}
    cluster = topology(HOSTVARS, ["h1"], settings)
    found = Run(kubernetes_plan)(cluster=cluster, members="hosts", service_account="mq")
    assert (found["errors"], found["findings"]) == ([], [])
    kinds = [manifest["kind"] for manifest in found["manifests"]]
    assert kinds == ["ServiceAccount", "Role", "RoleBinding", "Service", "Endpoints"]
    found = Run(kubernetes_plan)(cluster=CLUSTER, members="hosts", service_account="mq")
    assert found["findings"][0]["code"] == "k8s_address"


def certificates(folder: Path, **more: t.Any) -> dict[str, t.Any]:
    item = {"certificate": "/x/cert.pem", "key": "/x/key.pem", "names": ["h1"], "usage": ["server"]}
    numbers = {"ca_days": 3650, "days": 825, "renew_days": 30}
    return {"wanted": [item], "ca_dir": str(folder), "ca_name": "CA", **numbers, **more}


def test_certificates_are_read_where_they_are_not_known(tmp_path: Path) -> None:
    run = Run(certificates_plan, {INFO: {"host": HOST}})
    plan = run(**certificates(tmp_path / "ca"))["plan"]
    assert run.asked[INFO]["certificates"]["certificate"] == "/x/cert.pem"
    assert (plan["ca_missing"], plan["errors"], len(plan["sign"])) == (True, [], 1)
    assert plan["sign"][0]["usage"] == "serverAuth"


def test_certificates_that_are_known_are_not_read(tmp_path: Path) -> None:
    files = Authority(tmp_path, "ca").issue("h1", DNSName("h1"), days=100)
    run = Run(certificates_plan)
    arguments = certificates(tmp_path, found=[observed(files)])
    (error,) = run(**arguments)["plan"]["errors"]
    assert "ca.pem without" in error
    assert run.asked == {}


@pytest.mark.parametrize("option", ["wanted", "ca_dir", "days"])
def test_an_option_that_is_missing(tmp_path: Path, option: str) -> None:
    arguments = certificates(tmp_path)
    del arguments[option]
    with pytest.raises(Exception, match=option):
        Run(certificates_plan)(**arguments)
