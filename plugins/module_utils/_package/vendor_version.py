# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The version of an installed package or of a package file, as the vendor writes it."""

from __future__ import annotations

import re

# Without epoch and revision. A pre-release is 6.3.0-beta.2 in deb, 6.3.0_beta.2 in rpm packages
# (EMQX deploy/packages).
_VERSION = re.compile(
    r"(?:\d+:)?(?P<number>\d+\.\d+\.\d+)(?:[-_~](?P<pre>(?:alpha|beta|rc)[.\d]*))?"
)


def vendor_version(version: str) -> str:
    """Return a package's version as the vendor writes it.

    >>> vendor_version("6.3.0_beta.2-1.el9")
    '6.3.0-beta.2'
    """
    match = _VERSION.match(version)
    if match is None:
        return version
    return match.group("number") + (f"-{match.group('pre')}" if match.group("pre") else "")
