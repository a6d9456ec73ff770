# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What all files have that this collection writes: the line at the head, and how to know them."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._host.rights import is_as_desired
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Directory,
    HostState,
    ManagedFile,
)

MANAGED = "Managed by Ansible (mqttops.emqx): changes made here are lost."


def commented(sign: str = "#") -> str:
    """Return the line as a comment, in the form of Ansible's filter comment for #."""
    return f"{sign}\n{sign} {MANAGED}\n{sign}" if sign == "#" else f"{sign} {MANAGED}"


def is_current(item: ManagedFile | Directory, host: HostState) -> bool:
    """Tell whether a host has a file or directory with content, owner, group and mode as desired.

    Raises InputError for a mode that is none.
    """
    return is_as_desired(vars(item), vars(host.file(item.path)))
