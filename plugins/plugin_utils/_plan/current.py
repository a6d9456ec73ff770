# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether a host already has a file as it is to be."""

from __future__ import annotations

import hashlib

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    ManagedFile,
)


def is_current(file: ManagedFile, state: FileState) -> bool:
    """Tell whether content, owner, group and mode are as they are to be.

    A number says the same as the name that it has on the host.
    """
    return (
        hashlib.sha256(file.content.encode()).hexdigest() == state.sha256
        and file.mode == state.mode
        and file.owner in (state.owner, state.uid)
        and file.group in (state.group, state.gid)
    )
