# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""golden/ holds the files of whole nodes, as a user would find them."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Directory,
    FileState,
    HostState,
    ManagedFile,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import files
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import nftables
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import release
from ansible_collections.mqttops.emqx.tests.unit import plans

GOLDEN = Path(__file__).parent / "golden"


def pem(kind: str) -> str:
    return f"-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n"


TEXTS = {
    "emqx_etcd_ca": pem("CA"),
    "emqx_etcd_certificate": pem("CERT"),
    "emqx_etcd_key": pem("KEY"),
    "emqx_k8s_ca": pem("KCA"),
}
ETCD_FILES = {
    part: f"/etc/mqttops-emqx/plant/etcd-{name}.pem"
    for part, name in (("cacertfile", "ca"), ("certfile", "cert"), ("keyfile", "key"))
}
PEER = plans.node("emqx@10.0.0.2", inventory_host="n2")
V6 = [
    plans.node(f"emqx@fd00::{n}", ip_version=6, inventory_host=f"n{n}", host_is_ip=True)
    for n in (1, 2)
]

Case = t.Tuple[Settings, Node, Cluster]


def case(settings: Settings, node: Node, *peers: Node, **model: t.Any) -> Case:
    return settings, node, plans.cluster(node, *peers, **model)


CASES: dict[str, Case] = {
    "package": case(
        plans.settings(
            config={"mqtt.max_packet_size": "2MB"},
            environment={"EMQX_MQTT__MAX_INFLIGHT": 32, "EMQX_LOG__CONSOLE__ENABLE": False},
        ),
        plans.node(),
        PEER,
    ),
    "instance": case(
        plans.settings(
            instance=2,
            firewall_backend="nftables",
            tuning_enabled=False,
            base_config={"mqtt": {"max_topic_levels": 64}},
        ),
        plans.node("emqx2@10.0.0.1", offset=2),
        PEER,
    ),
    "tarball_tls": case(
        plans.settings(
            package_type="tarball",
            root_dir="/srv/emqx",
            dist_tls=True,
            rpc_tls=True,
            proto_dist="inet6_tcp",
            license="KEYTEXT\n",
        ),
        *V6,
        ipv6=True,
        rpc={
            "port_discovery": "stateless",
            "protocol": "ssl",
            "listen_address": "::",
            "ipv6_only": True,
        },
    ),
    "container_etcd": case(
        plans.settings(
            deployment="container",
            container_engine="docker",
            container_name="edge",
            container_options=("--memory=4g",),
            discovery_strategy="etcd",
            etcd_ca="ca.pem",
            etcd_certificate="cert.pem",
            etcd_key="key.pem",
            environment={"EMQX_MQTT__MAX_INFLIGHT": 32},
        ),
        plans.node(),
        PEER,
        rpc={"port_discovery": "manual", "server_port": 5369},
        discovery={
            "etcd": {
                "server": "https://e:2379",
                "prefix": "plant",
                "ssl_options": {"enable": True, "verify": "verify_peer", **ETCD_FILES},
            }
        },
    ),
    "k8s": case(
        plans.settings(
            version="5.7.2",
            discovery_strategy="k8s",
            k8s_token="TOKEN\n",
            k8s_ca="kca.pem",
        ),
        plans.node(role="replicant"),
        PEER,
        discovery={
            "k8s": {
                "apiserver": "https://k:6443",
                "service_name": "emqx",
                "namespace": "default",
                "address_type": "ip",
                "suffix": "",
            }
        },
    ),
}


def written(settings: Settings, node: Node, cluster: Cluster) -> list[ManagedFile]:
    place = layout(settings)
    planned = release(settings, plans.host(), {})
    unit = nftables.UNIT if settings.firewall_backend == nftables.NAME else ""
    given = settings, cluster, node, place, planned, TEXTS, "sha256:1"
    return files.config_files(*given, firewall_unit=unit)


def content(settings: Settings, path: str) -> str:
    node = plans.node()
    found = written(settings, node, plans.cluster(node))
    return next(each.content for each in found if each.path == path)


Items = t.List[t.Union[ManagedFile, Directory]]


def shown(item: ManagedFile | Directory) -> str:
    rights = f"{item.owner}:{item.group} {item.mode}"
    if isinstance(item, Directory):
        return f"=== {item.path}/ {rights}\n"
    end = "" if item.content.endswith("\n") else "\n\\ no newline\n"
    return f"=== {item.path} {rights}{' secret' if item.secret else ''}\n{item.content}{end}"


@pytest.mark.parametrize("name", CASES)
def test_files_and_directories_of_a_node(name: str) -> None:
    settings = CASES[name][0]
    items: Items = [*written(*CASES[name]), *files.directories(settings, layout(settings))]
    expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert "".join(map(shown, items)) == expected


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_watched(name: str) -> None:
    settings = CASES[name][0]
    place = layout(settings)
    items: Items = [*written(*CASES[name]), *files.directories(settings, place)]
    assert {item.path for item in items} <= set(place.watched)


@pytest.mark.parametrize("name", CASES)
def test_no_content_shows_where_a_file_is_printed(name: str) -> None:
    settings = CASES[name][0]
    assert settings.cookie not in repr(written(*CASES[name]))


def test_each_golden_file_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


