# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError


class TestParse:
    @pytest.mark.parametrize(
        "text", ["5.8.9", "v5.8.9", "e5.8.9", " 5.8.9\n", "5.8.9-1", "5.8.9+b1"]
    )
    def test_spellings_of_one_version(self, text: str) -> None:
        assert versions.compare(text, "5.8.9") == 0

    def test_order(self) -> None:
        ordered = [
            "5.0.0",
            "5.8.0",
            "5.8.9",
            "5.8.10",
            "e5.10.4",
            "6.0.0-alpha.1",
            "6.0.0-beta.2",
            "6.0.0-rc.2",
            "6.0.0-rc.10",
            "6.0.0",
            "6.0.1",
        ]
        assert sorted(reversed(ordered), key=versions.parse) == ordered
        assert versions.compare("5.8.9", "5.10.0") == -1
        assert versions.compare("6.0.0", "6.0.0-rc.1") == 1

    @pytest.mark.parametrize(
        "text", ["", "5.8", "latest", "5.8.x", "x5.8.9", "5.8.9 beta", "\u0665.8.9"]
    )
    def test_not_a_version(self, text: str) -> None:
        with pytest.raises(InputError, match="expected three numbers"):
            versions.parse(text)


class TestEditions:
    @pytest.mark.parametrize(
        ("package", "version", "edition"),
        [
            ("emqx", "5.8.9", "opensource"),
            ("emqx-enterprise", "5.8.9", "enterprise"),
            ("emqx-enterprise", "5.0.0", "enterprise"),
            ("emqx", "5.9.0", "enterprise"),
            ("emqx-enterprise", "6.2.2", "enterprise"),
        ],
    )
    def test_edition_of(self, package: str, version: str, edition: str) -> None:
        assert versions.edition_of(package, version) == edition

    @pytest.mark.parametrize(
        ("edition", "version", "package"),
        [
            ("opensource", "5.8.9", "emqx"),
            ("enterprise", "5.8.9", "emqx-enterprise"),
            ("opensource", "5.9.0", "emqx-enterprise"),
        ],
    )
    def test_package_of(self, edition: str, version: str, package: str) -> None:
        assert versions.package_of(edition, version) == package


class TestFeatures:
    @pytest.mark.parametrize(
        ("name", "edition", "without", "having"),
        [
            ("status_json", "opensource", ["5.0.0"], ["5.0.1", "6.3.0"]),
            ("base_hocon", "opensource", ["5.8.3"], ["5.8.4", "6.0.0"]),
            ("license_gates_cluster", "", ["5.8.9", "5.8.11"], ["5.9.0", "6.2.2"]),
            ("join_exit_code", "", ["5.8.11"], ["5.9.0"]),
            ("replicants", "opensource", ["5.8.0", "5.8.9"], ["5.0.0", "5.7.2", "5.9.0"]),
            ("replicants", "enterprise", [], ["5.0.0", "5.8.0", "6.0.0"]),
            (
                "etcd_prefix_safe",
                "enterprise",
                ["5.8.0", "5.8.8", "5.9.0", "5.9.3", "5.10.0"],
                ["5.8.9", "5.8.11", "5.10.1", "6.0.0", "6.1.0"],
            ),
            (
                "cookie_checked",
                "",
                ["5.8.11", "5.10.4", "6.0.2", "6.1.0"],
                ["6.0.3", "6.1.1", "6.2.0"],
            ),
            ("rpc_server_port", "", ["5.7.2"], ["5.8.0", "5.8.0-1"]),
            ("discovery_enable", "", ["5.6.0"], ["5.6.1"]),
            ("evacuation", "opensource", ["5.8.9"], ["5.9.0"]),
        ],
    )
    def test_from_which_version(
        self, name: str, edition: str, without: list[str], having: list[str]
    ) -> None:
        assert [v for v in without if versions.feature(name, v, edition)] == []
        assert [v for v in having if not versions.feature(name, v, edition)] == []

    def test_unknown_edition_counts_as_the_one_that_has_it(self) -> None:
        assert versions.feature("replicants", "5.8.9")

    def test_unknown_feature(self) -> None:
        with pytest.raises(InputError, match="'warp' is not"):
            versions.feature("warp", "5.8.9")


