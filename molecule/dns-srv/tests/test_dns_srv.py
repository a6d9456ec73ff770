# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by SRV records: formed, one member more, one member less, and what goes wrong."""

from __future__ import annotations

import typing as t

from examples import Example, message
from lab_hosts import scenario_lab
from operations import changed, wait_for

LAB = scenario_lab()
BROKERS = ("broker1", "broker2", "broker3")
ZONE = "mq.example.org"
NAME = f"_emqx._tcp.{ZONE}"
EXAMPLE = Example(
    LAB, "dns-srv.yml", {f"192.0.2.1{n}": f"n{n}" for n in (1, 2, 3)} | {"192.0.2.53": "n5"}
)
SPEED: dict[str, t.Any] = {"emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"}}
SHORT = {**SPEED, "emqx_ready_timeout": 20, "emqx_cluster_timeout": 5, "bind_group": "nobody"}
FOURTH = f"broker4.{ZONE}"
# What a name server of n4's own says: the addresses of all, but another node to look for.
WRONG_ZONE = """$TTL 10
@ IN SOA ns hostmaster 1 60 60 600 10
@ IN NS ns
ns IN A 127.0.0.1
_emqx._tcp IN SRV 0 0 4370 broker9
"""
WRONG_CONFIG = """options { directory "/var/cache/bind"; recursion no; };
zone "mq.example.org" { type master; file "/etc/bind/wrong.zone"; };
"""


def run(playbook: str, *arguments: str, **variables: t.Any) -> str:
    result = EXAMPLE.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**SPEED, **variables})
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def targets() -> list[str]:
    shown = LAB.hosts["n1"].check_output(f"dig +short {NAME} SRV")
    return sorted(line.split()[3] for line in shown.splitlines())


def together(*brokers: str) -> None:
    members = sorted(f"emqx@{broker}.{ZONE}" for broker in brokers)
    for broker in brokers:
        view = LAB.view(f"n{broker[-1]}")
        assert view == {"running_nodes": members, "stopped_nodes": []}, broker


def write(path: str, text: str) -> None:
    LAB.hosts["n4"].check_output(f"cat > {path} <<'END'\n{text}END")


def test_empty_hosts() -> None:
    run("site")
    together(*BROKERS)
    assert targets() == [f"{broker}.{ZONE}." for broker in BROKERS]
    shown = LAB.hosts["n3"].check_output(f"getent ahostsv4 broker1.{ZONE}")
    assert shown.split()[0] == LAB.addresses["n1"]


def test_members_stay_as_they_are() -> None:
    assert changed(run("site")) == set()


def test_a_host_whose_name_server_says_something_else() -> None:
    EXAMPLE.group("emqx")[FOURTH] = {"ansible_host": LAB.addresses["n4"]}
    run("bind")
    wait_for(lambda: len(targets()) == 4, 30)
    records = "".join(f"broker{n} IN A {LAB.addresses[f'n{n}']}\n" for n in (1, 2, 3, 4))
    write("/etc/bind/wrong.zone", WRONG_ZONE + records)
    write("/etc/bind/named.conf", WRONG_CONFIG)
    LAB.hosts["n4"].check_output("systemctl restart named")
    right = LAB.hosts["n4"].check_output("cat /etc/resolv.conf") + "\n"
    write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    result = EXAMPLE.playbook("mqttops.emqx.add_node", **SHORT)
    assert result.returncode != 0, result.stdout
    said = message(result.stdout)
    assert (
        f"{FOURTH} finds by the SRV records of {NAME} (asked 127.0.0.1): emqx@broker9.{ZONE}"
        in said
    )
    cause = said[-1]
    assert cause.startswith(
        f"Host {FOURTH}: 127.0.0.1 says that the SRV records of {NAME} are broker9.{ZONE}, "
    )
    assert f"as {LAB.addresses['n5']} tells broker1.{ZONE}, " in cause
    assert cause.endswith(
        ": correct the nameserver in /etc/resolv.conf, or the records of that server."
    )
    write("/etc/resolv.conf", right)
    run("add_node")
    together(*BROKERS, "broker4")


def test_one_member_less() -> None:
    run("remove_node", emqx_remove_hosts=FOURTH)
    together(*BROKERS)
    wait_for(lambda: targets() == [f"{broker}.{ZONE}." for broker in BROKERS], 30)
    EXAMPLE.group("emqx").pop(FOURTH)
    assert changed(run("site")) == set()


def test_a_server_with_other_zones_is_left_alone() -> None:
    EXAMPLE.group("bind")["ns2.example.org"] = {"ansible_host": LAB.addresses["n4"]}
    write("/etc/bind/named.conf", WRONG_CONFIG.replace(ZONE, "shop.example.org"))
    result = EXAMPLE.playbook("mqttops.emqx.bind")
    assert result.returncode != 0
    shown = " ".join(result.stdout.split())
    assert "Host ns2.example.org: the name server has the zones shop.example.org" in shown
    assert "shop.example.org" in LAB.hosts["n4"].file("/etc/bind/named.conf").content_string
