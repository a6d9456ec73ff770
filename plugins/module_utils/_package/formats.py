# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The formats of package files: one line each, and nothing else compares their names."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zlib

from ansible_collections.mqttops.emqx.plugins.module_utils._package.deb import DEB
from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import (
    PackageFacts,
    PackageFormat,
    Unreadable,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._package.rpm import RPM
from ansible_collections.mqttops.emqx.plugins.module_utils._package.targz import TARGZ

FORMATS: dict[str, PackageFormat] = {each.suffix: each for each in (DEB, RPM, TARGZ)}


def read(path: str) -> PackageFacts | None:
    """Return what a package file says of itself, None for a name of no known format.

    What is wrong with its content is said by ``problem``; OSError where it cannot be opened.
    """
    suffix = next((suffix for suffix in FORMATS if path.endswith(f".{suffix}")), "")
    if not suffix:
        return None
    try:
        return FORMATS[suffix].read(path)
    except Unreadable as error:
        return PackageFacts(format=suffix, problem=str(error))
    except (gzip.BadGzipFile, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError) as error:
        return PackageFacts(format=suffix, problem=f"it is damaged or cut off ({error})")
