# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The recipe of the host image: its package list and the key under which a built image is kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import tomllib

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def packages(file: Path, table: str) -> list[str]:
    """Names in one table of packages.toml, in order, each once."""
    groups = tomllib.loads(file.read_text()).get(table)
    if not isinstance(groups, dict) or not groups:
        raise LabError(f"{file}: table [{table}] is missing or empty")
    return list(dict.fromkeys(name for names in groups.values() for name in names))


def key(folder: Path, names: Sequence[str], architecture: str) -> str:
    """Hash of all that makes the image: packages, files of the recipe, architecture."""
    digest = hashlib.sha256("\0".join([architecture, *names]).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        mode = "x" if path.stat().st_mode & 0o100 else "-"
        name = path.relative_to(folder).as_posix()
        digest.update(f"\0{name}\0{mode}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
