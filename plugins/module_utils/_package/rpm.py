# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""RPM packages: a lead, a signature header and a header of tags before the payload (format 4)."""

from __future__ import annotations

import os
import struct
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import (
    ARCHITECTURES,
    PackageFacts,
    PackageFormat,
    Unreadable,
    expect_start,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._package.vendor_version import (
    vendor_version,
)

_LEAD = 96
_MAGIC = b"\xed\xab\xee\xdb"
_HEADER_MAGIC = b"\x8e\xad\xe8\x01"
_MAX_HEADER = 64 << 20
_NAME, _VERSION, _ARCH = 1000, 1001, 1022
# Of the signature: the bytes from its end to that of the file, in 4 or in 8 bytes.
_SIZE, _LONG_SIZE = 1000, 270

Tags = t.Dict[int, t.Tuple[int, int]]


def read(path: str) -> PackageFacts:
    """Return what the header of a package says; see PackageFormat."""
    with open(path, "rb") as stream:
        expect_start(stream.read(_LEAD), _MAGIC, "an rpm")
        signature, store = _header(stream, _LEAD)
        # The header begins at a multiple of 8 bytes.
        begin = (stream.tell() + 7) // 8 * 8
        _check_size(signature, store, begin, os.path.getsize(path))
        tags, store = _header(stream, begin)
    arch = _text(tags, store, _ARCH)
    return PackageFacts(
        format="rpm",
        name=_text(tags, store, _NAME),
        version=vendor_version(_text(tags, store, _VERSION)),
        arch=ARCHITECTURES.get(arch, arch),
    )


def _header(stream: t.BinaryIO, begin: int) -> tuple[Tags, bytes]:
    """Return the tags of a header (tag -> offset in the store and count) and their store."""
    stream.seek(begin)
    intro = stream.read(16)
    if len(intro) < 16 or not intro.startswith(_HEADER_MAGIC):
        raise Unreadable(f"it is damaged or cut off after {begin} bytes")
    entries, length = struct.unpack(">II", intro[8:])
    if entries * 16 + length > _MAX_HEADER:
        raise Unreadable("its header is damaged")
    index, store = stream.read(entries * 16), stream.read(length)
    if len(index) < entries * 16 or len(store) < length:
        raise Unreadable("it is cut off within its header")
    records = struct.iter_unpack(">IIII", index)
    return {tag: (offset, count) for tag, _type, offset, count in records}, store


def _check_size(signature: Tags, store: bytes, begin: int, size: int) -> None:
    for tag, form in ((_SIZE, ">I"), (_LONG_SIZE, ">Q")):
        if tag in signature:
            offset = signature[tag][0]
            field = store[offset : offset + struct.calcsize(form)]
            if len(field) < struct.calcsize(form):
                raise Unreadable("its signature is damaged")
            expected = begin + struct.unpack(form, field)[0]
            if size < expected:
                raise Unreadable(f"it is cut off: {size} of {expected} bytes")


def _text(tags: Tags, store: bytes, tag: int) -> str:
    if tag not in tags:
        return ""
    return store[tags[tag][0] :].split(b"\x00", 1)[0].decode("utf-8", "replace")


RPM = PackageFormat(suffix="rpm", kind="package", tasks="rpm.yml", read=read)
