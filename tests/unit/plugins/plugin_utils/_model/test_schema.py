# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import schema


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
        assert [v for v in without if key in schema.known_keys(root, v, edition)] == []
        assert [v for v in having if key not in schema.known_keys(root, v, edition)] == []

    def test_no_table_for_other_roots(self) -> None:
        with pytest.raises(InputError, match="'mqtt'"):
            schema.known_keys("mqtt", "5.8.9")

    def test_known_roots(self) -> None:
        opensource = schema.known_roots("5.8.9", "opensource")
        enterprise = schema.known_roots("5.8.9", "enterprise")
        assert {"listeners", "mqtt", "telemetry", "durable_storage"} <= set(opensource)
        assert "license" not in opensource and "license" in enterprise
        assert "telemetry" not in enterprise
        assert "durable_storage" not in schema.known_roots("5.6.1", "opensource")


def found(config: dict[str, t.Any], version: str, edition: str = "opensource") -> list[str]:
    findings = schema.unknown_keys(config, version, edition, "emqx_base_config")
    assert all(each.subject == "emqx_base_config" for each in findings)
    return [f"{each.severity} {each.code}" for each in findings]


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
            ({"node": {"cokie": 1}}, "6.2.0", "warning unknown_key node.cokie", "node.cookie?"),
            ({"rpc": {"verify": 1}}, "5.8.9", "error unknown_key rpc.verify", "always verifies"),
            (
                {"cluster": {"core_nodes": []}},
                "5.8.0",
                "error key_not_in_version cluster.core_nodes",
                "EMQX older than 5.8.0 for cluster.core_nodes, found EMQX 5.8.0 (opensource)",
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
                "warning key_not_in_version node.dist_listen_options",
                "EMQX 5.10.4 / 6.0.3 / 6.1.2 / 6.2.1 or newer",
            ),
            ({"rpc": {"verify": 1}}, "6.0.0", "warning unknown_key rpc.verify", "always verifies"),
            (
                {"lisetners": {}},
                "5.8.9",
                "warning unknown_root lisetners",
                "did you mean listeners?",
            ),
            ({"dashbord": {}}, "6.2.0", "warning unknown_root dashbord", "did you mean dashboard?"),
            ({"license": {}}, "5.8.9", "warning key_not_in_version license", "enterprise"),
            ({"my_own": {}}, "5.8.9", "warning unknown_root my_own", "silently"),
            ({5: {}}, "5.8.9", "warning unknown_root 5", "silently"),
        ],
    )
    def test_finding(
        self, config: dict[str, t.Any], version: str, finding: str, words: str
    ) -> None:
        severity_and_code, _blank, key = finding.rpartition(" ")
        assert found(config, version) == [severity_and_code]
        sentence = schema.unknown_keys(config, version, "opensource")[0].sentence()
        assert key in sentence
        assert words in sentence

    @pytest.mark.parametrize(
        ("root", "version"),
        [
            ("authentication_settings", "5.9.0"),
            ("authentication_settings", "6.2.0"),
            ("mq", "6.1.0"),
            ("streams", "6.2.0"),
            ("ai", "6.0.0"),
            ("made_up_later", "6.3.0"),
            ("made_up_later", "5.9.0"),
        ],
    )
    def test_an_open_schema_may_have_more_roots(self, root: str, version: str) -> None:
        assert found({root: {}}, version) == []

    @pytest.mark.parametrize("version", ["5.9.0", "5.10.4", "6.2.0"])
    def test_only_emqx_refuses_what_a_newer_version_may_know(self, version: str) -> None:
        config = {"cluster": {"nmae": 1}, "node": {"x": 1}, "rpc": {"verify": 1}, "lisetners": {}}
        assert {line.split()[0] for line in found(config, version)} == {"warning"}

    def test_all_at_once(self) -> None:
        config = {"cluster": {"nmae": 1, "links": []}, "foo": 1, "rpc": {"x": 1}}
        assert len(found(config, "5.8.9")) == 4

    def test_a_root_that_is_no_dictionary_is_left_to_emqx(self) -> None:
        assert found({"cluster": 5}, "5.8.9") == []
