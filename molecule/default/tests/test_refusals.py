# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Bad input is refused with host, finding and remedy, and the running cluster is untouched."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from lab_hosts import scenario_lab
from operations import has_finding, refused, together

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
NEW_COOKIE = "AnotherCookieOfTwentyChars"
UNSAFE_COOKIE = 'abc def"ghi#jkl$mno'
VERSION = LAB.version

# What a run could change: files with their times and modes, the processes, the rules, the members.
WATCHED = (
    f"find {LAB.etc} /etc/mqttops-emqx /etc/systemd/system /etc/sysctl.d /var/cache/mqttops-emqx"
    " -printf '%p %m %u %g %T@ %s\\n' | sort;"
    " systemctl show --property=MainPID,ActiveEnterTimestampMonotonic emqx;"
    " nft list table inet mqttops_emqx | sed 's/packets [0-9]* bytes [0-9]*//';"
    " sysctl net.core net.ipv4"
)


@pytest.fixture(scope="module", autouse=True)
def whole_cluster() -> t.Iterator[None]:
    yield
    together(LAB, *HOSTS)


class Case(t.NamedTuple):
    """Variables of hosts, and what has to be shown: findings, or else words."""

    hosts: dict[str, dict[str, t.Any]]
    findings: list[tuple[str, ...]]
    words: tuple[str, ...] = ()


# Whatever is found before EMQX is asked is shown at once.
CASES = {
    "inventory and hosts": Case(
        {
            "n1": {
                "emqx_package_sha256": "0" * 64,
                "emqx_node_name": "mqtt@{{ ansible_host }}",
                "emqx_cookie": "emqxsecretcookie",
                "emqx_config": {"node": {"cookie": "abcdefghijklmnopqrst"}},
            },
            "n2": {
                "emqx_package": "/nowhere/emqx-5.8.9-debian12-amd64.deb",
                "emqx_node_name": "emqx",
                "emqx_cookie": UNSAFE_COOKIE,
                "emqx_config": {"node.dist_net_ticktim": "60s"},
            },
            "n3": {
                "emqx_version": "5.8.1",
                "emqx_package": "",
                "emqx_package_source": "download",
                "emqx_node_name": "emqx@127.0.0.1",
                "emqx_min_free_mb": 99999999,
                "emqx_config": {"listeners.tcp.default.bind": "127.0.0.1:99999"},
            },
        },
        [
            (
                "package_sha256",
                "Host n1, emqx_package_sha256",
                "expected: SHA-256 0000",
                "or correct emqx_package_sha256",
            ),
            (
                "package_missing",
                "Host n2, emqx_package",
                "no file /nowhere/emqx",
                "correct the path",
            ),
            ("bad_name", "Host n2, emqx_node_name", "expected: name@host", "found: emqx'"),
            ("loopback_host", "Host n3, emqx_node_name", "found: emqx@127.0.0.1"),
            (
                "data_of_other_node",
                "Host n1, emqx_node_name",
                f"expected: a data directory {LAB.data}",
                "holds mqtt@",
                f"found: the data of {LAB.node_name('n1')}",
            ),
            ("cookie", "Host n1, emqx_cookie", "expected: a cookie", "leave emqx_cookie unset"),
            ("cookie", "Host n2, emqx_cookie", "expected: a cookie", "16 to 64"),
            (
                "unknown_key",
                "Host n2, emqx_config",
                "found: node.dist_net_ticktim",
                "did you mean node.dist_net_ticktime?",
            ),
            ("owned_key", "Host n1, emqx_config", "found: node.cookie", "set emqx_cookie"),
            (
                "bad_listener_port",
                "Host n3, emqx_config",
                "tcp",
                "found: 99999",
                "correct bind",
            ),
            ("disk", "Host n3, emqx_min_free_mb", "99999999 MB free", "make room"),
            (
                "other_version",
                "Host n3, emqx_version",
                "expected: EMQX 5.8.1",
                f"found: EMQX {VERSION} installed",
                f"set emqx_version to {VERSION}",
            ),
        ],
    ),
    "a host and a choice": Case(
        {
            "n1": {"emqx_discovery_strategy": "telepathy"},
            "n2": {"emqx_config": {"mqtt.max_packet_size": "3MB"}},
            "n3": {"ansible_port": 9},
        },
        [
            ("bad_choice", "Host n1, emqx_discovery_strategy", "static, manual", "telepathy"),
            ("unreachable", "Host n3, ansible_host", "make the host reachable"),
        ],
    ),
    "EMQX": Case(
        {
            "n1": {"emqx_config": {"mqtt": {"max_packet_size": "abc"}}},
            "n2": {"emqx_config": {"listeners.tcp.default.max_connections": "some"}},
        },
        [],
        (
            "EMQX refuses",
            "mqtt.max_packet_size",
            "Not a valid bytesize",
            "listeners.tcp.default.max_connections",
        ),
    ),
    "another place for the data": Case(
        {"n1": {"emqx_data_dir": "/data/emqx"}, "n2": {"emqx_discovery_strategy": "manual"}},
        [
            (
                "data_moved",
                "Host n1, emqx_data_dir",
                f"where it is, {LAB.data}",
                "found: /data/emqx",
                "remove_node",
            ),
            ("differing_settings", "Host n2, emqx_discovery_strategy", "'manual' on n2"),
        ],
    ),
    "consent": Case(
        {host: {"emqx_cookie": NEW_COOKIE, "emqx_allow_full_restart": "false"} for host in HOSTS},
        [
            (
                "full_restart",
                "Cluster, emqx_allow_full_restart",
                "node.cookie",
                "set emqx_allow_full_restart to true",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_and_untouched(case: str, tmp_path: Path) -> None:
    hosts, findings, words = CASES[case]
    inventory = tmp_path / "bad.json"
    inventory.write_text(json.dumps({"emqx": {"hosts": hosts}}), encoding="utf-8")
    before = LAB.outputs(WATCHED)
    text = refused(LAB.playbook("mqttops.emqx.site", f"--inventory={inventory}"))
    missing = [finding for finding in findings if not has_finding(text, *finding)]
    missing += [(word,) for word in words if word not in text]
    assert not missing, text
    assert not findings or "Nothing was changed" in text
    assert NEW_COOKIE not in text
    assert UNSAFE_COOKIE not in text
    assert LAB.outputs(WATCHED) == before
