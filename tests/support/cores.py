# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Run the installed archive on each ansible-core that the collection promises.

    cores.py ARCHIVE [VERSION...]

Each version has a virtual environment of its own, in which the archive is installed as users do it.
Three fresh hosts of the lab see preflight, site, site again (nothing may change) and preflight.
Any warning of Ansible fails the version, but those that tell of a dependency or of a host's home.
A version whose Python is not on this machine is left out with a notice; one that was asked for by
name fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache/cores"
LAB = "cores"
# ansible-core: the oldest Python that its control node runs on.
PYTHONS = {"2.19": (3, 11), "2.20": (3, 12), "2.21": (3, 12), "devel": (3, 12)}
DEVEL = "https://github.com/ansible/ansible/archive/devel.tar.gz"
PLAYBOOKS = ("preflight", "site", "site", "preflight")
_FOREIGN = re.compile(
    # The dependencies are those of the tools' ansible package, which belongs to one ansible-core.
    r"Collection (?!mqttops\.)[\w.]+ does not support Ansible version"
    # With pipelining, the first module that needs a temporary folder makes it on a new host.
    r"|Module remote_tmp \S+ did not exist and was created"
)
_WARNING = re.compile(r"^\[(?:DEPRECATION )?WARNING\].*(?:\n(?!\[|\n|[A-Z]+ \[|\w+: \[).+)*", re.M)
_CHANGED = re.compile(r"^\S+ +: ok=\d+ +changed=([1-9]\d*)", re.M)


class CoreError(Exception):
    """What a version failed for, in words."""


def warnings(output: str) -> list[str]:
    """Return the warnings and deprecations in what Ansible printed that are not a dependency's."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", output)
    return [
        text for text in _WARNING.findall(plain) if not _FOREIGN.search(text.replace("\n", " "))
    ]


def changed(output: str) -> bool:
    """Tell from the recap whether anything changed on any host."""
    return bool(_CHANGED.search(output))


def version_of(python: Path) -> tuple[int, int] | None:
    """Return the version of a Python, or None where it does not run."""
    asked = [str(python), "-c", "import sys, venv; print(*sys.version_info[:2])"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        return None
    major, minor = found.stdout.split()
    return int(major), int(minor)


def candidates() -> list[Path]:
    """Return the Pythons of this machine: on the search path, and those of pyenv."""
    names = ["python3", *(f"python3.{minor}" for minor in range(11, 16))]
    paths = [Path(path) for name in names if (path := shutil.which(name))]
    return paths + sorted((Path.home() / ".pyenv/versions").glob("3.*/bin/python3"))


def choose(pythons: t.Mapping[Path, tuple[int, int] | None], least: tuple[int, int]) -> Path | None:
    """Return the oldest Python that will do, or None."""
    fit = [(found, path) for path, found in pythons.items() if found and found >= least]
    return min(fit)[1] if fit else None


def environment(core: str) -> dict[str, str]:
    """Return the environment in which Ansible of a version runs, with nothing of the tools' own."""
    home = CACHE / core
    dependencies = next((ROOT / ".cache/venv/lib").glob("python3*/site-packages"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "PATH": f"{home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "ANSIBLE_HOME": f"{home}/home",
        "ANSIBLE_CONFIG": f"{ROOT}/tests/ansible.cfg",
        "ANSIBLE_COLLECTIONS_PATH": f"{home}/collections:{dependencies}",
        "ANSIBLE_DEPRECATION_WARNINGS": "true",
        "ANSIBLE_NOCOLOR": "true",
    }


def run(*command: str, **options: t.Any) -> str:
    """Run a command, show and return its output; a failure is a CoreError."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )
    if done.returncode:
        print(done.stdout)
        raise CoreError(f"{' '.join(command[:3])} ended with {done.returncode}")
    return str(done.stdout)


def install(core: str, python: Path, archive: Path) -> None:
    """Make the virtual environment of a version, and install the archive there."""
    home = CACHE / core
    if not (home / "bin/ansible-playbook").exists():
        run(str(python), "-m", "venv", "--clear", str(home))
        wanted = DEVEL if core == "devel" else f"ansible-core~={core}.0"
        run(f"{home}/bin/pip", "install", "--quiet", wanted)
    shutil.rmtree(home / "collections", ignore_errors=True)
    run(
        *(f"{home}/bin/ansible-galaxy", "collection", "install", str(archive), "--offline"),
        *("--collections-path", f"{home}/collections"),
        env=environment(core),
    )


def play(core: str) -> None:
    """Run the playbooks on fresh hosts."""
    lab = ("python3", "tests/lab/lab.py")
    run(*lab, "down", "--name", LAB)
    run(*lab, "up", "--name", LAB, "--hosts", "3")
    inventories = (f".cache/lab/{LAB}/hosts.yml", "tests/inventory/hosts.yml")
    problems: list[str] = []
    for number, playbook in enumerate(PLAYBOOKS, start=1):
        output = run(
            f"{CACHE / core}/bin/ansible-playbook",
            f"mqttops.emqx.{playbook}",
            *(f"--inventory={path}" for path in inventories),
            env=environment(core),
        )
        problems += [f"{playbook} (run {number}) warns: {text}" for text in warnings(output)]
        if changed(output) and number != PLAYBOOKS.index("site") + 1:
            print(output)
            problems.append(f"{playbook} (run {number}) changed what was as it should be")
    if problems:
        raise CoreError("\n".join(problems))


def check(core: str, archive: Path, python: Path) -> bool:
    """Tell whether the archive does on a version of ansible-core what it promises."""
    try:
        install(core, python, archive)
        print(run(f"{CACHE / core}/bin/ansible", "--version", env=environment(core)))
        play(core)
    except CoreError as error:
        print(f"== ansible-core {core}: FAILED. {error}", flush=True)
        return False
    print(f"== ansible-core {core}: passed", flush=True)
    return True


def main(archive: str, *asked: str) -> int:
    pythons = {path: version_of(path) for path in candidates()}
    failed = False
    for core in asked or [name for name in PYTHONS if name != "devel"]:
        python = choose(pythons, PYTHONS[core])
        if python:
            failed |= not check(core, Path(archive).resolve(), python)
            continue
        least = ".".join(map(str, PYTHONS[core]))
        print(f"== ansible-core {core}: NOT RUN. No Python {least} or newer on this machine.")
        failed |= bool(asked)
    run("python3", "tests/lab/lab.py", "down", "--name", LAB)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
