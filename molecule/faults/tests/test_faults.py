# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Faults in the middle of a join. The end is judged by what every node says of itself."""

from __future__ import annotations

import os
import signal
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from operations import can_log_in, changed, group, is_ready, together, wait_for

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
THREE = ("n1", "n2", "n3")
PASSWORD = "Kept0over0all0faults"
VARIABLES = f"--extra-vars=@{ROOT / 'molecule/faults/vars/faults.yml'}"
JOIN = "TASK [mqttops.emqx.emqx : Join the seed]"


def on_all(action: t.Callable[[str], object], hosts: t.Iterable[str]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(action, hosts))


def empty(host: str) -> None:
    """Make a host's node a fresh one that runs alone."""
    LAB.hosts[host].check_output("systemctl stop emqx && rm -rf /var/lib/emqx/mnesia")
    LAB.hosts[host].check_output("systemctl start emqx")
    wait_for(lambda: is_ready(LAB, host), 60)


@pytest.fixture
def fresh() -> None:
    on_all(empty, THREE)


def keep(host: str, user: str) -> None:
    assert "ok" in LAB.emqx(host, "ctl", "admins", "add", user, PASSWORD, "").stdout
    assert can_log_in(LAB, host, user, PASSWORD)


def known_on(user: str) -> list[str]:
    return [host for host in HOSTS if can_log_in(LAB, host, user, PASSWORD)]


def site(folder: Path, *arguments: str, **hosts: dict[str, t.Any]) -> tuple[int, str]:
    members = {host: hosts.get(host, {}) for host in THREE}
    result = LAB.playbook("mqttops.emqx.site", *group(folder, **members), VARIABLES, *arguments)
    return result.returncode, " ".join((result.stdout + result.stderr).split())


def well(folder: Path, **hosts: dict[str, t.Any]) -> None:
    code, text = site(folder, **hosts)
    assert code == 0, text
    together(LAB, *THREE)


class Started:
    """site.yml in the background, up to the moment in which the joins begin."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "run.log"
        argv = ["ansible-playbook", "mqttops.emqx.site", VARIABLES]
        argv += [f"--inventory={LAB.inventory}", f"--inventory={ROOT}/tests/inventory/hosts.yml"]
        argv += group(folder, **{host: {} for host in THREE})
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "PYTHONUNBUFFERED": "1",
        }
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                argv, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(lambda: JOIN in self.output, 120)

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")


def all_join_at_once() -> None:
    result = LAB.playbook(str(ROOT / "molecule/faults/join.yml"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(changed(result.stdout)) == 5
    together(LAB, *HOSTS)


def test_five_join_one_seed_at_once() -> None:
    all_join_at_once()
    on_all(empty, HOSTS)
    keep("n1", "keeper")
    all_join_at_once()
    assert known_on("keeper") == HOSTS


@pytest.mark.usefixtures("fresh")
def test_killed_controller(tmp_path: Path) -> None:
    keep("n1", "killed")
    run = Started(tmp_path)
    wait_for(lambda: "cluster join" in LAB.hosts["n3"].check_output("ps -ef"), 30)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    well(tmp_path)
    assert set(THREE) <= set(known_on("killed"))


@pytest.mark.usefixtures("fresh")
def test_seed_stopped_during_the_joins(tmp_path: Path) -> None:
    keep("n1", "stopped")
    run = Started(tmp_path)
    LAB.hosts["n1"].check_output("systemctl kill --signal=KILL emqx; systemctl stop emqx")
    assert run.process.wait(timeout=120) != 0, run.output
    well(tmp_path)
    assert set(THREE) <= set(known_on("stopped"))


@pytest.mark.usefixtures("fresh")
def test_a_port_dropped_in_one_direction_and_another_cookie(tmp_path: Path) -> None:
    keep("n1", "first")
    LAB.hosts["n1"].check_output(
        "nft add table inet fault; nft add chain inet fault input '{ type filter hook input "
        "priority 0; }'; nft add rule inet fault input ip saddr "
        f"{LAB.addresses['n2']} tcp dport 4370 drop"
    )
    try:
        # Seen from the joining node; a deployment with its preflight would not come that far.
        late = "--extra-vars=emqx_preflight_probe=false"
        code, text = site(tmp_path, late, n3={"emqx_cookie": "Another0cookie0than0others"})
        assert code != 0
        assert f"tcp {LAB.addresses['n1']}:4370 does not answer: a firewall drops it" in text
        assert f"tcp {LAB.addresses['n1']}:4370 is open, so the cookies differ" in text
        for host in THREE:
            together(LAB, host)
    finally:
        LAB.hosts["n1"].check_output("nft delete table inet fault")
    well(tmp_path)
    assert set(THREE) <= set(known_on("first"))


@pytest.mark.usefixtures("fresh")
def test_a_host_in_another_cluster(tmp_path: Path) -> None:
    empty("n4")
    keep("n1", "first")
    for joiner, seed in (("n2", "n1"), ("n3", "n4")):
        LAB.emqx(joiner, "ctl", "cluster", "join", LAB.node_name(seed))
    code, text = site(tmp_path)
    assert code != 0
    assert f"n3 ({LAB.node_name('n3')}) is in a cluster with {LAB.node_name('n4')}" in text
    together(LAB, "n1", "n2")
    together(LAB, "n3", "n4")
    LAB.emqx("n3", "ctl", "cluster", "leave")
    well(tmp_path)
    together(LAB, "n4")
    assert set(THREE) <= set(known_on("first"))


@pytest.mark.usefixtures("fresh")
def test_two_hosts_with_data(tmp_path: Path) -> None:
    keep("n2", "second")
    keep("n3", "third")
    before = {host: LAB.hosts[host].file("/etc/emqx/emqx.conf").sha256sum for host in THREE}
    for strategy, promise in (("manual", "No node joined"), ("static", "Nothing was changed")):
        code, text = site(tmp_path, f"--extra-vars=emqx_discovery_strategy={strategy}")
        assert code != 0
        assert promise in text
        for host in ("n2", "n3"):
            assert f"{host} ({LAB.node_name(host)}) holds 1 dashboard users" in text
        assert "emqx_allow_data_loss: true" in text
        for host in THREE:
            together(LAB, host)
            assert LAB.hosts[host].file("/etc/emqx/emqx.conf").sha256sum == before[host]
    assert (known_on("second"), known_on("third")) == (["n2"], ["n3"])
    # The youngest one keeps its data, although discovery has all join the oldest.
    agreed = {"emqx_allow_data_loss": True}
    code, text = site(tmp_path, "--extra-vars=emqx_discovery_strategy=static", n2=agreed)
    assert code == 0, text
    together(LAB, *THREE)
    assert set(THREE) <= set(known_on("third"))
    assert known_on("second") == []
