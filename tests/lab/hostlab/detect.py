# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""What this machine withholds from a container engine, and what the lab does about it."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

CAP_SYS_RESOURCE = 24
#: What Podman 4.3, rootful, asks for by default, for both nofile and nproc.
PODMAN_RLIMIT = 1048576
#: Podman 4.3 lowers its own nproc limit to this before it starts a container, and what it lowered
#: a container cannot raise again (seen in /proc/PID/limits; setrlimit then fails with EPERM).
PODMAN_OWN_NPROC = 32768
UNLIMITED = resource.RLIM_INFINITY


@dataclass(frozen=True)
class Machine:
    """What was read from the machine; limits are hard limits, UNLIMITED (-1) for none."""

    cgroup_fs: str
    v2_controllers: frozenset[str]
    effective_caps: int
    nofile: int
    nproc: int


@dataclass(frozen=True)
class Measures:
    """What Podman needs on this machine; all false or empty on an ordinary cgroup v2 host."""

    private_cgroups: bool = False
    no_pids_limit: bool = False
    default_ulimits: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for people."""
        found = []
        if self.private_cgroups:
            found.append("no plain cgroup v2: podman runs in a mount namespace of its own")
        if self.no_pids_limit:
            found.append("no pids controller: no pids limit")
        if self.default_ulimits:
            found.append(f"limits cannot be raised: {', '.join(self.default_ulimits)}")
        return "; ".join(found) or "none needed"


def measures(machine: Machine) -> Measures:
    """Decide from what was read; nothing is assumed about the kind of machine."""
    private = machine.cgroup_fs != "cgroup2"
    may_raise = bool(machine.effective_caps >> CAP_SYS_RESOURCE & 1)
    hard = [machine.nofile, machine.nproc]
    short = any(value != UNLIMITED and value < PODMAN_RLIMIT for value in hard)
    ulimits: tuple[str, ...] = ()
    if short and not may_raise:
        nofile, nproc = (PODMAN_RLIMIT if value == UNLIMITED else value for value in hard)
        nofile, nproc = min(nofile, PODMAN_RLIMIT), min(nproc, PODMAN_OWN_NPROC)
        ulimits = (f"nofile={nofile}:{nofile}", f"nproc={nproc}:{nproc}")
    return Measures(
        private_cgroups=private,
        no_pids_limit="pids" not in machine.v2_controllers,
        default_ulimits=ulimits,
    )


def mount_type(mountinfo: str, path: str) -> str:
    """File system type of the topmost mount on path, from the text of /proc/self/mountinfo."""
    found = ""
    for line in mountinfo.splitlines():
        mount, _dash, source = line.partition(" - ")
        if mount.split()[4] == path:
            found = source.split()[0]
    return found


def v2_mount(mountinfo: str) -> str:
    """Where a cgroup v2 tree is mounted, or an empty string."""
    for line in mountinfo.splitlines():
        mount, _dash, source = line.partition(" - ")
        if source.split()[0] == "cgroup2":
            return mount.split()[4]
    return ""


def read_machine(proc: Path = Path("/proc")) -> Machine:
    """Read the machine this process runs on."""
    mountinfo = (proc / "self/mountinfo").read_text()
    status = (proc / "self/status").read_text()
    caps = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    controllers = Path(v2_mount(mountinfo) or "/nonexistent") / "cgroup.controllers"
    return Machine(
        cgroup_fs=mount_type(mountinfo, "/sys/fs/cgroup"),
        v2_controllers=frozenset(controllers.read_text().split() if controllers.exists() else ()),
        effective_caps=int(caps, 16),
        nofile=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        nproc=resource.getrlimit(resource.RLIMIT_NPROC)[1],
    )
