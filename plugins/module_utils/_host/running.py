# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a node's process says of itself: its cookie's fingerprint, its transport, its limits."""

from __future__ import annotations

import os
import re

from ansible_collections.mqttops.emqx.plugins.module_utils._host.config import fingerprint
from ansible_collections.mqttops.emqx.plugins.module_utils._host.processes import (
    Process,
    nodes,
    read_own,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json


def processes(service: str, proc: str = "/proc") -> list[Json]:
    """Return the EMQX nodes that run here: name, pid, cookie, transport and open files.

    Those in containers are somebody else's, unless it is this service's.
    """
    return [
        _describe(node)
        for node in nodes(proc)
        if not node.contained or f"/{service}" in node.cgroup
    ]


def _describe(node: Process) -> Json:
    cookie = node.flag("-setcookie")
    soft, hard = open_files_limits(read_own(f"{node.folder}/limits"))
    return {
        "pid": int(os.path.basename(node.folder)),
        "node": node.name,
        "cookie_fingerprint": fingerprint(cookie) if cookie else "",
        "proto_dist": node.flag("-ekka_proto_dist"),
        "open_files": _count(f"{node.folder}/fd"),
        "open_files_limit": soft,
        "open_files_limit_hard": hard,
        "_cookie": cookie,
    }


def open_files_limits(text: str) -> tuple[int | None, int | None]:
    """Return the limits of open files in force, soft and hard; None for unlimited or unknown."""
    found = re.search(r"^Max open files\s+(\w+)\s+(\w+)", text, re.M)
    soft, hard = found.groups() if found else ("", "")
    return (
        int(soft) if soft.isdecimal() else None,
        int(hard) if hard.isdecimal() else None,
    )


def _count(folder: str) -> int | None:
    try:
        return len(os.listdir(folder))
    except OSError:
        return None