class TestChoices:
    @pytest.mark.parametrize(
        ("setting", "version", "value", "allowed"),
        [
            ("discovery_strategy", "5.3.2", "mcast", True),
            ("discovery_strategy", "5.4.0", "mcast", False),
            ("discovery_strategy", "5.7.2", "singleton", False),
            ("discovery_strategy", "5.8.0", "singleton", True),
            ("discovery_strategy", "6.2.2", "k8s", True),
            ("proto_dist", "5.3.2", "inet6_tls", False),
            ("proto_dist", "5.4.0", "inet6_tls", True),
            ("dns_record_type", "5.5.1", "aaaa", False),
            ("dns_record_type", "5.6.0", "aaaa", True),
            ("discovery_strategy", "", "mcast", True),
            ("discovery_strategy", "", "singleton", True),
        ],
    )
    def test_by_version(self, setting: str, version: str, value: str, allowed: bool) -> None:
        assert (value in versions.choices(setting, version)) is allowed


class TestKeys:
    @pytest.mark.parametrize(
        ("root", "key", "edition", "without", "having"),
        [
            ("cluster", "core_nodes", "", ["5.8.0"], ["5.0.0", "5.7.2"]),
            ("cluster", "description", "", ["5.10.4"], ["6.0.0"]),
            ("cluster", "links", "opensource", ["5.8.9", "5.7.0"], ["5.9.0"]),
            ("cluster", "links", "enterprise", ["5.7.2"], ["5.8.0"]),
            ("node", "dist_bind_address", "", ["6.1.4"], ["6.2.0"]),
            (
                "node",
                "dist_listen_options",
                "",
                ["5.10.3", "6.0.2", "6.1.1", "6.2.0"],
                ["5.10.4", "6.0.3", "6.1.2", "6.2.1", "6.3.0"],
            ),
            ("rpc", "server_port", "", ["5.7.2"], ["5.8.0"]),
            ("rpc", "tcp_server_port", "", [], ["5.0.0", "5.8.9"]),
            ("rpc", "listen_address", "", ["5.3.2"], ["5.4.0"]),
        ],
    )
    def test_known_keys(
        self, root: str, key: str, edition: str, without: list[str], having: list[str]
    ) -> None:
        assert [v for v in without if key in versions.known_keys(root, v, edition)] == []
        assert [v for v in having if key not in versions.known_keys(root, v, edition)] == []

    def test_no_table_for_other_roots(self) -> None:
        with pytest.raises(InputError, match="'mqtt'"):
            versions.known_keys("mqtt", "5.8.9")

    def test_known_roots(self) -> None:
        opensource = versions.known_roots("5.8.9", "opensource")
        enterprise = versions.known_roots("5.8.9", "enterprise")
        assert {"listeners", "mqtt", "telemetry", "durable_storage"} <= set(opensource)
        assert "license" not in opensource and "license" in enterprise
        assert "telemetry" not in enterprise
        assert "durable_storage" not in versions.known_roots("5.6.1", "opensource")


def found(config: dict[str, t.Any], version: str, edition: str = "opensource") -> list[str]:
    findings = versions.unknown_keys(config, version, edition)
    for finding in findings:
        assert set(finding) == {
            "severity",
            "code",
            "key",
            "expected",
            "found",
            "remedy",
            "message",
        }
        assert finding["key"] in finding["message"] and finding["remedy"] in finding["message"]
        assert finding["message"][-1] in ".?" and finding["message"][-2] not in ".?"
    return [f"{f['severity']} {f['code']} {f['key']}" for f in findings]


