# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Archives of a release: releases/emqx_vars says what they hold (EMQX 5.0 to 6.3).

The whole file is read, as a cut is seen only at its end.
"""

from __future__ import annotations

import gzip
import re
import struct
import tarfile

from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import (
    PackageFacts,
    PackageFormat,
    Unreadable,
    expect_start,
)

_MAGIC = b"\x1f\x8b"
_MAX_VARS = _BLOCK = 1 << 20
# e_machine of ELF files.
_MACHINES = {0x3E: "amd64", 0xB7: "arm64"}


def read(path: str) -> PackageFacts:
    """Return what the release in an archive says of itself; see PackageFormat."""
    with open(path, "rb") as stream:
        expect_start(stream.read(512), _MAGIC, "a tar.gz")
    found: list[str] = []
    arch = ""
    # Of the two it is gzip that notices a cut or a damage wherever it is.
    with gzip.open(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            if re.search(r"(^|/)releases/emqx_vars$", member.name):
                found.append(content.read(_MAX_VARS).decode("utf-8", "replace"))
            elif re.search(r"(^|/)erts-[^/]+/bin/beam\.smp$", member.name):
                arch = _machine(content.read(20))
        while unpacked.read(_BLOCK):
            pass
    if len(found) != 1:
        raise Unreadable(f"it holds {len(found) or 'no'} EMQX releases (releases/emqx_vars)")
    return PackageFacts(
        format="tar.gz", name=_name(found[0]), version=_value(found[0], "REL_VSN"), arch=arch
    )


def _value(text: str, name: str) -> str:
    match = re.search(rf'^{name}="?([^"\s]+)"?', text, re.MULTILINE)
    return match.group(1) if match else ""


def _name(text: str) -> str:
    enterprise = _value(text, "IS_ENTERPRISE")
    return {"yes": "emqx-enterprise", "no": "emqx"}.get(enterprise, "")


def _machine(head: bytes) -> str:
    if len(head) < 20 or not head.startswith(b"\x7fELF"):
        return ""
    order = "<" if head[5] == 1 else ">"
    return _MACHINES.get(struct.unpack(f"{order}H", head[18:20])[0], "")


TARGZ = PackageFormat(suffix="tar.gz", kind="tarball", tasks="tar.gz.yml", read=read)
