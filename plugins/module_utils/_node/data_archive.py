# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Export what a cluster holds into a file that only root may read, and import it.

Exit codes and texts of the command line are never asked whether it worked: an import of a file that
is missing exits 0 (5.8.9). The archive is opened, and the node is asked what it holds.
Source: emqx_mgmt_data_backup.erl, EMQX 5.1 to 6.3.
"""

from __future__ import annotations

import contextlib
import os
import re
import tarfile
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    ParseError,
    RefusedError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import (
    checksum,
    enter,
    make_directory,
    open_plain,
    parent,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import TABLES
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for

# Where EMQX puts archives, below its data directory (5.1 to 6.3).
_FOLDER = "backup"
_WRITTEN = re.compile(r"exported to \S*?([\w.-]+\.tar\.gz)")
# What each archive has, be its tables empty or not.
_PARTS = ("META.hocon", "cluster.hocon")
# Records of these end by themselves, so that fewer may be there after an import.
_EXPIRING = frozenset({"banned", "retained_messages"})
_REFUSED = re.compile(r"Failed to import .*|\[error\] .*")
# Bytes. One that is larger is still copied, but not told by its sum.
_LARGEST = 1 << 40


def export(ctl: Ctl, data_dir: str, path: str, timeout: float) -> Json:
    """Have the node write an archive, move it to ``path``, and return what it holds.

    ``data_dir`` is the node's data directory as the host has it. Raise ParseError where the node
    made no archive, RefusedError where it is not ready.
    """
    before = _ready(ctl, timeout)
    _rc, out, err = ctl.run(["ctl", "data", "export"], timeout)
    name = _WRITTEN.search(out)
    if name is None:
        raise ParseError(f"emqx ctl data export made no archive: {_end(out + err)}")
    source = f"{data_dir}/{_FOLDER}/{name[1]}"
    try:
        _copy(source, path)
    finally:
        _remove(source)
    names = [name.rpartition("/")[2] for name in _names(path)]
    missing = [part for part in _PARTS if part not in names]
    if missing:
        raise ParseError(f"the archive that EMQX made has no {', '.join(missing)}")
    after = _ready(ctl, timeout)
    kinds = {TABLES[name] for name in names if name in TABLES}
    return {
        "path": path,
        "sha256": checksum(path, _LARGEST),
        "size": os.stat(path).st_size,
        "version": after.version,
        "edition": after.edition,
        # Clients go on writing: what was there before and after is in it. Not all tables are.
        "holds": {
            kind: min(count, after.data.get(kind, 0))
            for kind, count in before.data.items()
            if kind in kinds
        },
        "roots": sorted(set(before.config or {}) & set(after.config or {})),
    }


def import_(
    ctl: Ctl,
    path: str,
    folders: tuple[str, str],
    wanted: t.Mapping[str, int],
    roots: t.Collection[str],
    timeout: float,
) -> Json:
    """Have the node take in the archive at ``path``, and return what the cluster then holds.

    ``folders`` are the node's data directory as the host has it and as the node sees it;
    ``wanted`` are the numbers of records by kind, ``roots`` the root keys of cluster.hocon that the
    archive has. Raise WaitTimeout where records are missing in the end, RefusedError where the node
    took in only a part.
    """
    deadline = Deadline(timeout)
    _ready(ctl, timeout)
    answer = _handed_over(ctl, path, folders, timeout)
    refused = _REFUSED.findall(answer)
    try:
        view = wait_for(
            lambda left: ctl.view(timeout=left),
            lambda seen: not _lacks(seen, wanted),
            Deadline(1) if refused else deadline,
            2,
        )
    except WaitTimeout as error:
        lacks = ", ".join(_lacks(error.last, wanted))
        raise WaitTimeout(
            f"after the import the cluster lacks {lacks}; EMQX answered: {_end(answer)}",
            last=dict(error.last.data),
        ) from None
    if refused:
        raise RefusedError(f"EMQX took in a part only: {'; '.join(refused)[:300]}")
    held = dict(view.data)
    return {
        "holds": held,
        "roots": sorted(view.config or {}),
        "fewer": {
            kind: held[kind] for kind in _EXPIRING if held.get(kind, 0) < wanted.get(kind, 0)
        },
        "unset": sorted(set(roots) - set(view.config or {})),
    }


def _handed_over(ctl: Ctl, path: str, folders: tuple[str, str], timeout: float) -> str:
    """Return what EMQX answers when it is to take in an archive."""
    data_dir, seen_as = folders
    # All files in an archive have to be below a directory of its own name.
    name = _names(path)[0].partition("/")[0] + ".tar.gz"
    lent = f"{data_dir}/{_FOLDER}/{name}"
    there = checksum(lent, _LARGEST)
    if there and there != checksum(path, _LARGEST):
        raise RefusedError(
            f"expected no other archive at {lent}, found one: remove it, or move it away"
        )
    if not there:
        _lend(path, data_dir, name)
    try:
        argv = ["ctl", "data", "import", f"{seen_as}/{_FOLDER}/{name}"]
        _rc, out, err = ctl.run(argv, timeout)
    finally:
        # What was there before is not ours.
        if not there:
            _remove(lent)
    return out + err


def _ready(ctl: Ctl, timeout: float) -> View:
    view = ctl.view(timeout=timeout)
    if view.state != "ready":
        raise RefusedError(f"expected a node that is ready, found it {view.state}: {view.reason}")
    return view


def _lacks(view: View, wanted: t.Mapping[str, int]) -> list[str]:
    """Return in words what a node does not hold of an archive."""
    least = {kind: min(count, 1) if kind in _EXPIRING else count for kind, count in wanted.items()}
    return [
        f"{wanted[kind] - view.data.get(kind, 0)} of {wanted[kind]} {kind.replace('_', ' ')}"
        for kind, count in least.items()
        if view.data.get(kind, 0) < count
    ]


def _copy(source: str, path: str) -> None:
    """Copy what the user that runs EMQX owns to a file that is root's alone."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with open_plain(source) as stream:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as target:
            _pour(stream, target)


def _lend(path: str, data_dir: str, name: str) -> None:
    """Copy root's file to where the owner of the data directory, and nobody else, can read it."""
    folder = enter(*parent(data_dir))
    try:
        owner = os.fstat(folder)
        make_directory(folder, _FOLDER, 0o700)
        folder = enter(folder, _FOLDER)
        if os.fstat(folder).st_uid == os.geteuid():
            os.fchown(folder, owner.st_uid, owner.st_gid)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        handle = os.open(name, flags, 0o600, dir_fd=folder)
        with open(path, "rb") as stream, os.fdopen(handle, "wb") as target:
            os.fchown(handle, owner.st_uid, owner.st_gid)
            _pour(stream, target)
    finally:
        os.close(folder)


def _pour(stream: t.BinaryIO, target: t.BinaryIO) -> None:
    for block in iter(lambda: stream.read(1 << 20), b""):
        target.write(block)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        folder, name = parent(path, follow=False)
        try:
            os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)


def _names(path: str) -> list[str]:
    """Return the names in an archive of EMQX; raise ParseError for what is none."""
    try:
        with tarfile.open(path) as archive:
            names = archive.getnames()
    except (tarfile.TarError, EOFError) as error:
        raise ParseError(f"expected an archive of EMQX at {path}, found none: {error}") from None
    if not names or not re.fullmatch(r"[\w.-]+", names[0].partition("/")[0]):
        raise ParseError(f"expected an archive of EMQX at {path}, found {names[:1]} in it")
    return names


def _end(text: str) -> str:
    return " ".join(text.split())[-300:] or "nothing"
