# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by SRV records: formed, one member more, one member less, and what goes wrong."""

from __future__ import annotations

import typing as t

from examples import Example, message, printed
from lab_hosts import scenario_lab
from operations import changed, refused, wait_for

LAB = scenario_lab()
BROKERS = ("broker1", "broker2")
ZONE = "mq.example.org"
NAME = f"_emqx._tcp.{ZONE}"
EXAMPLE = Example(
    LAB, "dns-srv.yml", {f"192.0.2.1{n}": f"n{n}" for n in (1, 2, 3)} | {"192.0.2.53": "n1"}
)
SPEED: dict[str, t.Any] = {"emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"}}
# A run that is to fail need not wait long for it, and leaves the hosts' name servers as they are.
SHORT = {
    **SPEED,
    "emqx_ready_timeout": 12,
    "emqx_cluster_timeout": 1,
    "bind_resolvers": False,
}
THIRD = f"broker3.{ZONE}"
# What a name server of n3's own says: the addresses of all, but another node to look for.
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
    LAB.hosts["n3"].check_output(f"cat > {path} <<'END'\n{text}END")


def test_the_cluster_forms() -> None:
    EXAMPLE.group("emqx").pop(THIRD)
    run("site")
    together(*BROKERS)
    assert targets() == [f"{broker}.{ZONE}." for broker in BROKERS]
    shown = LAB.hosts["n2"].check_output(f"getent ahostsv4 broker1.{ZONE}")
    assert shown.split()[0] == LAB.addresses["n1"]


def test_a_host_whose_name_server_says_something_else() -> None:
    EXAMPLE.group("emqx")[THIRD] = {"ansible_host": LAB.addresses["n3"]}
    records = "".join(f"broker{n} IN A {LAB.addresses[f'n{n}']}\n" for n in (1, 2, 3))
    write("/etc/bind/wrong.zone", WRONG_ZONE + records)
    write("/etc/bind/named.conf", WRONG_CONFIG)
    LAB.hosts["n3"].check_output("systemctl restart named")
    right = LAB.hosts["n3"].check_output("cat /etc/resolv.conf") + "\n"
    write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    result = EXAMPLE.playbook("mqttops.emqx.add_node", **SHORT)
    assert result.returncode != 0, result.stdout
    said = message(result.stdout)
    assert (
        f"{THIRD} finds by the SRV records of {NAME} (asked 127.0.0.1): emqx@broker9.{ZONE}" in said
    )
    cause = printed(said)[-1]
    assert (cause["code"], cause["where"]) == ("discovery_differs", f"Host {THIRD}")
    assert cause["found"] == f"broker9.{ZONE} from 127.0.0.1 for the SRV records of {NAME}"
    assert f"as {LAB.addresses['n1']} has it for broker1.{ZONE}, " in cause["expected"]
    remedy = "correct the nameserver in /etc/resolv.conf, or the records of that server"
    assert cause["remedy"] == remedy
    write("/etc/resolv.conf", right)


def test_nothing_else_is_left_to_do() -> None:
    step = ("mqttops.emqx.bind : Put the name servers first", THIRD)
    assert changed(run("site")) == {step}
    together(*BROKERS, "broker3")


def test_one_member_less() -> None:
    run("remove_node", emqx_remove_hosts=THIRD)
    together(*BROKERS)
    wait_for(lambda: targets() == [f"{broker}.{ZONE}." for broker in BROKERS], 30)


def test_a_server_with_other_zones_is_left_alone() -> None:
    EXAMPLE.group("bind")["ns2.example.org"] = {"ansible_host": LAB.addresses["n3"]}
    write("/etc/bind/named.conf", WRONG_CONFIG.replace(ZONE, "shop.example.org"))
    said = refused(EXAMPLE.playbook("mqttops.emqx.bind"))
    assert "for this role alone, found one with the zones shop.example.org: take another" in said
    assert "shop.example.org" in LAB.hosts["n3"].file("/etc/bind/named.conf").content_string
