# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Nodes that restart one by one under clients, and runs of it that fail, test after test."""

from __future__ import annotations

import re
import subprocess
import typing as t
from functools import partial
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from licenses import key_for
from mqtt import Client
from mqtt_fleet import Fleet
from operations import changed, done, group, is_ready, killed, together, wait_for

LAB = scenario_lab()
CORES, REPLICANTS = ("n1", "n2", "n3"), ("n4", "n5")
HOSTS = (*CORES, *REPLICANTS)
KEY = key_for("Rolling")
CLIENTS = 200
GOES_ON = re.compile(r"emqx_restart_since=(\S+Z)")
VARIABLES: dict[str, t.Any] = {
    "emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"},
    "emqx_license": KEY,
    "emqx_evacuate_takeover": 1,
    # A fifth of the clients in a second.
    "emqx_evacuate_rate": 40,
}


@pytest.fixture(name="arguments")
def _arguments(tmp_path: Path) -> list[str]:
    hosts: dict[str, dict[str, t.Any]] = {host: {} for host in CORES}
    hosts.update((host, {"emqx_node_role": "replicant"}) for host in REPLICANTS)
    own = group(tmp_path, **hosts)
    return [f"--inventory={ROOT / 'tests/inventory/enterprise.yml'}", *own]


def run(
    playbook: str, arguments: t.Sequence[str], **variables: t.Any
) -> subprocess.CompletedProcess[str]:
    return LAB.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**VARIABLES, **variables})


def pids() -> dict[str, str]:
    return LAB.outputs("systemctl show --value --property=MainPID emqx.service", *HOSTS)


def is_back(host: str, before: str) -> bool:
    """Tell whether a node is in operation again after a restart."""
    return pids()[host] not in ("0", before) and is_ready(LAB, host)


def serves(host: str) -> bool:
    """Tell whether a node takes clients."""
    client = Client(LAB.addresses[host], 1883, client_id="probe")
    try:
        return client.accepted
    finally:
        client.close()


def is_healthy() -> None:
    together(LAB, *HOSTS)
    assert all(is_ready(LAB, host) for host in HOSTS)
    assert all(serves(host) for host in HOSTS)
    assert LAB.emqx("n1", "ctl", "rebalance", "status").stdout == ""


def test_build(arguments: list[str]) -> None:
    done(run("site", arguments))
    is_healthy()


@pytest.mark.parametrize("show", [["--check"], ["-e", '{"emqx_plan_only": true}']])
def test_the_order_is_shown_and_nothing_done(arguments: list[str], show: list[str]) -> None:
    before = pids()
    output = done(run("restart", [*arguments, *show]))
    order = re.findall(r"\d\. (n\d): restart", output)
    assert order == list(HOSTS)
    assert pids() == before


def test_killed_runs_go_on_and_nothing_is_lost(arguments: list[str], tmp_path: Path) -> None:
    before, log = pids(), tmp_path / "killed.log"
    moments: list[t.Callable[[], bool]] = [
        lambda: log.exists() and "Hand the clients of the node" in log.read_text("utf-8"),
        lambda: not is_ready(LAB, "n1"),
        lambda: is_back("n1", before["n1"]),
        lambda: is_back("n3", before["n3"]),
        lambda: is_back("n4", before["n4"]),
    ]
    addresses = [LAB.addresses[host] for host in HOSTS]
    with Fleet(addresses, CLIENTS) as fleet:
        since = killed_once(arguments, log, moments[0])
        for moment in moments[1:]:
            goes_on = partial(run, "restart", arguments, emqx_restart_since=since)
            killed(goes_on, log, moment)
        between = pids()
        assert between["n4"] != before["n4"] and between["n5"] == before["n5"]
        output = done(run("restart", arguments, emqx_restart_since=since))
        wait_for(lambda: fleet.received["first"] | fleet.received["last"] != set(), 30)
    after = pids()
    # Who was done by then is left alone, the others restart.
    restarted = {host for task, host in changed(output) if task.endswith("Restart the node")}
    assert restarted == {"n5"}
    assert {host for host in HOSTS if after[host] != between[host]} == {"n5"}
    assert all(after[host] != before[host] for host in HOSTS)
    print(
        f"{fleet.lowest} of {CLIENTS} clients were connected at the least, "
        f"{fleet.longest_gap:.1f} s without a node at the most, "
        f"{len(fleet.acknowledged)} messages acknowledged"
    )
    assert len(fleet.acknowledged) > 100
    assert fleet.lost == set()
    # One node of five goes down at a time.
    assert fleet.lowest >= CLIENTS // 2
    is_healthy()


def killed_once(arguments: list[str], log: Path, moment: t.Callable[[], bool]) -> str:
    """Kill a run at some moment, and return with what another one goes on."""
    text = killed(lambda: run("restart", arguments), log, moment)
    (since,) = set(GOES_ON.findall(text))
    return str(since)


def test_a_gate_that_stays_closed_says_what_for(arguments: list[str]) -> None:
    before = pids()
    clients = [Client(LAB.addresses["n2"], 1883, client_id=f"gone{n}") for n in range(10)]
    assert all(client.accepted for client in clients)
    result = run(
        "restart",
        [*arguments, "--limit=n2,n3"],
        emqx_ready_timeout=20,
        emqx_gate_timeout=10,
        emqx_gate_clients_share=50,
    )
    text = " ".join((result.stdout + result.stderr).split())
    assert result.returncode != 0
    reason = "0 client(s) are connected, of at least 5"
    assert f"not reached within 30 s: {reason}" in text
    # It said so while it waited, too.
    assert re.search(rf"waiting: \[n2\]: {re.escape(reason)} \(for up to \d+ s more\)", text)
    assert GOES_ON.search(text)
    after = pids()
    assert {host for host in HOSTS if after[host] != before[host]} == {"n2"}
    is_healthy()


def test_an_evacuation_that_takes_too_long_is_ended(arguments: list[str]) -> None:
    before = pids()
    clients = [Client(LAB.addresses["n2"], 1883, client_id=f"slow{n}") for n in range(60)]
    assert all(client.accepted for client in clients)
    result = run(
        "restart", [*arguments, "--limit=n2"], emqx_evacuate_rate=1, emqx_evacuate_timeout=10
    )
    text = " ".join((result.stdout + result.stderr).split())
    assert result.returncode != 0
    assert re.search(r"not reached within 10 s: evicting_conns, \d+ client\(s\)", text)
    assert pids() == before
    is_healthy()
