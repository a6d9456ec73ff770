# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Bad input is refused with host, finding and remedy, and the running cluster is untouched."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from lab_hosts import scenario_lab
from operations import refused, together

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
NEW_COOKIE = "AnotherCookieOfTwentyChars"
UNSAFE_COOKIE = 'abc def"ghi#jkl$mno'

# What a run could change: files with their times and modes, the processes, the rules, the members.
WATCHED = (
    "find /etc/emqx /etc/mqttops-emqx /etc/systemd/system /etc/sysctl.d /var/cache/mqttops-emqx"
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
    """Variables of hosts, and by what was wrong the texts that have to be shown."""

    hosts: dict[str, dict[str, t.Any]]
    shown: dict[str, list[str]]


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
                "emqx_version": "5.8.8",
                "emqx_package": "",
                "emqx_package_source": "download",
                "emqx_node_name": "emqx@127.0.0.1",
                "emqx_min_free_mb": 99999999,
            },
        },
        {
            "wrong checksum": ["Host n1: expected SHA-256 0000", "or correct emqx_package_sha256"],
            "missing file": ["Host n2", "no file /nowhere/emqx", "correct the path"],
            "node name without a host part": [
                "Host n2: emqx_node_name is emqx, expected name@host"
            ],
            "node name on loopback": ["Host n3: emqx_node_name is emqx@127.0.0.1"],
            "node name that the data does not belong to": [
                "Host n1: expected a data directory",
                "mqtt@",
            ],
            "vendor cookie": ["Host n1: expected a cookie", "leave emqx_cookie unset"],
            "unsafe cookie": ["Host n2: expected a cookie", "16 to 64"],
            "unknown key": ["node.dist_net_ticktim", "did you mean node.dist_net_ticktime?"],
            "key that follows from the topology": ["node.cookie", "set emqx_cookie"],
            "too little disk": ["Host n3", "99999999 MB free", "make room"],
            "other version": ["Host n3", "5.8.8", "EMQX 5.8.9 installed", "emqx_version"],
        },
    ),
    "a host and a choice": Case(
        {
            "n1": {"emqx_discovery_strategy": "telepathy"},
            "n2": {"emqx_config": {"mqtt.max_packet_size": "3MB"}},
            "n3": {"ansible_port": 9},
        },
        {
            "unknown strategy": ["emqx_discovery_strategy is telepathy", "static"],
            "unreachable": ["Host n3", "make the host reachable"],
        },
    ),
    "EMQX": Case(
        {
            "n1": {"emqx_config": {"mqtt": {"max_packet_size": "abc"}}},
            "n2": {"emqx_config": {"listeners.tcp.default.bind": "127.0.0.1:99999"}},
        },
        {
            "value": ["EMQX refuses", "mqtt.max_packet_size", "Not a valid bytesize"],
            "listener": ["EMQX refuses", "listeners.tcp.default.bind", "99999"],
        },
    ),
    "consent": Case(
        {host: {"emqx_cookie": NEW_COOKIE} for host in HOSTS},
        {"new cookie for a running cluster": ["node.cookie", "emqx_allow_full_restart"]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_and_untouched(case: str, tmp_path: Path) -> None:
    hosts, shown = CASES[case]
    inventory = tmp_path / "bad.json"
    inventory.write_text(json.dumps({"emqx": {"hosts": hosts}}), encoding="utf-8")
    before = LAB.outputs(WATCHED)
    text = refused(LAB.playbook("mqttops.emqx.site", f"--inventory={inventory}"))
    missing = {what: part for what, parts in shown.items() for part in parts if part not in text}
    assert not missing, text
    assert NEW_COOKIE not in text
    assert UNSAFE_COOKIE not in text
    assert LAB.outputs(WATCHED) == before
