# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by A records: formed, one member more, one member less, and what goes wrong."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from examples import Example, message, printed
from lab_hosts import scenario_lab
from operations import changed, together, wait_for

LAB = scenario_lab()
BROKERS = ("n1", "n2")
NAME = "mq.example.org"
EXAMPLE = Example(
    LAB,
    "dns-a.yml",
    {f"192.0.2.1{n}": f"n{n}" for n in (1, 2, 3)} | {"192.0.2.53": "n1", "192.0.2.54": "n3"},
)
SPEED: dict[str, t.Any] = {"emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"}}
# A run that is to fail need not wait long for it, and leaves the name servers as they are.
SHORT = {**SPEED, "emqx_ready_timeout": 12, "emqx_cluster_timeout": 1, "bind_group": "nobody"}
THIRD = "broker3.example.org"
SERVERS = tuple(EXAMPLE.group("bind"))
ZONE = f"/var/lib/bind/{NAME}.zone"


def run(playbook: str, *arguments: str, **variables: t.Any) -> str:
    result = EXAMPLE.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**SPEED, **variables})
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def fail(playbook: str, *arguments: str, **variables: t.Any) -> list[str]:
    """Run a playbook that does not form the cluster and return what it says in the end."""
    result = EXAMPLE.playbook(playbook, *arguments, **{**SHORT, **variables})
    assert result.returncode != 0, result.stdout
    said = message(result.stdout)
    assert any(line.startswith("This run failed.") for line in said), result.stdout
    return said


def look() -> list[str]:
    """See to the membership alone, with a node that finds nobody, and return what is said."""
    return fail("mqttops.emqx.site", emqx_phases=["membership"], emqx_ready_timeout=2)


