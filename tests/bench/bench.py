# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Measure what docs/performance.md reports; print a table, judge nothing.

Runs on three lab hosts: a playbook of one ping, the unchanged re-run of site.yml, the preflight of
empty hosts and of a running cluster, a fresh cluster from a package in the cache, and a plain shell
script that builds the same cluster over SSH in parallel. Each is repeated and the median taken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LAB = "bench"
INVENTORY = ROOT / ".cache" / "lab" / LAB / "hosts.yml"
SHARED = ROOT / "tests" / "inventory" / "hosts.yml"
PING = ROOT / "tests" / "bench" / "ping.yml"
SHELL = ROOT / "tests" / "bench" / "plain.sh"


def lab(*arguments: str) -> None:
    command = [sys.executable, str(ROOT / "tests/lab/lab.py"), *arguments, "--name", LAB]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def timed(argv: t.Sequence[str], environment: t.Mapping[str, str]) -> tuple[float, str]:
    """Run a command and return its wall time in seconds and its output; it must succeed."""
    start = time.monotonic()
    done = subprocess.run(
        list(argv),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} failed:\n{done.stdout}\n{done.stderr}")
    return time.monotonic() - start, done.stdout


def package() -> str:
    """Return the path or URL of the package that is installed."""
    built = (ROOT / ".cache" / "packages").glob("emqx-[0-9]*.deb")
    return os.environ.get("EMQX_PACKAGE") or str(next(built))


def given_variables() -> dict[str, str]:
    """Return what users have in their inventories as it is, and the lab works out each time."""
    file = package()
    if "://" in file:
        return {}
    version = re.search(r"[0-9]+[.][0-9]+[.][0-9]+", file)
    return {
        "emqx_package": file,
        "emqx_package_source": "controller",
        "emqx_package_sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest(),
        **({"emqx_version": version.group()} if version else {}),
    }


def playbook(name: str, *arguments: str, **environment: str) -> tuple[float, str]:
    argv = ["ansible-playbook", name, f"--inventory={INVENTORY}", f"--inventory={SHARED}"]
    argv += ["--extra-vars", json.dumps(given_variables())]
    return timed([*argv, *arguments], {"ANSIBLE_NOCOLOR": "1", **environment})


def remote_executions() -> dict[str, int]:
    """Return how many module runs each host got in an unchanged run, by its own SSH session log."""
    _seconds, output = playbook("mqttops.emqx.site", "-vvvv")
    sent = re.findall(r"^<([\d.]+)> (?:\([\d]+, b'.*|SSH: EXEC .*)$", output, re.MULTILINE)
    commands = re.findall(r"^<([\d.]+)> SSH: EXEC ", output, re.MULTILINE)
    return {host: commands.count(host) for host in sorted(set(commands) or set(sent))}


def facts() -> dict[str, str]:
    found = yaml.safe_load(INVENTORY.read_text(encoding="utf-8"))["lab"]
    addresses = [host["ansible_host"] for host in found["hosts"].values()]
    return {
        "HOSTS": " ".join(addresses),
        "KEY": str(found["vars"]["ansible_ssh_private_key_file"]),
        "KNOWN_HOSTS": str(INVENTORY.parent / "known_hosts"),
        "PACKAGE": package(),
    }


def fresh(build: t.Callable[[], tuple[float, str]]) -> float:
    """Return the seconds that ``build`` takes on new hosts."""
    lab("down")
    lab("up", "--hosts", "3")
    return build()[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    wanted = parser.parse_args()
    runs = range(wanted.runs)
    try:
        fresh(lambda: playbook(str(PING)))
        empty = [playbook("mqttops.emqx.preflight")[0] for _run in runs]
        shell = [fresh(lambda: timed(["bash", str(SHELL)], facts())) for _run in runs]
        site = [fresh(lambda: playbook("mqttops.emqx.site")) for _run in runs]
        # In turn, as what else the machine does may slow down a part of them.
        names = (str(PING), "mqttops.emqx.site", "mqttops.emqx.preflight")
        ping, again, proved = zip(*([playbook(name)[0] for name in names] for _run in runs))
        counts = remote_executions()
    finally:
        lab("down")
    median = {
        "one ping": statistics.median(ping),
        "unchanged re-run": statistics.median(again),
        "preflight of empty hosts": statistics.median(empty),
        "preflight of a running cluster": statistics.median(proved),
        "plain shell script, fresh cluster": statistics.median(shell),
        "site.yml, fresh cluster": statistics.median(site),
    }
    one_ping = median["one ping"]
    ratios = {
        "unchanged re-run / one ping (budget 6)": median["unchanged re-run"] / one_ping,
        "preflight of empty hosts / one ping (budget 3)": (
            median["preflight of empty hosts"] / one_ping
        ),
        "preflight of a running cluster / one ping (budget 3)": (
            median["preflight of a running cluster"] / one_ping
        ),
        "site.yml / plain shell script (budget 1.5)": (
            median["site.yml, fresh cluster"] / median["plain shell script, fresh cluster"]
        ),
    }
    if wanted.json:
        print(json.dumps({"seconds": median, "ratios": ratios, "remote": counts}, indent=2))
        return 0
    print(f"3 hosts, {os.cpu_count()} cores, median of {wanted.runs}")
    for name, seconds in median.items():
        print(f"  {name:<57}{seconds:8.1f} s")
    for name, ratio in ratios.items():
        print(f"  {name:<57}{ratio:8.2f}")
    each = ", ".join(f"{host}: {count}" for host, count in counts.items())
    print(f"  {'commands over SSH in an unchanged re-run':<57}  {each}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
