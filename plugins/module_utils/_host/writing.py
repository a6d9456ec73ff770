# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Write files and directories as root, also below directories that somebody else may write to.

No link but root's own is followed on the way to a file, and a link in place of a file is replaced
and not written through.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import secrets
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import (
    enter,
    make_directory,
    parent,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.rights import mode_bits

PREFIX = ".mqttops-"
Item = t.Mapping[str, t.Any]


def write_files(items: t.Sequence[Item]) -> None:
    """Put whole files in place, none before all are on the disk.

    An item has ``path``, ``content``, ``owner``, ``group`` and ``mode`` ("0640"). Raise KeyError
    for an unknown owner or group, OSError for what cannot be written.
    """
    owners = [owner_numbers(item) for item in items]
    staged: list[tuple[int, str, str]] = []
    try:
        for item, (uid, gid) in zip(items, owners):
            folder, name = parent(item["path"], make=True, follow=False)
            temporary = f"{PREFIX}{secrets.token_hex(8)}"
            staged.append((folder, temporary, name))
            mode = mode_bits(item["mode"], item["path"])
            stage(folder, temporary, item["content"], uid, gid, mode)
        for folder, temporary, name in staged:
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        for folder, temporary, _name in staged:
            # What is in place has lost this name.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            os.close(folder)


def stage(folder: int, name: str, text: str, uid: int, gid: int, mode: int) -> None:
    """Write a text to a new file in an open directory, its owner and mode set before it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    handle = os.open(name, flags, 0o600, dir_fd=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        # On the open file: the directory may belong to a user who could exchange its entries.
        os.fchown(handle, uid, gid)
        os.fchmod(handle, mode)
        stream.write(text)
        stream.flush()
        os.fsync(handle)


def stage_candidate(folder: str, text: str, gid: int, mode: int) -> str:
    """Write a text of root's to a new file in a directory of the caller's, and return its path."""
    name = f"{PREFIX}{secrets.token_hex(8)}"
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        stage(handle, name, text, -1, gid, mode)
    finally:
        os.close(handle)
    return f"{folder}/{name}"


def make_directories(items: t.Sequence[Item]) -> None:
    """Make directories, or give them their owner, group and mode; raise as ``write_files``."""
    for item in items:
        uid, gid = owner_numbers(item)
        folder, name = parent(item["path"], make=True)
        try:
            make_directory(folder, name, 0o700)
            folder = enter(folder, name)
            os.fchown(folder, uid, gid)
            os.fchmod(folder, mode_bits(item["mode"], item["path"]))
        finally:
            os.close(folder)


def owner_numbers(item: Item) -> tuple[int, int]:
    """Return the numbers of the owner and group of an item, which may be given as such."""
    uid = _number(item["owner"], lambda name: pwd.getpwnam(name).pw_uid)
    gid = _number(item["group"], lambda name: grp.getgrnam(name).gr_gid)
    return uid, gid


def _number(name: str, lookup: t.Callable[[str], int]) -> int:
    return int(name) if name.isdecimal() else lookup(name)
