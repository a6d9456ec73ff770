# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""For tests of a cluster's life: groups of hosts, what a run changed, a watch on listeners."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import typing as t
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from lab_hosts import Lab

Steps = t.Set[t.Tuple[str, str]]


def group(folder: Path, **hosts: dict[str, t.Any]) -> list[str]:
    """Return the arguments that make these hosts, with their variables, the cluster's group."""
    path = folder / "fleet.json"
    path.write_text(json.dumps({"fleet": {"hosts": hosts}}), encoding="utf-8")
    return [f"--inventory={path}", "--extra-vars=emqx_cluster_group=fleet"]


def changed(output: str) -> Steps:
    """Return which task changed which host, by the text that a run printed."""
    steps: Steps = set()
    task = ""
    for line in output.splitlines():
        started = re.match(r"TASK \[(.*)\] \**$", line)
        if started:
            task = started.group(1)
        done = re.match(r"changed: \[([^\] ]+)", line)
        if done:
            steps.add((task, done.group(1)))
    return steps


def planned(lab: Lab, playbook: str, *arguments: str, **variables: t.Any) -> list[dict[str, str]]:
    """Return the steps of the plan of a playbook, in their order; nothing is changed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        shown = {"emqx_plan_only": True, "emqx_plan_json": str(path), **variables}
        assert changed(done(lab.playbook(playbook, *arguments, **shown))) == set()
        return list(json.loads(path.read_text(encoding="utf-8"))["steps"])


def carried_out(output: str) -> Steps:
    """Return the steps that a run took, as kind and host, by the text that it printed with -vv:
    the files of the tasks that changed something say which."""
    steps: Steps = set()
    file = task = ""
    for line in output.splitlines():
        started = re.match(r"(?:TASK|RUNNING HANDLER) \[(.*)\] \**$", line)
        if started:
            task = started.group(1)
        path = re.match(r"task path: \S*/tasks/(\w+)", line)
        if path:
            file = path.group(1)
        done = re.match(r"changed: \[([^\] ]+)", line)
        if done:
            steps.add((_kind_of(file, task), done.group(1)))
    return steps


def _kind_of(file: str, task: str) -> str:
    if file == "service":
        return "stop" if "top" in task.split(": ")[-1].split()[0] else "start"
    return file.partition("_")[0]


def done(result: subprocess.CompletedProcess[str]) -> str:
    """Return what a run printed that has to end well."""
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """Return what a run said that has to fail before anything is changed, in one line."""
    assert result.returncode != 0, result.stdout
    assert changed(result.stdout) == set()
    return " ".join((result.stdout + result.stderr).split())


def has_finding(text: str, code: str, where: str, *words: str) -> bool:
    """Tell whether a run showed, in the line that refused() returns, a finding of this code and
    place ("Host n1, emqx_cookie", "Cluster") with all these words."""
    parts = re.split(r"(?:ERROR|WARNING) \[(\w+)\] ", text)
    return any(
        found == code and shown.startswith(where) and all(word in shown for word in words)
        for found, shown in zip(parts[1::2], parts[2::2])
    )


def phases(output: str) -> Steps:
    """Return which phase of the role had something to do on which host."""
    steps: Steps = set()
    names = "install|tuning|firewall|tls|configure|service|membership"
    for match in re.finditer(
        rf"^included: \S*/tasks/({names})\.yml for (.*)$", output, re.MULTILINE
    ):
        steps |= {(match.group(1), host) for host in match.group(2).split(", ")}
    return steps


def together(lab: Lab, *hosts: str) -> None:
    """Assert, by what each of the nodes says of itself, that exactly these are one cluster."""
    members = sorted(lab.node_name(host) for host in hosts)
    with ThreadPoolExecutor() as pool:
        views = dict(zip(hosts, pool.map(lab.view, hosts)))
    expected = {"running_nodes": members, "stopped_nodes": []}
    assert views == {host: expected for host in hosts}


def is_ready(lab: Lab, host: str) -> bool:
    """Tell whether a host's node says that it is in operation."""
    try:
        with urllib.request.urlopen(
            f"http://{lab.addresses[host]}:18083/status", timeout=10
        ) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def can_log_in(lab: Lab, host: str, user: str, password: str) -> bool:
    """Tell whether a host's dashboard knows a user."""
    request = urllib.request.Request(
        f"http://{lab.addresses[host]}:18083/api/v5/login",
        data=json.dumps({"username": user, "password": password}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False


def wait_for(condition: t.Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not reached in {seconds:g} s"
        time.sleep(0.2)


def killed(
    run: t.Callable[[], subprocess.CompletedProcess[str]], log: Path, moment: t.Callable[[], bool]
) -> str:
    """Kill the control node's processes of a run at some moment; return what it printed by then."""
    real = subprocess.run

    def start(argv: list[str], **options: t.Any) -> subprocess.CompletedProcess[str]:
        if argv[0] != "ansible-playbook":
            return real(argv, check=False, **options)
        with log.open("w") as out:
            process = subprocess.Popen(
                argv, env=options["env"], stdout=out, stderr=out, start_new_session=True
            )
            try:
                wait_for(lambda: process.poll() is not None or moment(), 300)
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                _kill_workers(argv)
            process.wait()
        return subprocess.CompletedProcess(argv, process.returncode, "", "")

    with mock.patch("subprocess.run", start):
        result = run()
    text = log.read_text(encoding="utf-8")
    assert result.returncode == -signal.SIGKILL, text
    return text


def _kill_workers(argv: list[str]) -> None:
    """Kill the workers of a run, which have its command line: each is a session of its own, and
    would wait for ever for a run that is gone."""
    wanted = "\0".join(argv).encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # What has ended meanwhile is gone.
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)


class Watch:
    """Connects to a port of some addresses every 200 ms and notes when one does not answer."""

    def __init__(self, addresses: t.Iterable[str], port: int) -> None:
        self.attempts = 0
        self.gaps: list[str] = []
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(address, port), daemon=True)
            for address in addresses
        ]

    def _watch(self, address: str, port: int) -> None:
        while not self._end.wait(0.2):
            self.attempts += 1
            try:
                socket.create_connection((address, port), timeout=5).close()
            except OSError as error:
                self.gaps.append(f"{time.strftime('%H:%M:%S')} {address}:{port}: {error}")

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