class TestLicense:
    KEY = "MjIwMTExCjAKMTAK"

    @pytest.mark.parametrize(
        ("version", "license_key", "text"),
        [
            ("5.8.9", KEY, 'key = "file:///etc/mqttops-emqx/plant/license"'),
            ("5.3.2", KEY, f'key = "{KEY}"'),
            ("5.8.9", "file:///root/key", 'key = "file:///root/key"'),
            ("5.9.0", "evaluation", 'key = "evaluation"'),
        ],
    )
    def test_where_the_key_stands(self, version: str, license_key: str, text: str) -> None:
        settings = plans.settings(version=version, license=license_key)
        assert text in content(settings, "/etc/emqx/emqx.conf")

    def test_a_file_of_it_is_for_emqx_alone(self) -> None:
        settings = plans.settings(license=f" {self.KEY}\n")
        found = written(settings, plans.node(), plans.cluster(plans.node()))[0]
        assert (found.content, found.mode, found.owner, found.secret) == (
            self.KEY,
            "0600",
            "emqx",
            True,
        )


class TestDefaultsUnderBaseConfig:
    """base.hocon is below emqx.conf: what a user sets there has no default above it."""

    @pytest.mark.parametrize(
        ("base", "bind"),
        [
            ({}, 18083),
            ({"dashboard.listeners.http.bind": 18090}, None),
            ({"dashboard": {"listeners": {"http": {"max_connections": 9}}}}, 18083),
            ({"dashboard.listeners.https.bind": 18084}, 18083),
            ({"dashboard": "{}"}, None),
        ],
    )
    def test_dashboard(self, base: dict[str, t.Any], bind: int | None) -> None:
        text = content(plans.settings(base_config=base), "/etc/emqx/emqx.conf")
        assert ("dashboard {" in text) is (bind is not None)
        assert (f"bind = {bind}" in text) is (bind is not None)

    def test_listeners_of_an_instance(self) -> None:
        base = {"listeners.tcp.default.bind": "127.0.0.1:1884"}
        text = content(plans.settings(instance=1, base_config=base), "/etc/emqx-1/emqx.conf")
        assert "tcp {" not in text
        assert 'bind = "0.0.0.0:8093"' in text

    def test_what_users_set_in_both_files_stays_in_both(self) -> None:
        given = {"dashboard.listeners.http.bind": 18090}
        settings = plans.settings(base_config=given, config={"dashboard.listeners.http.bind": 1})
        assert "bind = 1\n" in content(settings, "/etc/emqx/emqx.conf")
        assert "bind = 18090\n" in content(settings, "/etc/emqx/base.hocon")

    def test_a_newer_vendor_has_the_dashboard_in_base_hocon(self) -> None:
        settings = plans.settings(version="6.0.3", base_config={"mqtt.max_topic_levels": 64})
        assert "dashboard" not in content(settings, "/etc/emqx/emqx.conf")
        assert "bind = 18083\n" in content(settings, "/etc/emqx/base.hocon")


def test_a_dotted_key_that_is_given_twice_is_refused() -> None:
    settings = plans.settings(config={"mqtt.a": 1, "mqtt": {"a": 2}})
    with pytest.raises(InputError, match=r"mqtt\.a is given twice"):
        written(settings, plans.node(), plans.cluster(plans.node()))


@pytest.mark.parametrize("instance", [0, 2])
def test_a_release_of_an_archive_belongs_to_root(instance: int) -> None:
    settings = plans.settings(package_type="tarball", instance=instance)
    found = files.directories(settings, layout(settings))
    of_root = {each.path for each in found if each.owner == "root"}
    assert of_root == {"/opt/emqx", *(f"/opt/emqx/{p}" for p in ("bin", "etc", "lib", "releases"))}
    root = "/opt/emqx-2" if instance else "/opt/emqx"
    plugins = f"{root}/data/plugins" if instance else f"{root}/plugins"
    assert {each.path for each in found if each.owner == "emqx"} == {
        f"{root}/data",
        f"{root}/log",
        plugins,
        "/opt/emqx/data",
    }


class TestPending:
    FILE = ManagedFile("/a", "x", "root", "emqx", "0640")
    STATE = FileState(
        exists=True,
        mode="0640",
        owner="root",
        group="emqx",
        uid="0",
        gid="998",
        sha256=hashlib.sha256(b"x").hexdigest(),
    )
    FOLDER = Directory("/b", "1000", "1000", "0750")
    FOLDER_STATE = FileState(
        exists=True, mode="0750", owner="kim", group="kim", uid="1000", gid="1000"
    )

    def pending(self, file: FileState, folder: FileState = FOLDER_STATE) -> list[str]:
        host = HostState(files={"/a": file, "/b": folder})
        return files.pending([self.FILE], [self.FOLDER], host)

    def test_what_is_as_desired_is_not_pending(self) -> None:
        # A number says the same as the name.
        assert self.pending(self.STATE) == []

    @pytest.mark.parametrize(
        "other",
        [
            replace(STATE, mode="0644"),
            replace(STATE, owner="emqx"),
            replace(STATE, group="root", gid="0"),
            replace(STATE, sha256="1"),
        ],
    )
    def test_any_difference_makes_it_pending(self, other: FileState) -> None:
        assert self.pending(other) == ["/a"]

    def test_nothing_was_read(self) -> None:
        assert files.pending([self.FILE], [self.FOLDER], HostState()) == ["/b", "/a"]

    @pytest.mark.parametrize("mode", ["640", "rw", "06400", ""])
    def test_an_unclear_mode_is_refused(self, mode: str) -> None:
        with pytest.raises(InputError, match="mode of /a"):
            files.pending([replace(self.FILE, mode=mode)], [], HostState(files={"/a": self.STATE}))
