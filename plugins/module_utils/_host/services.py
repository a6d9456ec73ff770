# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The systemd unit of a node, and what it was started with."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import (
    UNKNOWN_BOOT,
    boot_changes,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import Runner
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

_UNIT_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
    "InactiveEnterTimestampMonotonic",
)


def service(run: Runner, unit: str) -> Json:
    """Return ``exists``, ``enabled``, ``active``, ``waiting``, ``outdated`` (bool: systemd has
    not read the unit's files of now), ``state`` (in words) and ``stopped_at`` (seconds of the
    clock, 0 for not since the boot) of a systemd unit.

    A unit that waits for its next automatic restart (120 s with EMQX) is not active: it is
    started like one that is down.
    """
    _rc, stdout, _stderr = run(
        ["systemctl", "show", f"--property={','.join(_UNIT_PROPERTIES)}", unit]
    )
    shown = dict(line.split("=", 1) for line in stdout.splitlines() if "=" in line)
    active = shown.get("ActiveState", "inactive")
    waiting = shown.get("SubState") == "auto-restart"
    return {
        "exists": shown.get("LoadState") == "loaded",
        "enabled": shown.get("UnitFileState") == "enabled",
        "active": active in ("active", "activating", "reloading") and not waiting,
        "waiting": waiting,
        "outdated": shown.get("NeedDaemonReload") == "yes",
        "state": f"{active} ({shown.get('SubState', 'dead')})",
        "stopped_at": _epoch(int(shown.get("InactiveEnterTimestampMonotonic") or 0)),
    }


def stale_boot_files(current: t.Mapping[str, str | None], record: str) -> list[str]:
    """Return what differs between boot-time files and the copies made when the node started.

    ``current`` maps their paths to their texts.
    """
    if not os.path.isdir(record):
        return [UNKNOWN_BOOT]
    booted = {path: read_text(f"{record}/{os.path.basename(path)}") for path in current}
    return boot_changes(booted, current)


_EVIDENCE_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "ExecMainStatus",
    "UnitFileState",
    "ActiveEnterTimestamp",
    "InactiveEnterTimestamp",
    "ExecMainStartTimestampMonotonic",
)


def unit(run: Runner, name: str) -> Json:
    """Return how a systemd unit fares."""
    _rc, out, _err = run(
        ["systemctl", "show", f"--property={','.join(_EVIDENCE_PROPERTIES)}", name]
    )
    shown = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    state = shown.get("ActiveState", "inactive")
    return {
        "name": name,
        "exists": shown.get("LoadState") == "loaded",
        "enabled": shown.get("UnitFileState") == "enabled",
        "active": state,
        "sub": shown.get("SubState", "dead"),
        "result": shown.get("Result", ""),
        "restarts": int(shown.get("NRestarts") or 0),
        "exit_status": int(shown.get("ExecMainStatus") or 0),
        "started": _epoch(int(shown.get("ExecMainStartTimestampMonotonic") or 0)),
        "since": shown.get(
            "ActiveEnterTimestamp" if state == "active" else "InactiveEnterTimestamp", ""
        ),
    }


def _epoch(microseconds: int) -> float:
    """Return as seconds of the clock when something happened after the boot; 0 for never."""
    if not microseconds:
        return 0.0
    return time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + microseconds / 1e6
