# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Bad input is refused with host, finding and remedy, and the running cluster is untouched."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from lab_hosts import scenario_lab

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)

# What a run could change: files with their times and modes, the processes, the rules, the members.
WATCHED = (
    "find /etc/emqx /etc/mqttops-emqx /etc/systemd/system /etc/sysctl.d /var/cache/mqttops-emqx"
    " -printf '%%p %%m %%u %%g %%T@ %%s\\n' | sort;"
    " systemctl show --property=MainPID,ActiveEnterTimestampMonotonic emqx;"
    " nft list table inet mqttops_emqx | sed 's/packets [0-9]* bytes [0-9]*//';"
    " sysctl net.core net.ipv4"
)


def snapshot() -> dict[str, str]:
    with ThreadPoolExecutor() as pool:
        return dict(zip(HOSTS, pool.map(lambda host: LAB.hosts[host].check_output(WATCHED), HOSTS)))


@pytest.fixture(scope="module", autouse=True)
def whole_cluster() -> t.Iterator[None]:
    yield
    members = sorted(LAB.node_name(host) for host in HOSTS)
    for host in HOSTS:
        assert LAB.view(host) == {"running_nodes": members, "stopped_nodes": []}


REFUSALS: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "wrong checksum": (
        {"emqx_package_sha256": "0" * 64},
        ["Host n1", "0000", "correct emqx_package_sha256"],
    ),
    "missing file": (
        {"emqx_package": "/nowhere/emqx-5.8.9-debian12-amd64.deb"},
        ["Host n2", "no file /nowhere/emqx", "correct the path"],
    ),
    "node name without a host part": (
        {"emqx_node_name": "emqx"},
        ["Host n1", "emqx_node_name", "emqx"],
    ),
    "node name on loopback": (
        {"emqx_node_name": "emqx@127.0.0.1"},
        ["Host n3", "127.0.0.1", "emqx_node_name"],
    ),
    "node name that the data does not belong to": (
        {"emqx_node_name": "mqtt@{{ ansible_host }}"},
        ["Host n1", "the data of emqx@", "mqtt@"],
    ),
    "vendor cookie": (
        {"emqx_cookie": "emqxsecretcookie"},
        ["Host n1", "cookie", "leave emqx_cookie unset"],
    ),
    "unsafe cookie": ({"emqx_cookie": 'abc def"ghi#jkl$mno'}, ["Host n1", "16 to 64"]),
    "unknown strategy": (
        {"emqx_discovery_strategy": "telepathy"},
        ["emqx_discovery_strategy is telepathy", "static"],
    ),
    "unknown key": (
        {"emqx_config": {"node.dist_net_ticktim": "60s"}},
        ["Host n2", "node.dist_net_ticktim", "did you mean node.dist_net_ticktime?"],
    ),
    "value that EMQX refuses": (
        {"emqx_config": {"mqtt": {"max_packet_size": "abc"}}},
        ["EMQX refuses", "mqtt.max_packet_size", "Not a valid bytesize"],
    ),
    "bad listener": (
        {"emqx_config": {"listeners.tcp.default.bind": "127.0.0.1:99999"}},
        ["EMQX refuses", "listeners.tcp.default.bind", "99999"],
    ),
    "key that follows from the topology": (
        {"emqx_config": {"node": {"cookie": "abcdefghijklmnopqrst"}}},
        ["node.cookie", "emqx_cookie"],
    ),
    "too little disk": (
        {"emqx_min_free_mb": 99999999},
        ["Host n3", "99999999 MB free", "make room"],
    ),
    "other version": (
        {"emqx_version": "5.8.8", "emqx_package": "", "emqx_package_source": "download"},
        ["Host n1", "5.8.8", "EMQX 5.8.9 installed", "emqx_version"],
    ),
    "new cookie for a running cluster": (
        {"emqx_cookie": "AnotherCookieOfTwentyChars"},
        ["node.cookie", "emqx_allow_full_restart"],
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSALS))
def test_refused_and_untouched(case: str) -> None:
    variables, texts = REFUSALS[case]
    before = snapshot()
    result = LAB.playbook("mqttops.emqx.site", **variables)
    shown = " ".join((result.stdout + result.stderr).split())
    assert result.returncode != 0, shown
    for text in texts:
        assert text in shown, shown
    assert "changed=1" not in shown
    assert "AnotherCookieOfTwentyChars" not in shown
    assert snapshot() == before


def test_unreachable_host_stops_the_run_before_the_others_change(tmp_path: t.Any) -> None:
    away = tmp_path / "away.yml"
    away.write_text("emqx:\n  hosts:\n    n3:\n      ansible_port: 9\n", encoding="utf-8")
    before = snapshot()
    result = LAB.playbook(
        "mqttops.emqx.site", f"--inventory={away}", emqx_config={"mqtt.max_packet_size": "3MB"}
    )
    shown = " ".join(result.stdout.split())
    assert result.returncode != 0
    assert "Host n3" in shown
    assert "make the host reachable" in shown
    assert snapshot() == before
