# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Faults in the middle of a join. The end is judged by what every node says of itself.

One test after the other: each starts where the one before it ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import typing as t
from pathlib import Path

from lab_hosts import ROOT, scenario_lab
from operations import can_log_in, changed, group, is_ready, together, wait_for

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
THREE = ("n1", "n2", "n3")
PASSWORD = "Kept0over0all0faults"
VARIABLES = f"--extra-vars=@{ROOT / 'molecule/faults/vars/faults.yml'}"
# A node that cannot join is to say so soon.
IMPATIENT = "--extra-vars=emqx_cluster_timeout=15"
JOIN = "TASK [mqttops.emqx.emqx : Join the seed]"


def leave(*hosts: str) -> None:
    """Have nodes be fresh ones that run alone."""
    for host in hosts:
        assert "successfully" in LAB.emqx(host, "ctl", "cluster", "leave").stdout
        together(LAB, host)


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

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log = folder / "run.log"
        argv = ["ansible-playbook", "mqttops.emqx.site", VARIABLES, *arguments]
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

    def joins(self, host: str) -> bool:
        """Tell whether a host's node is just joining, or the joins have ended before."""
        on_its_way = "cluster join" in LAB.hosts[host].check_output("ps -ef")
        return on_its_way or self.output.partition(JOIN)[2].count("TASK [") > 0

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")


def test_five_joined_an_empty_seed_at_once() -> None:
    together(LAB, *HOSTS)


def test_five_join_a_seed_with_data_at_once() -> None:
    leave(*HOSTS[1:])
    keep("n1", "first")
    result = LAB.playbook(str(ROOT / "molecule/faults/join.yml"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(changed(result.stdout)) == 5
    together(LAB, *HOSTS)
    assert known_on("first") == HOSTS
    leave(*HOSTS[1:])


def test_a_port_dropped_in_one_direction_and_another_cookie(tmp_path: Path) -> None:
    LAB.hosts["n1"].check_output(
        "nft add table inet fault; nft add chain inet fault input '{ type filter hook input "
        "priority 0; }'; nft add rule inet fault input ip saddr "
        f"{LAB.addresses['n2']} tcp dport 4370 drop"
    )
    # Seen from the joining node; a deployment with its preflight would not come that far.
    late = "--extra-vars=emqx_preflight_probe=false"
    code, text = site(tmp_path, late, IMPATIENT, n3={"emqx_cookie": "Another0cookie0than0others"})
    LAB.hosts["n1"].check_output("nft delete table inet fault")
    assert code != 0
    assert f"tcp {LAB.addresses['n1']}:4370 does not answer: a firewall drops it" in text
    assert f"tcp {LAB.addresses['n1']}:4370 is open, so the cookies differ" in text
    for host in THREE:
        together(LAB, host)


def test_seed_stopped_during_the_joins(tmp_path: Path) -> None:
    run = Started(tmp_path, IMPATIENT)
    LAB.hosts["n1"].check_output("systemctl kill --signal=KILL emqx; systemctl stop emqx")
    assert run.process.wait(timeout=120) != 0, run.output
    assert [host for host in THREE if is_ready(LAB, host)] == ["n2", "n3"]


def test_killed_controller(tmp_path: Path) -> None:
    run = Started(tmp_path)
    wait_for(lambda: run.joins("n3"), 60)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()


def test_another_run_makes_all_of_these_good(tmp_path: Path) -> None:
    well(tmp_path)
    assert set(THREE) <= set(known_on("first"))


def test_three_with_data_of_which_one_is_in_another_cluster(tmp_path: Path) -> None:
    leave("n2", "n3")
    keep("n2", "second")
    LAB.emqx("n3", "ctl", "cluster", "join", LAB.node_name("n4"))
    code, text = site(tmp_path)
    assert code != 0
    assert "No node joined" in text
    assert f"n1 ({LAB.node_name('n1')}) holds 1 dashboard users" in text
    assert f"n2 ({LAB.node_name('n2')}) holds 1 dashboard users" in text
    assert f"n3 ({LAB.node_name('n3')}) is in a cluster with {LAB.node_name('n4')}" in text
    for cluster in (["n1"], ["n2"], ["n3", "n4"]):
        together(LAB, *cluster)


def test_three_with_data_that_would_find_one_another(tmp_path: Path) -> None:
    leave("n3")
    keep("n3", "third")
    together(LAB, "n4")
    discovery = "--extra-vars=emqx_discovery_strategy=static"
    before = {host: LAB.hosts[host].file(f"{LAB.etc}/emqx.conf").sha256sum for host in THREE}
    code, text = site(tmp_path, discovery)
    assert code != 0
    assert "Nothing was changed" in text
    assert "emqx_allow_data_loss: true" in text
    for host in THREE:
        assert f"{host} ({LAB.node_name(host)}) holds 1 dashboard users" in text
        together(LAB, host)
        assert LAB.hosts[host].file(f"{LAB.etc}/emqx.conf").sha256sum == before[host]
    assert [known_on(user) for user in ("first", "second", "third")] == [["n1"], ["n2"], ["n3"]]
    # The youngest one keeps its data, although discovery has all join the oldest.
    agreed = {"emqx_allow_data_loss": True}
    code, text = site(tmp_path, discovery, n1=agreed, n2=agreed)
    assert code == 0, text
    together(LAB, *THREE)
    assert set(THREE) <= set(known_on("third"))
    assert known_on("first") == known_on("second") == []
