# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The packages this machine needs to run labs."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import TYPE_CHECKING

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_system(release: Mapping[str, str]) -> None:
    """Raise LabError unless the fields of os-release are those of Debian 12."""
    if (release.get("ID"), release.get("VERSION_ID")) != ("debian", "12"):
        found = release.get("PRETTY_NAME") or release.get("ID") or "an unnamed system"
        raise LabError(
            f"this machine runs {found}; labs are set up on Debian 12 (bookworm) only.\n"
            "Use a Debian 12 machine, virtual machine or container for the scenarios; unit tests "
            "run anywhere."
        )


def missing(wanted: Sequence[str], status: str) -> list[str]:
    """Packages not installed, from lines of "name status" as dpkg-query prints them."""
    installed = {
        line.split()[0] for line in status.splitlines() if line.split()[1:] == ["installed"]
    }
    return [name for name in wanted if name not in installed]


def install(wanted: Sequence[str]) -> list[str]:
    """Install what is missing and return it; with nothing missing no package list is fetched."""
    check_system(platform.freedesktop_os_release())
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *wanted]
    # dpkg-query ends with 1 when it does not know one of the names: that is an answer here.
    status = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    absent = missing(wanted, status)
    if absent:
        require_root("install packages")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update"], ["install", "-y", "--no-install-recommends", *absent]):
            done = subprocess.run(["apt-get", "-q", *step], env=environment, check=False)
            if done.returncode:
                raise LabError(
                    f"apt-get {step[0]} ended with code {done.returncode} (its output is above); "
                    f"wanted: {' '.join(absent)}"
                )
    return absent


def require_root(purpose: str) -> None:
    """Raise LabError unless running as root."""
    if os.geteuid():
        raise LabError(f"only root can {purpose}: run it again with sudo")
