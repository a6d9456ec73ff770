# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Builds small package files, byte by byte."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import typing as t


def tar(files: t.Mapping[str, bytes], mode: t.Literal["w", "w:gz", "w:xz"] = "w") -> bytes:
    """Return a tar archive; ``mode`` is w, w:gz or w:xz."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


_PACKED: dict[str, t.Literal["w", "w:gz", "w:xz"]] = {"": "w", "gz": "w:gz", "xz": "w:xz"}


def deb(
    name: str = "emqx", version: str = "5.8.9", arch: str = "amd64", packed: str = "gz"
) -> bytes:
    control = f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nDescription: a\n b\n"
    suffix = f".{packed}" if packed else ""
    return ar(
        {
            "debian-binary": b"2.0\n",
            f"control.tar{suffix}": tar({"./control": control.encode()}, _PACKED[packed]),
            "data.tar.xz": tar({"./usr/bin/emqx": b"#!/bin/sh\n" * 50}, "w:xz"),
        }
    )


def ar(members: t.Mapping[str, bytes]) -> bytes:
    text = b"!<arch>\n"
    for name, content in members.items():
        text += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        text += content + b"\n" * (len(content) % 2)
    return text


def rpm(name: str = "emqx", version: str = "5.8.9", arch: str = "x86_64") -> bytes:
    header = _header({1000: name.encode(), 1001: version.encode(), 1022: arch.encode()})
    payload = b"payload" * 20
    signature = _header({1000: struct.pack(">I", len(header) + len(payload))})
    signature += b"\0" * (-(96 + len(signature)) % 8)
    return b"\xed\xab\xee\xdb\x03\x00".ljust(96, b"\0") + signature + header + payload


def _header(tags: t.Mapping[int, bytes]) -> bytes:
    index, store = b"", b""
    for tag, value in tags.items():
        index += struct.pack(">IIII", tag, 6, len(store), 1)
        store += value + b"\0"
    return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(tags), len(store)) + index + store


def targz(
    version: str = "5.8.9", enterprise: str = "no", machine: int = 0x3E, root: str = "./"
) -> bytes:
    variables = f'REL_VSN="{version}"\nIS_ENTERPRISE="{enterprise}"\n'
    elf = b"\x7fELF\x02\x01" + b"\0" * 12 + struct.pack("<H", machine)
    files = {
        f"{root}erts-13.2/bin/beam.smp": elf,
        f"{root}releases/emqx_vars": variables.encode(),
        f"{root}lib/a": bytes(range(256)) * 40,
    }
    return gzip.compress(tar(files))
