# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Debian packages: an ar archive of debian-binary, control.tar.* and data.tar.* (deb(5))."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
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

_MAGIC = b"!<arch>\n"
_HEADER = 60
_MAX_CONTROL = 16 << 20
# How Python names what control.tar may be packed with; what it cannot read is left to dpkg-deb.
_MODES: dict[str, t.Literal["r:", "r:gz", "r:xz"]] = {
    "control.tar": "r:",
    "control.tar.gz": "r:gz",
    "control.tar.xz": "r:xz",
}


def read(path: str) -> PackageFacts:
    """Return what the control file of a package says; see PackageFormat."""
    with open(path, "rb") as stream:
        expect_start(stream.read(512), _MAGIC, "a deb")
        members = dict(_members(stream, os.path.getsize(path)))
        control = next((name for name in members if name.startswith("control.tar")), "")
        if not control or not any(name.startswith("data.tar") for name in members):
            raise Unreadable("it is an ar archive without the parts of a deb, or cut off")
        offset, size = members[control]
        stream.seek(offset)
        packed = stream.read(min(size, _MAX_CONTROL))
    fields = _fields(_control(packed, _MODES[control]) if control in _MODES else _asked(path))
    return PackageFacts(
        format="deb",
        name=fields.get("Package", ""),
        version=vendor_version(fields.get("Version", "")),
        arch=ARCHITECTURES.get(fields.get("Architecture", ""), fields.get("Architecture", "")),
    )


def _members(stream: t.BinaryIO, size: int) -> t.Iterator[tuple[str, tuple[int, int]]]:
    """Yield the name, offset and size of each part; raise Unreadable where one is cut off."""
    offset = len(_MAGIC)
    while offset < size:
        stream.seek(offset)
        header = stream.read(_HEADER)
        length = header[48:58].decode("ascii", "replace").strip()
        if len(header) < _HEADER or not header.endswith(b"`\n") or not length.isdigit():
            raise Unreadable(f"it is damaged or cut off after {offset} bytes")
        start = offset + _HEADER
        if start + int(length) > size:
            raise Unreadable(f"it is cut off: {size} of at least {start + int(length)} bytes")
        yield header[:16].decode("ascii", "replace").strip().rstrip("/"), (start, int(length))
        # Each part begins at an even offset.
        offset = start + int(length) + int(length) % 2


def _control(packed: bytes, mode: t.Literal["r:", "r:gz", "r:xz"]) -> str:
    with tarfile.open(fileobj=io.BytesIO(packed), mode=mode) as archive:
        for member in archive:
            if member.isfile() and member.name in ("control", "./control"):
                content = archive.extractfile(member)
                return content.read(_MAX_CONTROL).decode("utf-8", "replace") if content else ""
    raise Unreadable("it is a deb without a control file")


def _asked(path: str) -> str:
    """Return the control file as dpkg-deb shows it, "" where this machine has none."""
    command = shutil.which("dpkg-deb")
    if command is None:
        return ""
    argv = [command, "--field", path]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise Unreadable("dpkg-deb cannot read it")
    return done.stdout.decode("utf-8", "replace")


def _fields(control: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in control.splitlines() if line[:1].strip())
    return {name: value.strip() for name, _colon, value in pairs}


DEB = PackageFormat(suffix="deb", kind="package", tasks="deb.yml", read=read)
