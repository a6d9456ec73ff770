# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether a file has the desired content, owner, group and mode."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record


def is_as_desired(item: Record, state: Record) -> bool:
    """Tell whether content, owner, group and mode of a file are as desired.

    ``item`` has path, content (none for a directory), owner, group and mode; ``state`` is what was
    found at its path. Raises InputError for a mode that is none.
    """
    content = item.get("content")
    checksum = "" if content is None else hashlib.sha256(str(content).encode()).hexdigest()
    return has_rights(item, state) and checksum == state["sha256"]


def has_rights(item: Record, state: Record) -> bool:
    """Tell whether a file has the desired owner, group and mode."""
    # A number says the same as the name that it has on this host.
    return (
        f"{mode_bits(item['mode'], item['path']):04o}" == state["mode"]
        and str(item["owner"]) in (state["owner"], state["uid"])
        and str(item["group"]) in (state["group"], state["gid"])
    )


def mode_bits(mode: t.Any, path: str) -> int:
    """Return the number of an octal mode such as "0640"; raises InputError for another form."""
    # Four digits: 0640 without quotes is the number 416 in YAML.
    if not isinstance(mode, str) or not re.fullmatch("[0-7]{4}", mode):
        raise InputError(
            f"The mode of {path} is {mode!r}: expected four octal digits in quotes, such as '0640'."
        )
    return int(mode, 8)
