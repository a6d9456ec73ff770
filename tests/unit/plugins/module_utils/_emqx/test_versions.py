# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

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
