# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which EMQX is installed on a host, as a package or unpacked from a tar.gz."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import digest, read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import Runner
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.module_utils._package.vendor_version import (
    vendor_version,
)

# Bytes of a checksum and the name after it.
_SIDECAR = 4096


def package_file(path: str) -> Json:
    """Return ``exists``, ``sha256`` and ``sidecar`` of a package, that is the checksum in the file
    of the same name with .sha256 appended, which is "" where there is none."""
    sidecar = (read_text(f"{path}.sha256", _SIDECAR) or "").split()
    answer = {"exists": os.path.isfile(path), "sha256": "", "sidecar": ""}
    if answer["exists"]:
        # Whoever gave this path chose the file, whatever link leads to it.
        with open(path, "rb") as stream:
            answer["sha256"] = digest(stream)
    return {**answer, "sidecar": sidecar[0].lower() if sidecar else ""}


# One line for each package that is there; the exit code is that of any which is not.
_INSTALLED = {
    "deb": ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status} ${Version}\\n"],
    "rpm": ["rpm", "--query", "--queryformat=%{NAME} installed %{VERSION}\\n"],
}


def package(run: Runner, names: t.Sequence[str], package_format: str) -> dict[str, str]:
    """Return ``name`` and ``version`` of the first installed package, empty where none is."""
    if package_format not in _INSTALLED:
        return {"name": "", "version": ""}
    _rc, stdout, _stderr = run([*_INSTALLED[package_format], *names])
    lines = [line.partition(" installed ") for line in stdout.splitlines()]
    versions = {name: version for name, sign, version in lines if sign}
    name = next((name for name in names if name in versions), "")
    return {"name": name, "version": vendor_version(versions.get(name, ""))}


def release_version(root: str) -> str:
    """Return REL_VSN of the EMQX release unpacked below ``root``, empty where there is none."""
    found = re.search(
        r'^REL_VSN="?([^"\s]+)"?', read_text(f"{root}/releases/emqx_vars") or "", re.MULTILINE
    )
    return found.group(1) if found else ""
