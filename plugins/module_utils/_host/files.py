# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Read files as root without trusting who may write beside them.

The user that runs EMQX owns its data and logs. What stands there may be a pipe that never ends,
a link to a file that only root may read, or larger than the memory: a link is followed only where
root or the caller made it, nothing but a plain file is opened, and reading ends at a limit.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import hashlib
import os
import pwd
import stat
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

# Bytes. No configuration comes near it; a larger file is cut off there.
READ_LIMIT = 4 << 20
# No file that a deployment writes comes near it: a larger one is another than it should be.
_CHECKSUM_LIMIT = 64 << 20
_MOST_LINKS = 40
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NO_STATE = dict.fromkeys(("mode", "owner", "group", "uid", "gid", "sha256"), "")


class UntrustedError(OSError):
    """A path leads over a link of somebody else's, or to something that is no plain file."""


ABSENT = (FileNotFoundError, NotADirectoryError, UntrustedError)


def trusted() -> t.Container[int]:
    """Return the users whose links are followed."""
    return (0, os.geteuid())


def parent(path: str, make: bool = False, follow: bool = True) -> tuple[int, str]:
    """Return an open directory and the name that a path has in it; what it names need not exist.

    With ``make``, missing directories are made. Without ``follow``, a link at the end of the path
    stands for itself. Raise UntrustedError for a link of somebody else's on the way.
    """
    parts = [part for part in os.path.abspath(path).split("/")[::-1] if part]
    links = 0
    folder = os.open("/", _DIRECTORY)
    try:
        while parts:
            name = parts.pop()
            target = _link(folder, name, path) if parts or follow else None
            if target is not None:
                links += 1
                if links > _MOST_LINKS:
                    raise UntrustedError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                parts += [part for part in target.split("/")[::-1] if part]
                folder = enter(folder, "/") if target.startswith("/") else folder
            elif not parts:
                return folder, name
            else:
                if make:
                    make_directory(folder, name, 0o755)
                folder = enter(folder, name)
    except BaseException:
        os.close(folder)
        raise
    return folder, "."


def _link(folder: int, name: str, path: str) -> str | None:
    """Return where a link leads, None for what is none."""
    try:
        # What is looked at is what is read, whoever exchanges it meanwhile.
        entry = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        info = os.fstat(entry)
        if not stat.S_ISLNK(info.st_mode):
            return None
        if info.st_uid not in trusted():
            raise UntrustedError(errno.ELOOP, "a link of another user is not followed", path)
        return os.readlink("", dir_fd=entry)
    finally:
        os.close(entry)


def enter(folder: int, name: str) -> int:
    """Return a directory in an open one, which is closed."""
    inner = os.open(name, _DIRECTORY, dir_fd=folder)
    os.close(folder)
    return inner


def make_directory(folder: int, name: str, mode: int) -> None:
    """Make a directory in an open one, unless there is something by that name."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, mode, dir_fd=folder)


def open_plain(path: str) -> t.BinaryIO:
    """Return a plain file open for reading; raise UntrustedError for anything else."""
    folder, name = parent(path)
    try:
        # Opening a pipe must not wait for a writer.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        # A socket, or a link that took the file's place a moment ago.
        if error.errno in (errno.ENXIO, errno.ELOOP):
            raise UntrustedError(errno.EINVAL, "not a plain file", path) from None
        raise
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UntrustedError(errno.EINVAL, "not a plain file", path)
    return os.fdopen(handle, "rb")


def read_text(path: str, limit: int = READ_LIMIT, end: bool = False) -> str | None:
    """Return the text of at most ``limit`` bytes of a file, those at its end with ``end``.

    None stands for what is not there or not to be trusted.
    """
    try:
        with open_plain(path) as stream:
            if end:
                size = os.fstat(stream.fileno()).st_size
                stream.seek(max(0, size - limit))
            return stream.read(limit).decode("utf-8", "replace")
    except ABSENT:
        return None


def names_in(path: str) -> list[str]:
    """Return what is in a directory, sorted; nothing where it is none or not to be trusted."""
    try:
        folder = enter(*parent(path))
    except ABSENT:
        return []
    try:
        return sorted(os.listdir(folder))
    finally:
        os.close(folder)


def file_state(path: str) -> Json:
    """Return ``exists`` and, for what exists, ``mode`` ("0640"), ``owner`` and ``group`` (names),
    ``uid`` and ``gid`` (as text) and, for a plain file, ``sha256``.

    Of what is not to be trusted it is only known that it exists.
    """
    try:
        folder, name = parent(path)
        try:
            info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(folder)
    except UntrustedError:
        return {"exists": True, **_NO_STATE}
    except (FileNotFoundError, NotADirectoryError):
        return {"exists": False, **_NO_STATE}
    return {
        "exists": True,
        "mode": f"{stat.S_IMODE(info.st_mode):04o}",
        "owner": _name(pwd.getpwuid, info.st_uid),
        "group": _name(grp.getgrgid, info.st_gid),
        "uid": str(info.st_uid),
        "gid": str(info.st_gid),
        "sha256": checksum(path) if stat.S_ISREG(info.st_mode) else "",
    }


def _name(lookup: t.Callable[[int], t.Any], number: int) -> str:
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def checksum(path: str, limit: int = _CHECKSUM_LIMIT) -> str:
    """Return the SHA-256 of a file, "" for one that is larger than ``limit`` bytes or not there."""
    try:
        with open_plain(path) as stream:
            return digest(stream) if os.fstat(stream.fileno()).st_size <= limit else ""
    except ABSENT:
        return ""


def digest(stream: t.BinaryIO) -> str:
    """Return the SHA-256 of what is left of a stream."""
    found = hashlib.sha256()
    for block in iter(lambda: stream.read(1 << 20), b""):
        found.update(block)
    return found.hexdigest()
