# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by A records: formed, one member more, one member less, and what goes wrong."""

from __future__ import annotations

import re
import typing as t

from examples import Example, message
from lab_hosts import scenario_lab
from operations import changed, together, wait_for

LAB = scenario_lab()
BROKERS = ("n1", "n2", "n3")
NAME = "mq.example.org"
EXAMPLE = Example(
    LAB,
    "dns-a.yml",
    {f"192.0.2.1{n}": f"n{n}" for n in (1, 2, 3)} | {"192.0.2.53": "n5", "192.0.2.54": "n4"},
)
SPEED: dict[str, t.Any] = {"emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"}}
# A run that is to fail need not wait long for it, and leaves the name servers as they are.
SHORT = {**SPEED, "emqx_ready_timeout": 20, "emqx_cluster_timeout": 5, "bind_group": "nobody"}
FOURTH = "broker4.example.org"
SERVERS = tuple(EXAMPLE.group("bind"))


def run(playbook: str, *arguments: str, **variables: t.Any) -> str:
    result = EXAMPLE.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**SPEED, **variables})
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def fail(playbook: str) -> list[str]:
    """Run a playbook that does not form the cluster and return what it says in the end."""
    result = EXAMPLE.playbook(f"mqttops.emqx.{playbook}", **SHORT)
    assert result.returncode != 0, result.stdout
    said = message(result.stdout)
    assert said[0] == "The cluster did not form:", result.stdout
    return said


def ask(server: str, *question: str) -> list[str]:
    shown = LAB.hosts["n1"].run(f"dig +short @{LAB.addresses[server]} {' '.join(question)}").stdout
    return sorted(str(shown).split("\n"))[1:]


def serial(server: str) -> int:
    return int(ask(server, NAME, "SOA")[0].split()[2])


def served(*hosts: str) -> None:
    """Both servers have exactly these hosts, soon."""
    wanted = sorted(LAB.addresses[host] for host in hosts)
    wait_for(lambda: all(ask(server, NAME, "A") == wanted for server in ("n5", "n4")), 30)
    assert serial("n5") == serial("n4")


def named(state: str) -> None:
    for server in ("n5", "n4"):
        LAB.hosts[server].check_output(f"systemctl {state} named")


def fourth(wanted: bool) -> None:
    """Put the fourth host into the group, or take it out."""
    EXAMPLE.group("emqx").pop(FOURTH, None)
    if wanted:
        EXAMPLE.group("emqx")[FOURTH] = {"ansible_host": LAB.addresses["n4"]}


def test_empty_hosts() -> None:
    predicted = run("site", "--check")
    assert {host for _task, host in changed(predicted)} == {*EXAMPLE.group("emqx"), *SERVERS}
    assert not LAB.hosts["n5"].file(f"/var/lib/bind/{NAME}.zone").exists
    run("site")
    together(LAB, *BROKERS)
    served(*BROKERS)
    assert ask("n5", NAME, "NS") == [f"ns1.{NAME}.", f"ns2.{NAME}."]
    assert ask("n5", f"ns2.{NAME}", "A") == [LAB.addresses["n4"]]
    # Neither an open resolver nor one that gives the zone to everybody.
    assert "REFUSED" in LAB.hosts["n1"].run(f"dig @{LAB.addresses['n5']} debian.org").stdout
    assert "failed" in LAB.hosts["n1"].run(f"dig @{LAB.addresses['n5']} {NAME} AXFR").stdout
    for host in BROKERS:
        servers = LAB.hosts[host].check_output("grep ^nameserver /etc/resolv.conf").split()
        assert servers[1:4:2] == [LAB.addresses["n5"], LAB.addresses["n4"]]


def test_members_stay_as_they_are() -> None:
    before = serial("n5")
    assert changed(run("site")) == set()
    assert serial("n5") == before


def test_the_records_alone() -> None:
    file = LAB.inventory.parent / "records"
    run("dns_records", "--check", bind_records_file=str(file))
    assert not file.exists()
    run("dns_records", bind_records_file=str(file))
    lines = [f"{NAME}. 10 IN A {LAB.addresses[host]}\n" for host in BROKERS]
    assert file.read_text(encoding="utf-8") == "".join(lines)
    assert changed(run("dns_records", bind_records_file=str(file))) == set()


def test_name_servers_that_are_down_at_boot() -> None:
    fourth(wanted=True)
    before = serial("n5")
    run("bind")
    served(*BROKERS, "n4")
    assert serial("n5") > before
    named("stop")
    cause = fail("add_node")[-1]
    silent = f"DNS ({LAB.addresses['n5']}, {LAB.addresses['n4']}"
    assert re.match(rf"Host broker1.*{FOURTH}: {re.escape(silent)}.* gives no answer for ", cause)
    assert "expected an answer: start the DNS server and open its port 53" in cause
    named("start")
    # The node goes on looking by itself.
    wait_for(lambda: len(LAB.view("n4")["running_nodes"]) == 4, 60)
    run("add_node")
    together(LAB, *BROKERS, "n4")


def test_one_member_less() -> None:
    before = serial("n5")
    run("remove_node", emqx_remove_hosts=FOURTH)
    together(LAB, *BROKERS)
    served(*BROKERS)
    assert serial("n5") > before
    assert not LAB.hosts["n4"].service("emqx").is_enabled
    fourth(wanted=False)
    assert changed(run("site")) == set()


def test_wrong_records() -> None:
    zone = f"/var/lib/bind/{NAME}.zone"
    addresses = "|".join(LAB.addresses[host].replace(".", "[.]") for host in BROKERS)
    edit = f"sed -Ei '/IN A ({addresses})$/d; s/{serial('n5')} ;/{serial('n5') + 1} ;/' {zone}"
    LAB.hosts["n5"].check_output(edit)
    LAB.hosts["n5"].check_output(f"echo '{NAME}. 10 IN A 10.9.9.9' >> {zone}")
    named("reload")
    wait_for(lambda: all(ask(server, NAME, "A") == ["10.9.9.9"] for server in ("n5", "n4")), 30)
    fourth(wanted=True)
    LAB.hosts["n4"].check_output("rm -rf /var/lib/emqx/mnesia")
    said = fail("add_node")
    assert (
        f"{FOURTH} finds by the A records of {NAME} (asked {LAB.addresses['n5']}): emqx@10.9.9.9"
        in said
    )
    missing, extra = said[-2:]
    assert missing.startswith("Host broker1.example.org, broker2.example.org, ")
    assert f"the A records of {NAME} are 10.9.9.9, expected also {LAB.addresses['n1']}, " in missing
    assert missing.endswith(": add the record (the role bind does), low TTL.")
    assert "expected none of 10.9.9.9, which is no core of this cluster: remove the record" in extra
    # A hand-made change is put right, with a serial that the secondary takes.
    run("add_node")
    together(LAB, *BROKERS, "n4")
    served(*BROKERS, "n4")
