# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The Ansible inventory of a lab."""

from __future__ import annotations

import json
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

USER = "ops"


@dataclass(frozen=True)
class Host:
    """One lab host; name is n1, n2, ..."""

    name: str
    fqdn: str
    address: str
    address6: str | None = None


MOST_FILES = 2097152


def render(lab: str, hosts: Sequence[Host], state: Path, control: Path) -> str:
    """Render hosts.yml. state, CACHE/lab/NAME, holds key and known_hosts, control the SSH control
    sockets.

    Connection variables belong to the group lab, not to all: a task delegated to localhost must
    keep the control node's own interpreter.
    """
    lines = [f"# Lab {lab}, written by tests/lab/lab.py", "lab:", "  hosts:"]
    for host in hosts:
        values = {"ansible_host": host.address, "lab_fqdn": host.fqdn}
        if host.address6:
            values["lab_address6"] = host.address6
        lines += [f"    {host.name}:", *_scalars(values, 6)]
    connection: dict[str, object] = {
        "lab_name": lab,
        "lab_cache": str(state.parents[1]),
        # Hosts may have no more than the machine that carries them.
        "lab_open_files": open_files(),
        "ansible_user": USER,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(state / "id_ed25519"),
        # testinfra reads these and no other options, so that both use one connection per host.
        "ansible_ssh_common_args": f"{shell_options(state)} -oControlPath={control}/%C",
        "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=60s",
        "ansible_pipelining": True,
    }
    lines += ["  vars:", *_scalars(connection, 4), "emqx:", "  hosts:"]
    lines += [f"    {host.name}:" for host in hosts]
    return "\n".join(lines) + "\n"


def open_files() -> int:
    """How many files a process of this machine may have open, at most what EMQX's docs ask for."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MOST_FILES if limit == resource.RLIM_INFINITY else min(limit, MOST_FILES)


def ssh_options(state: Path) -> list[str]:
    """Options of ssh that make it trust the lab's hosts and nothing else."""
    # ssh splits UserKnownHostsFile at blanks unless it is quoted.
    return [
        f'-oUserKnownHostsFile="{state / "known_hosts"}"',
        "-oGlobalKnownHostsFile=/dev/null",
        "-oStrictHostKeyChecking=yes",
        "-oIdentitiesOnly=yes",
    ]


def shell_options(state: Path) -> str:
    """The same as one string; Ansible splits it as a shell would."""
    return " ".join(f"'{option}'" if '"' in option else option for option in ssh_options(state))


def known_hosts(keys: Sequence[tuple[Host, str]]) -> str:
    """Lines of known_hosts from each host's public key ("ssh-ed25519 AAAA...")."""
    lines = []
    for host, key in keys:
        names = [host.address, host.name, host.fqdn, *([host.address6] if host.address6 else [])]
        lines.append(f"{','.join(names)} {' '.join(key.split()[:2])}\n")
    return "".join(lines)


def _scalars(values: Mapping[str, object], indent: int) -> list[str]:
    # JSON scalars are YAML scalars, with all quoting done.
    return [f"{' ' * indent}{key}: {json.dumps(value)}" for key, value in values.items()]
