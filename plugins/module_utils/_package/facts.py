# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a package file says of itself, read without installing it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class PackageFacts:
    """``name`` is emqx, emqx-enterprise or another product's; ``arch`` amd64, arm64 or another;
    ``format`` deb, rpm or tar.gz by the file's name. What could not be read is "". ``problem`` says
    why the file is not what its name promises, "" where it is.
    """

    format: str
    name: str = ""
    version: str = ""
    arch: str = ""
    problem: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return its JSON form."""
        return dict(vars(self))


@dataclass(frozen=True)
class PackageFormat:
    """A format of package files: all that is known of it.

    ``suffix`` ends the file's name, ``kind`` is package or tarball, ``tasks`` the file of the role
    that installs it; ``read`` raises Unreadable, OSError or what its decompressor raises.
    """

    suffix: str
    kind: str
    tasks: str
    read: t.Callable[[str], PackageFacts]


class Unreadable(Exception):
    """A package file that is not what its name promises; the text says what it is instead."""


_KNOWN_STARTS = (
    (b"!<arch>\n", "a deb or another ar archive"),
    (b"\xed\xab\xee\xdb", "an rpm"),
    (b"\x1f\x8b", "a file packed with gzip"),
    (b"\xfd7zXZ\x00", "a file packed with xz"),
    (b"\x28\xb5\x2f\xfd", "a file packed with zstd"),
    (b"PK\x03\x04", "a zip archive"),
)


def expect_start(head: bytes, magic: bytes, what: str) -> None:
    """Raise Unreadable where a file does not begin as ``what`` does."""
    if head.startswith(magic):
        return
    raise Unreadable(f"it is {_described(head)} and not {what}")


def _described(head: bytes) -> str:
    if not head:
        return "empty"
    for start, words in _KNOWN_STARTS:
        if head.startswith(start):
            return words
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        return "a web page, as a server sends for an error or a login,"
    if text.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS"
    return "text" if all(byte >= 32 or byte in b"\t\r\n" for byte in head) else "other data"
