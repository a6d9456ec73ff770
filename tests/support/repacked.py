# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Debian packages of EMQX, the vendor's or the stand-in's, whose command line does otherwise."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

SCRIPT = "usr/lib/emqx/bin/emqx"

# Accepts its configuration, spoils the data that it finds, and does not boot.
BROKEN = """
case "${1:-}" in
foreground)
    for file in /var/lib/emqx/mnesia/*/schema.DAT; do echo broken >"$file"; done
    echo 'this release does not boot' >&2
    exit 1
    ;;
esac
"""
# Refuses every configuration.
STRICT = """
case "${1:-}" in
check_config)
    echo 'ERROR: this release takes no such configuration' >&2
    exit 1
    ;;
esac
"""


def repacked(package: Path, folder: Path, begin: str) -> Path:
    """Return a package of the same name whose command line begins with these lines of shell."""
    tree = folder / "tree"
    _run("dpkg-deb", "--raw-extract", str(package), str(tree))
    script = tree / SCRIPT
    head, _newline, rest = script.read_text(encoding="utf-8").partition("\n")
    script.write_text(f"{head}\n{begin}{rest}", encoding="utf-8")
    made = folder / package.name
    _run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(made))
    checksum = hashlib.sha256(made.read_bytes()).hexdigest()
    Path(f"{made}.sha256").write_text(checksum, encoding="utf-8")
    return made


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)
