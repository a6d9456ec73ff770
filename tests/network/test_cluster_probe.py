# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""cluster_probe on 23 hosts, each a network namespace of this machine with an address and rules
of its own. Ansible runs the module there as on any host. Needs root."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(__file__).with_name("probe.yml")
SIZE = 23
PORTS = {"distribution": 4370, "rpc": 5370}
# Seconds that trying the links of so many nodes may take. All are hosts of one machine here, which
# may be at work on something else: what counts is the work, and the wait for a dropped packet.
BUDGET = 20
PATIENCE = 3


class Network:
    """Hosts h1..hN on one bridge. A namespace lives as long as the process that holds it, and that
    one no longer than this one, so that nothing is left whatever happens."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._holders = [self._hold() for _number in range(size + 1)]
        hub = self._holders[0].pid
        self._on(hub, "link add hub type bridge\nlink set hub up")
        self.hosts = {f"h{number}": f"10.0.0.{number}" for number in range(1, size + 1)}
        self._pids = {host: holder.pid for host, holder in zip(self.hosts, self._holders[1:])}
        cables = [
            f"link add {host} type veth peer name eth0 netns {pid}\nlink set {host} master hub up"
            for host, pid in self._pids.items()
        ]
        self._on(hub, "\n".join(cables))
        for host, pid in self._pids.items():
            address = f"address add {self.hosts[host]}/24 dev eth0"
            self._on(pid, f"{address}\nlink set lo up\nlink set eth0 up")
        self.inventory = self._inventory()

    @staticmethod
    def _hold() -> subprocess.Popen[bytes]:
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net"]
        holder = subprocess.Popen([*argv, "sh", "-c", "echo; exec sleep infinity"], stdout=-1)
        assert holder.stdout
        holder.stdout.readline()
        return holder

    def _on(self, pid: int, commands: str) -> None:
        self._enter(pid, "ip", "-batch", "-", text=commands)

    @staticmethod
    def _enter(pid: int, *argv: str, text: str | None = None) -> str:
        command = ["nsenter", f"--net=/proc/{pid}/ns/net", *argv]
        return subprocess.run(
            command, check=True, input=text, text=True, stdout=subprocess.PIPE
        ).stdout

    def run(self, host: str, *argv: str, text: str | None = None) -> str:
        return self._enter(self._pids[host], *argv, text=text)

    def _inventory(self) -> Path:
        hosts = {}
        for host, pid in self._pids.items():
            python = self._folder / f"python-{host}"
            enter = f"exec nsenter --net=/proc/{pid}/ns/net"
            python.write_text(f'#!/bin/sh\n{enter} /usr/bin/python3 "$@"\n', encoding="utf-8")
            python.chmod(0o700)
            hosts[host] = {
                "ansible_connection": "local",
                "ansible_python_interpreter": str(python),
                "node": f"emqx@{self.hosts[host]}",
            }
        path = self._folder / "hosts.json"
        path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        return path

    def nodes(self) -> list[dict[str, t.Any]]:
        ports = {"dist_port": PORTS["distribution"], "rpc_port": PORTS["rpc"]}
        return [
            {"name": f"emqx@{address}", "host": address, **ports} for address in self.hosts.values()
        ]

    def start(self, forks: int, **variables: t.Any) -> subprocess.Popen[str]:
        values = {"nodes": self.nodes(), "seconds": 60, "patience": PATIENCE, **variables}
        argv = ["ansible-playbook", str(PLAYBOOK), f"--inventory={self.inventory}"]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "tests" / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(self._folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self._folder / "remote"),
        }
        return subprocess.Popen(
            [*argv, f"--forks={forks}", "--extra-vars", json.dumps(values)],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def probe(self, forks: int) -> dict[tuple[str, str, str], str]:
        """Return the states by host, target host and kind of port."""
        answers = self._folder / "answers.json"
        run = self.start(forks, answers=str(answers))
        output, _errors = run.communicate(timeout=300)
        assert run.returncode == 0, output
        found = json.loads(answers.read_text(encoding="utf-8"))
        answers.unlink()
        hosts = {f"emqx@{address}": host for host, address in self.hosts.items()}
        return {
            (source, hosts[link["to"]], link["kind"]): link["state"]
            for source, answer in found.items()
            for link in answer["links"]
        }

    def listening(self) -> dict[str, str]:
        """Return what listens, by host, of those where anything does."""
        seen = {host: self.run(host, "ss", "-Hltn").strip() for host in self.hosts}
        return {host: text for host, text in seen.items() if text}


@pytest.fixture(name="network", scope="module")
def _network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(tmp_path_factory.mktemp("network"), SIZE)


@pytest.fixture(name="rules")
def _rules(network: Network) -> t.Iterator[dict[tuple[str, str, str], str]]:
    """Firewalls, and what they do to connections, by source, target and kind."""
    chain = "add table inet t\nadd chain inet t i { type filter hook input priority 0 ; }\n"
    rule = "add rule inet t i ip saddr {} tcp dport {} {}\n"
    drop = rule.format(network.hosts["h1"], PORTS["distribution"], "drop")
    network.run("h2", "nft", "-f", "-", text=chain + drop)
    reset = rule.format(network.hosts["h4"], PORTS["rpc"], "reject with tcp reset")
    network.run("h3", "nft", "-f", "-", text=chain + reset)
    yield {("h1", "h2", "distribution"): "filtered", ("h4", "h3", "rpc"): "refused"}
    for host in ("h2", "h3"):
        network.run(host, "nft", "delete", "table", "inet", "t")


@pytest.mark.parametrize("forks", [5, 50])
def test_all_links_of_23_nodes_whatever_the_forks(
    network: Network, rules: dict[tuple[str, str, str], str], forks: int
) -> None:
    before = _work()
    found = network.probe(forks)
    work = _work() - before
    assert len([way for way in found if way[0] != way[1]]) == SIZE * (SIZE - 1) * len(PORTS)
    assert {way: state for way, state in found.items() if state != "open"} == rules
    assert network.listening() == {}
    assert work / (os.cpu_count() or 1) + PATIENCE < BUDGET


def test_nothing_stays_when_the_run_is_killed(network: Network, tmp_path: Path) -> None:
    """Killed while all listen and wait for an answer that does not come."""
    silent = "add table inet t\nadd chain inet t i { type filter hook input priority 0 ; }\n"
    silent += f"add rule inet t i tcp dport {PORTS['rpc']} ct state new drop\n"
    network.run("h23", "nft", "-f", "-", text=silent)
    run = network.start(50, seconds=8, patience=60, answers=str(tmp_path / "answers.json"))
    try:
        _wait(lambda: len(network.listening()) == SIZE, 60)
    finally:
        # The workers of Ansible are sessions of their own, and would wait for ever; without the run
        # itself some end before they are found.
        subprocess.run(["pkill", "-KILL", "-f", str(network.inventory)], check=True)
        run.communicate()
        network.run("h23", "nft", "delete", "table", "inet", "t")
    assert len(network.listening()) == SIZE
    _wait(lambda: not network.listening(), 20)
    assert not (tmp_path / "answers.json").exists()


def _work() -> float:
    """Return the processor time, in seconds, of all that ran and ended so far."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _wait(condition: t.Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not reached in {seconds:g} s"
        time.sleep(0.1)
