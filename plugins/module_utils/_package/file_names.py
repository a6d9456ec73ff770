# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""How the vendor names the files of packages."""

from __future__ import annotations


def package_file(version: str, package: str, token: str, arch: str, suffix: str) -> str:
    """Return the vendor's file name, such as emqx-5.8.9-debian12-amd64.deb.

    ``suffix`` is deb, rpm or tar.gz.
    """
    return f"{package}-{version}-{token}-{arch}.{suffix}"


def package_format(path: str) -> str:
    """Return deb, rpm or tar.gz by how a file name or URL ends, "" where it is none of them."""
    for suffix in ("deb", "rpm", "tar.gz"):
        if path.endswith("." + suffix):
            return suffix
    return ""
