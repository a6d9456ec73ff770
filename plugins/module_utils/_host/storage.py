# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The room that disks have left, and the databases in a data directory."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import names_in
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json


def data_nodes(data_dir: str) -> list[str]:
    """Return the node names that a data directory holds a database of (data_dir/mnesia/NAME)."""
    return [name for name in names_in(f"{data_dir}/mnesia") if "@" in name]


def free_bytes(path: str) -> int:
    """Return the free space for ordinary users where ``path`` lies or, not made yet, would lie."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    info = os.statvfs(path)
    return info.f_bavail * info.f_frsize


def disks(paths: t.Iterable[str]) -> dict[str, Json]:
    """Return, by path, the space and the file entries that ordinary users have left.

    Of several paths on one file system the first one stands for all.
    """
    found: dict[str, Json] = {}
    seen = set()
    for path in filter(os.path.exists, paths):
        device = os.stat(path).st_dev
        if device in seen:
            continue
        seen.add(device)
        info = os.statvfs(path)
        found[path] = {
            "free": info.f_bavail * info.f_frsize,
            "size": info.f_blocks * info.f_frsize,
            "free_entries": info.f_favail,
            "entries": info.f_files,
            "read_only": bool(info.f_flag & os.ST_RDONLY),
        }
    return found
