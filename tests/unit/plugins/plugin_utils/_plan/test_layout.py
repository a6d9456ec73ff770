# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.tests.unit.plans import settings


def part(found: Layout, *names: str) -> list[t.Any]:
    return [getattr(found, name) for name in names]


def test_node_of_a_package() -> None:
    found = layout(settings())
    assert part(found, "etc", "data", "node_data", "log", "disk") == [
        "/etc/emqx",
        "/var/lib/emqx",
        "/var/lib/emqx",
        "/var/log/emqx",
        "/usr",
    ]
    assert part(found, "argv", "argv_user", "user") == [("/usr/bin/emqx",), "emqx", "emqx"]
    assert part(found, "unit", "own_unit", "instanced") == ["emqx.service", False, False]
    assert found.drop_in == "/etc/systemd/system/emqx.service.d/50-mqttops.conf"
    assert part(found, "environment", "boot_record", "tls") == [
        "/etc/mqttops-emqx/emqx.env",
        "/run/mqttops-emqx/emqx",
        "/etc/mqttops-emqx/tls",
    ]


def test_instance_of_a_package() -> None:
    found = layout(settings(instance=2))
    assert part(found, "etc", "data", "log") == [
        "/etc/emqx-2",
        "/var/lib/emqx-2",
        "/var/log/emqx-2",
    ]
    assert part(found, "unit", "unit_file", "service", "own_unit") == [
        "emqx@2.service",
        "/etc/systemd/system/emqx@.service",
        "emqx-2",
        True,
    ]
    assert part(found, "argv", "unit_argv") == [
        ("/usr/local/bin/emqx-2",),
        "/usr/local/bin/emqx-%i",
    ]
    assert found.installed_data == "/var/lib/emqx"
    assert found.instance_script == "/usr/local/lib/mqttops-emqx/2/release/bin/emqx"
    assert found.laid_out == "/usr/local/lib/mqttops-emqx/2/release/releases/5.8.9"
    assert found.unit_vars.replace("%i", "2") == found.instance_vars
    assert found.tls == "/etc/mqttops-emqx/tls-2"


def test_no_root_of_an_instance_begins_as_that_of_another() -> None:
    roots = [layout(settings(instance=number)).instance_root for number in range(1, 80)]
    roots.append(layout(settings()).installed_root)
    assert not [(a, b) for a in roots for b in roots if a != b and b.startswith(a)]


@pytest.mark.parametrize("named", [{"package_type": "tarball"}, {"package": "/srv/emqx.tar.gz"}])
def test_node_of_an_archive(named: dict[str, str]) -> None:
    found = layout(settings(**named, root_dir="/srv/emqx"))
    assert part(found, "etc", "data", "log", "disk", "argv", "own_unit") == [
        "/srv/emqx/etc",
        "/srv/emqx/data",
        "/srv/emqx/log",
        "/srv/emqx",
        ("/srv/emqx/bin/emqx",),
        True,
    ]
    assert part(found, "installed_root", "installed_etc", "installed_home", "installed_data") == [
        "/srv/emqx",
        "/srv/emqx/etc",
        "/srv/emqx/data",
        "/srv/emqx/data",
    ]


def test_instance_of_an_archive() -> None:
    found = layout(settings(package_type="tarball", instance=1))
    assert part(found, "etc", "argv") == ["/opt/emqx-1/etc", ("/usr/local/bin/emqx-1",)]


def test_container() -> None:
    found = layout(
        settings(deployment="container", container_name="edge", container_engine="docker")
    )
    assert part(found, "etc", "data", "log", "node_data", "disk") == [
        "/etc/edge",
        "/var/lib/edge",
        "/var/log/edge",
        "/opt/emqx/data",
        "/var/lib/docker",
    ]
    assert part(found, "argv", "argv_user", "user") == [
        ("/usr/bin/docker", "exec", "edge", "emqx"),
        "",
        "1000",
    ]
    assert part(found, "unit", "unit_file", "own_unit", "tls") == [
        "edge.service",
        "/etc/systemd/system/edge.service",
        True,
        "/etc/mqttops-emqx/tls-edge",
    ]


def test_a_container_with_a_number_is_no_instance() -> None:
    found = layout(settings(deployment="container", container_name="emqx-2", instance=2))
    assert part(found, "instanced", "unit") == [False, "emqx-2.service"]
    assert found.data == "/var/lib/emqx-2"


@pytest.mark.parametrize(
    ("given", "data", "installed"),
    [
        ({}, "/srv/mqtt", "/srv/mqtt"),
        ({"instance": 3}, "/srv/mqtt-3", "/srv/mqtt"),
        ({"package_type": "tarball"}, "/srv/mqtt", "/srv/mqtt"),
        ({"deployment": "container"}, "/srv/mqtt", "/srv/mqtt"),
    ],
)
def test_data_directory_of_the_user(given: dict[str, t.Any], data: str, installed: str) -> None:
    found = layout(settings(data_dir="/srv/mqtt", **given))
    assert part(found, "data") == [data]
    assert found.installed_data == installed


def test_files_that_a_start_reads() -> None:
    found = layout(settings())
    assert found.boot_files == (
        "/etc/emqx/emqx.conf",
        "/etc/emqx/base.hocon",
        "/etc/emqx/vm.args",
        "/etc/emqx/ssl_dist.conf",
        "/etc/mqttops-emqx/emqx.env",
        "/etc/systemd/system/emqx.service.d/50-mqttops.conf",
    )
    assert found.certificates_in_use == {}


def test_files_that_an_instance_with_tls_reads_at_its_start() -> None:
    found = layout(settings(instance=2, dist_tls=True))
    assert found.boot_files[-3:] == (
        "/etc/mqttops-emqx/tls-2/cert.pem",
        "/etc/mqttops-emqx/tls-2/ca.pem",
        "/etc/systemd/system/emqx@.service",
    )
    assert found.certificates_in_use == found.certificates


def test_what_belongs_to_a_cluster() -> None:
    found = layout(settings())
    assert part(found, "cluster", "license", "kubernetes") == [
        "/etc/mqttops-emqx/plant",
        "/etc/mqttops-emqx/plant/license",
        "/etc/mqttops-emqx/plant/serviceaccount",
    ]
    assert found.etcd["keyfile"] == "/etc/mqttops-emqx/plant/etcd-key.pem"
    assert found.kubernetes_files["ca"] == "/etc/mqttops-emqx/plant/serviceaccount/ca.crt"


@pytest.mark.parametrize(
    "given",
    [{}, {"instance": 2}, {"package_type": "tarball"}, {"deployment": "container"}],
)
def test_all_that_may_be_written_is_watched(given: dict[str, t.Any]) -> None:
    found = layout(settings(dist_tls=True, **given))
    watched = set(found.watched)
    assert len(watched) == len(found.watched)
    # Nobody writes the vendor's vm.args.
    assert set(found.boot_files) - watched == {f"{found.etc}/vm.args"}
    several = [getattr(found, key) for key in ("certificates", "etcd", "kubernetes_files")]
    assert {path for paths in several for path in paths.values()} <= watched
    assert {getattr(found, key) for key in ("license", "data", "log", "unit_file")} <= watched
    own = {
        getattr(found, key)
        for key in ("instance_vars", "instance_script", "instance_command", "laid_out")
    }
    assert own & watched == (own if found.instanced else set())
