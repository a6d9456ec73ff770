# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The archive of the collection, built from a copy of the checkout."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(*folders: str) -> set[str]:
    """Return the files that belong to the checkout, tracked or new, below some of its folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]
    listed = subprocess.run([*command, *folders], cwd=ROOT, check=True, capture_output=True)
    names = listed.stdout.decode().split("\0")
    return {name for name in names if name and (ROOT / name).exists()}


def copy(target: Path) -> None:
    subprocess.run([str(ROOT / "tests/tree.sh"), str(target)], check=True)


def build(tree: Path, target: Path) -> Path:
    """Build the archive of a copy and return it."""
    subprocess.run(
        ["ansible-galaxy", "collection", "build", "--force", "--output-path", str(target)],
        cwd=tree,
        check=True,
        capture_output=True,
    )
    return next(target.glob("*.tar.gz"))


def contents(archive: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of each file; times are those of the build and of the checkout."""
    found = {}
    with tarfile.open(archive) as members:
        for member in members:
            file = members.extractfile(member)
            if file is not None:
                found[member.name] = (member.mode, file.read())
    return found
