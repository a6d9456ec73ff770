# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What an upgrade has to know of a host: the copy that was saved of its node, and the room."""

from __future__ import annotations

import json
import os
import stat
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import (
    ABSENT,
    enter,
    names_in,
    parent,
    read_text,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.storage import free_bytes
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record

MANIFEST = "manifest.json"


def read(options: Record) -> Json:
    """Return, for the options of host_info's ``upgrade``, ``saved`` (the manifest of the copy in
    ``place``, {} for none), ``sizes`` (of ``trees``, in bytes), ``free`` (where the copy goes) and
    ``kept`` (the names in ``downloads``); {} where nothing was asked."""
    if not options:
        return {}
    return {
        "saved": manifest(options["place"]),
        "sizes": {path: tree_bytes(path) for path in options["trees"]},
        "free": free_bytes(options["place"]),
        "kept": names_in(options["downloads"]),
    }


def manifest(place: str) -> Json:
    """Return what a saved copy says of itself, {} where there is none."""
    try:
        found = json.loads(read_text(f"{place}/{MANIFEST}") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def tree_bytes(path: str) -> int:
    """Return the bytes of all plain files below a directory, 0 where there is none."""
    try:
        top = enter(*parent(path))
    except ABSENT:
        return 0
    try:
        return sum(_sizes(top))
    finally:
        os.close(top)


def _sizes(top: int) -> t.Iterator[int]:
    for _path, _folders, names, folder in os.fwalk(".", dir_fd=top):
        for name in names:
            try:
                info = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(info.st_mode):
                yield info.st_size
