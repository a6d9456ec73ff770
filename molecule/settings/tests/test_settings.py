# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a deployment makes of listeners, files and values of the user's own, on hosts that are not
empty and whose kernel lets only a part of its values be set."""

from __future__ import annotations

import json
import shlex
import typing as t
from pathlib import Path

import pytest
from lab_hosts import scenario_lab
from operations import changed, done, group, has_finding, refused, together
from reach import reach

LAB = scenario_lab()
FIRST, SECOND, CLIENT = (LAB.addresses[host] for host in ("n1", "n2", "n3"))
MEMBERS = [f"{FIRST}/32", f"{SECOND}/32"]
MQTT, PROXY, DASHBOARD, OTHER_DASHBOARD = 2883, 8883, 18083, 18090
# A comment to HOCON from the # on, and not a word that may stand without quotes.
PASSWORD = 'MQtt#1"23'
QUEUE = "fs.inotify.max_queued_events"
OTHER_VALUE = 131072
SHARED: dict[str, t.Any] = {
    "emqx_firewall_backend": "nftables",
    "emqx_firewall_listener_networks": MEMBERS,
    "emqx_firewall_dashboard_networks": MEMBERS,
    "emqx_environment": {
        "EMQX_DASHBOARD__DEFAULT_PASSWORD": PASSWORD,
        "EMQX_STANDIN_BOOT_SECONDS": "1",
    },
}
LISTENERS: dict[str, t.Any] = {
    "listeners.tcp.default.bind": f"0.0.0.0:{MQTT}",
    "listeners.ssl.default.enable": False,
}
HOSTS: dict[str, dict[str, t.Any]] = {
    "n1": {
        **SHARED,
        "emqx_config": LISTENERS,
        "emqx_base_config": {"dashboard.listeners.http.bind": OTHER_DASHBOARD},
    },
    "n2": {
        **SHARED,
        "emqx_config": {
            **LISTENERS,
            "dashboard.listeners.http.bind": f"127.0.0.1:{DASHBOARD}",
        },
        "emqx_tuning_sysctl": {QUEUE: OTHER_VALUE, "net.core.somaxconn": 32768},
    },
}
# Answers whoever connects, as a proxy and another service do that were there before EMQX.
SERVICE = "systemd-run --quiet --unit={unit} python3 -m http.server --bind {address} {port}"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[list[str]]:
    """Build the cluster; return the arguments of its inventory."""
    host = LAB.hosts["n2"]
    host.check_output(SERVICE.format(unit="proxy", address="0.0.0.0", port=PROXY))
    host.check_output(SERVICE.format(unit="other", address=SECOND, port=DASHBOARD))
    # As in an unprivileged container of LXC.
    host.check_output("mount --bind /proc/sys/fs /proc/sys/fs")
    host.check_output("mount -o remount,bind,ro /proc/sys/fs")
    arguments = group(tmp_path_factory.mktemp("settings"), **HOSTS)
    text = done(LAB.playbook("mqttops.emqx.site", *arguments))
    assert "port_in_use" not in text
    assert text.count("[kernel_value_skipped]") == 1, text
    shown = " ".join(text.split())
    assert has_finding(shown, "kernel_value_skipped", "Host n2, emqx_tuning_sysctl", QUEUE), shown
    together(LAB, "n1", "n2")
    yield arguments


def test_what_cannot_work_is_said_before_anything_is_done(tmp_path: Path) -> None:
    secret = "/root/key.pem"
    LAB.hosts["n2"].check_output(f"install -m 0600 /dev/null {secret}")
    wrong = {
        "n1": {
            "emqx_config": {
                "listeners.tcp.default.bind": "203.0.113.7:1883",
                "dashboard.listeners.http.bind": 80,
            }
        },
        "n2": {
            "emqx_config": {
                "listeners.ssl.default.ssl_options.keyfile": secret,
                "api_key.bootstrap_file": "/nowhere/keys",
            },
            "emqx_environment": {"EMQX_NAME": "emqx", "EMQX_LOG__CONSOLE__LEVEL": "${LEVEL}"},
        },
    }
    text = refused(LAB.playbook("mqttops.emqx.site", *group(tmp_path, **wrong)))
    expected = [
        ("listener_address", "Host n1, emqx_config", "tcp:default", "203.0.113.7"),
        ("listener_port", "Host n1, emqx_config", "dashboard:http", "80"),
        ("configured_file", "Host n2, emqx_config", "api_key.bootstrap_file", "/nowhere/keys"),
        ("configured_file", "Host n2, emqx_config", "keyfile", secret),
        ("unknown_variable_name", "Host n2, emqx_environment", "EMQX_NAME", "emqx_node_name"),
        ("literal_reference", "Host n2, emqx_environment", "EMQX_LOG__CONSOLE__LEVEL"),
    ]
    assert [each for each in expected if not has_finding(text, *each)] == [], text
    assert not LAB.hosts["n1"].exists("emqx") and not LAB.hosts["n2"].exists("emqx")


def test_the_firewall_guards_the_ports_that_are_open(cluster: list[str]) -> None:
    assert cluster
    guarded = [(FIRST, MQTT), (FIRST, OTHER_DASHBOARD), (SECOND, MQTT)]
    assert set(reach(LAB, "n3", guarded).values()) == {"filtered"}
    assert set(reach(LAB, "n2", guarded).values()) == {"open"}
    # What belongs to others stays open to all, also on a port that EMQX has elsewhere.
    assert reach(LAB, "n3", [(SECOND, PROXY)]) == {(SECOND, PROXY): "open"}


def test_nothing_listens_that_was_switched_off_or_moved(cluster: list[str]) -> None:
    assert cluster
    own = LAB.outputs("ss -Hltnp | grep -E 'beam|erl' | awk '{print $4}'", "n1", "n2")
    ports = {host: {line.rpartition(":")[2] for line in own[host].split()} for host in own}
    assert {str(MQTT), str(OTHER_DASHBOARD)} <= ports["n1"]
    assert not {"1883", str(PROXY), str(DASHBOARD)} & ports["n1"]
    assert f"127.0.0.1:{DASHBOARD}" in own["n2"]
    assert str(PROXY) not in ports["n2"]


def test_emqx_reads_from_the_environment_what_the_user_wrote(cluster: list[str]) -> None:
    assert cluster
    body = shlex.quote(json.dumps({"username": "admin", "password": PASSWORD}))
    login = f"http://127.0.0.1:{DASHBOARD}/api/v5/login"
    # --fail: another answer than success is an exit code of its own.
    LAB.hosts["n2"].check_output(
        f"curl --silent --show-error --fail -H 'Content-Type: application/json' -d {body} {login}"
    )


def test_what_a_read_only_kernel_keeps_is_named_and_not_changed_again(cluster: list[str]) -> None:
    host = LAB.hosts["n2"]
    path = "/proc/sys/" + QUEUE.replace(".", "/")
    assert host.check_output(f"cat {path}") != str(OTHER_VALUE)
    assert QUEUE not in host.check_output("cat /etc/sysctl.d/*")
    text = done(LAB.playbook("mqttops.emqx.site", *cluster))
    assert changed(text) == set()


def test_a_healthy_cluster_has_no_other_finding(cluster: list[str], tmp_path: Path) -> None:
    report = tmp_path / "doctor.json"
    done(LAB.playbook("mqttops.emqx.doctor", *cluster, emqx_doctor_json=str(report)))
    found = json.loads(report.read_text(encoding="utf-8"))["findings"]
    assert {each["code"] for each in found} <= {"kernel_value_skipped"}, found