class TestUnknownKeys:
    def test_sound_configuration(self) -> None:
        config = {
            "node": {"name": "a@b.c", "cluster_call": {"max_history": 100}, "shard_transports": {}},
            "cluster": {
                "etcd": {"server": "http://e:2379", "ssl_options": {"verify": "verify_peer"}},
                "static": {},
                "dns": {},
            },
            "rpc": {"server_port": 5369},
            "mqtt": {"whatever": {"is": "checked by EMQX"}},
            "listeners": {},
        }
        assert found(config, "5.8.9") == []

    @pytest.mark.parametrize(
        ("config", "version", "finding", "words"),
        [
            ({"cluster": {"nmae": 1}}, "5.8.9", "error unknown_key cluster.nmae", "cluster.name?"),
            (
                {"cluster": {"dns": {"recordtype": 1}}},
                "5.8.9",
                "error unknown_key cluster.dns.recordtype",
                "did you mean cluster.dns.record_type?",
            ),
            ({"node": {"zzz": {}}}, "5.8.9", "error unknown_key node.zzz", "remove it"),
            ({"node": {"zzz": {"y": 1}}}, "5.8.9", "error unknown_key node.zzz.y", "remove it"),
            ({"node": {"zzz": 1}}, "6.2.0", "warning unknown_key node.zzz", "remove it"),
            ({"node": {"cokie": 1}}, "6.2.0", "error unknown_key node.cokie", "node.cookie?"),
            ({"rpc": {"verify": 1}}, "5.8.9", "error unknown_key rpc.verify", "always verifies"),
            (
                {"cluster": {"core_nodes": []}},
                "5.8.0",
                "error key_not_in_version cluster.core_nodes",
                "needs EMQX older than 5.8.0, the target is EMQX 5.8.0 (opensource)",
            ),
            (
                {"cluster": {"links": []}},
                "5.8.9",
                "error key_not_in_version cluster.links",
                "the enterprise edition",
            ),
            (
                {"cluster": {"mcast": {"addr": "x"}}},
                "5.4.0",
                "error key_not_in_version cluster.mcast",
                "older than 5.4.0",
            ),
            (
                {"rpc": {"server_port": 1}},
                "5.7.2",
                "error key_not_in_version rpc.server_port",
                "rpc.tcp_server_port",
            ),
            (
                {"node": {"dist_listen_options": "[]"}},
                "6.0.2",
                "error key_not_in_version node.dist_listen_options",
                "EMQX 5.10.4 / 6.0.3 / 6.1.2 / 6.2.1 or newer",
            ),
            ({"lisetners": {}}, "5.8.9", "error unknown_root lisetners", "did you mean listeners?"),
            ({"license": {}}, "5.8.9", "warning key_not_in_version license", "enterprise"),
            ({"my_own": {}}, "5.8.9", "warning unknown_root my_own", "silently"),
            ({5: {}}, "5.8.9", "warning unknown_root 5", "silently"),
        ],
    )
    def test_finding(
        self, config: dict[str, t.Any], version: str, finding: str, words: str
    ) -> None:
        assert found(config, version) == [finding]
        assert words in versions.unknown_keys(config, version, "opensource")[0]["message"]

    def test_all_at_once(self) -> None:
        config = {"cluster": {"nmae": 1, "links": []}, "foo": 1, "rpc": {"x": 1}}
        assert len(found(config, "5.8.9")) == 4

    def test_a_root_that_is_no_dictionary_is_left_to_emqx(self) -> None:
        assert found({"cluster": 5}, "5.8.9") == []


class TestCookies:
    @pytest.mark.parametrize("cookie", ["a" * 16, "A-z_0" * 12, "x" * 64])
    def test_safe(self, cookie: str) -> None:
        assert versions.cookie_problem(cookie) == ""

    @pytest.mark.parametrize(
        ("cookie", "words"),
        [
            ("emqxsecretcookie", "default"),
            ("short", "5 characters"),
            ("x" * 65, "65 characters"),
            ("abcdefgh#ijklmnop", "A-Z"),
            ("abcdefgh ijklmnop", "A-Z"),
            ("abcdefghijklmnop\n", "A-Z"),
            ("", "0 characters"),
        ],
    )
    def test_unsafe(self, cookie: str, words: str) -> None:
        problem = versions.cookie_problem(cookie)
        assert words in problem
        assert len(cookie) < 10 or cookie not in problem


@pytest.mark.parametrize(
    ("current", "wanted", "refused", "text"),
    [
        ("4.4.19", "5.8.9", True, "a new cluster and an import"),
        ("5.3.2", "5.10.4", True, "go to 5.8.9 first"),
        ("5.8.9", "5.9.0", True, "go to 5.10.1 or newer"),
        ("5.8.9", "5.10.0", True, "go to 5.10.1 or newer"),
        ("5.7.2", "6.0.1", True, "go to 5.10.4 first"),
        ("5.10.4", "6.0.0", True, "only 6.0.1 and newer"),
        ("5.10.4", "6.0.3", False, "durable sessions"),
        ("6.1.0", "6.1.2", False, "no way back"),
    ],
)
def test_what_stands_against_an_upgrade(
    current: str, wanted: str, refused: bool, text: str
) -> None:
    found = versions.hurdles(current, wanted)
    assert [hurdle for hurdle in found if hurdle.refused is refused and text in hurdle.text]


@pytest.mark.parametrize(
    ("current", "wanted"),
    [("5.8.6", "5.8.9"), ("5.4.0", "5.8.9"), ("5.8.9", "5.10.4"), ("6.0.1", "6.1.0")],
)
def test_an_upgrade_that_nothing_stands_against(current: str, wanted: str) -> None:
    assert versions.hurdles(current, wanted) == []