def judged(tmp_path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return code and found of each finding of preflight and doctor, which change nothing."""
    files = {name: tmp_path / f"{name}.json" for name in ("preflight", "doctor")}
    for name, file in files.items():
        shown = EXAMPLE.playbook(
            f"mqttops.emqx.{name}", **SPEED, **{f"emqx_{name}_json": str(file)}
        )
        assert file.exists(), shown.stdout + shown.stderr
        assert changed(shown.stdout) == set()
    before, now = (json.loads(file.read_text(encoding="utf-8")) for file in files.values())
    return {
        name: [(each["code"], each["found"]) for each in seen["findings"]]
        for name, seen in (("preflight", before), ("doctor", now))
    }


def ask(server: str, *question: str) -> list[str]:
    shown = LAB.hosts["n1"].run(f"dig +short @{LAB.addresses[server]} {' '.join(question)}").stdout
    return sorted(str(shown).split("\n"))[1:]


def serial(server: str) -> int:
    return int(ask(server, NAME, "SOA")[0].split()[2])


def served(*hosts: str) -> None:
    """Both servers have exactly these hosts, soon."""
    wanted = sorted(LAB.addresses[host] for host in hosts)
    wait_for(lambda: all(ask(server, NAME, "A") == wanted for server in ("n1", "n3")), 30)
    assert serial("n1") == serial("n3")


def named(state: str) -> None:
    for server in ("n1", "n3"):
        LAB.hosts[server].check_output(f"systemctl {state} named")


def third(wanted: bool) -> None:
    """Put the third host into the group, or take it out."""
    EXAMPLE.group("emqx").pop(THIRD, None)
    if wanted:
        EXAMPLE.group("emqx")[THIRD] = {"ansible_host": LAB.addresses["n3"]}


def test_check_mode_on_empty_hosts() -> None:
    third(wanted=False)
    predicted = run("bind", "--check")
    assert {host for _task, host in changed(predicted)} == {*EXAMPLE.group("emqx"), *SERVERS}
    assert not LAB.hosts["n1"].file(ZONE).exists


def test_the_cluster_forms() -> None:
    run("site")
    together(LAB, *BROKERS)
    served(*BROKERS)
    assert ask("n1", NAME, "NS") == [f"ns1.{NAME}.", f"ns2.{NAME}."]
    assert ask("n1", f"ns2.{NAME}", "A") == [LAB.addresses["n3"]]
    # Neither an open resolver nor one that gives the zone to everybody.
    assert "REFUSED" in LAB.hosts["n2"].run(f"dig @{LAB.addresses['n1']} debian.org").stdout
    assert "failed" in LAB.hosts["n2"].run(f"dig @{LAB.addresses['n1']} {NAME} AXFR").stdout
    for host in BROKERS:
        servers = LAB.hosts[host].check_output("grep ^nameserver /etc/resolv.conf").split()
        assert servers[1:4:2] == [LAB.addresses["n1"], LAB.addresses["n3"]]


def test_the_records_alone() -> None:
    file = LAB.inventory.parent / "records"
    run("dns_records", bind_records_file=str(file))
    lines = [f"{NAME}. 10 IN A {LAB.addresses[host]}\n" for host in BROKERS]
    assert file.read_text(encoding="utf-8") == "".join(lines)
    assert changed(run("dns_records", "--check", bind_records_file=str(file))) == set()


def test_name_servers_that_are_down_at_boot() -> None:
    third(wanted=True)
    before = serial("n1")
    run("bind")
    served(*BROKERS, "n3")
    assert serial("n1") > before
    named("stop")
    cause = printed(fail("mqttops.emqx.add_node"))[-1]
    assert cause["code"] == "dns_silent"
    assert re.fullmatch(rf"Hosts broker1.*{THIRD}", cause["where"])
    assert cause["expected"] == f"an answer from DNS for the A records of {NAME}"
    assert cause["found"].startswith(f"none from {LAB.addresses['n1']}, {LAB.addresses['n3']}")
    assert cause["remedy"].startswith("start the DNS server and open its port 53")


def add_record(address: str, alone: bool) -> int:
    """Change the zone by hand and return its serial of before."""
    text = LAB.hosts["n1"].file(ZONE).content_string
    before = int(re.findall("([0-9]+) ; serial", text)[0])
    edit = f"s/{before} ;/{before + 1} ;/" + (f"; /^{NAME}[.] 10 IN A /d" if alone else "")
    LAB.hosts["n1"].check_output(f"sed -i '{edit}' {ZONE}")
    LAB.hosts["n1"].check_output(f"echo '{NAME}. 10 IN A {address}' >> {ZONE}")
    return before


def test_wrong_records(tmp_path: Path) -> None:
    before = add_record("10.9.9.9", alone=True)
    LAB.hosts["n3"].check_output("rm -f /var/cache/bind/*.zone")
    named("start")
    wait_for(lambda: all(ask(server, NAME, "A") == ["10.9.9.9"] for server in ("n1", "n3")), 30)
    said = look()
    assert (
        f"{THIRD} finds by the A records of {NAME} (asked {LAB.addresses['n1']}): emqx@10.9.9.9"
        in said
    )
    # The others are a cluster already.
    alone = (
        f"discovery (dns) on {THIRD} finds only emqx@10.9.9.9, no member, so its node stays alone"
    )
    only = [("discovery_others", alone)]
    assert judged(tmp_path) == {"preflight": only, "doctor": only}
    missing, extra = printed(said)[-2:]
    assert (missing["code"], extra["code"]) == ("no_record", "record_of_nobody")
    assert missing["where"].startswith("Hosts broker1.example.org, broker2.example.org, broker3")
    expected = f"the A records of {NAME} to include {LAB.addresses['n1']}, "
    assert missing["expected"].startswith(expected)
    assert missing["found"] == extra["found"] == "10.9.9.9"
    assert missing["remedy"] == "add the record (the role bind does), with a low TTL"
    assert extra["expected"].endswith("only cores of this cluster, none of 10.9.9.9")
    assert extra["remedy"].startswith("remove the record")
    # A hand-made change is put right, with a serial that the secondary takes.
    run("add_node")
    together(LAB, *BROKERS, "n3")
    served(*BROKERS, "n3")
    assert serial("n1") > before + 1


def test_one_member_less() -> None:
    before = serial("n1")
    run("remove_node", emqx_remove_hosts=THIRD)
    together(LAB, *BROKERS)
    served(*BROKERS)
    assert serial("n1") > before
    assert not LAB.hosts["n3"].service("emqx").is_enabled


def test_members_stay_as_they_are(tmp_path: Path) -> None:
    third(wanted=False)
    # Which is no finding of the doctor.
    two = ("even_cores", "core on 2 hosts")
    assert judged(tmp_path) == {"preflight": [two], "doctor": []}
    before = serial("n1")
    assert changed(run("site")) == set()
    assert serial("n1") == before


def test_a_record_of_nobody_while_all_is_well(tmp_path: Path) -> None:
    add_record("10.9.9.9", alone=False)
    LAB.hosts["n1"].check_output("rndc reload")
    wait_for(lambda: all("10.9.9.9" in ask(server, NAME, "A") for server in ("n1", "n3")), 30)
    found = judged(tmp_path)
    given = "what discovery gives broker1.example.org and broker2.example.org: "
    for name, count in (("preflight", 2), ("doctor", 1)):
        assert len(found[name]) == count, found
        code, sentence = found[name][-1]
        assert code == "discovery_others"
        assert sentence.startswith(given)
        assert f"the A records of {NAME} to include only cores of this cluster" in sentence
        assert "none of 10.9.9.9" in sentence
