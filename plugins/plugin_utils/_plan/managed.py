# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The line at the head of all files that this collection writes."""

from __future__ import annotations

MANAGED = "Managed by Ansible (mqttops.emqx): changes made here are lost."


def commented(sign: str = "#") -> str:
    """Return the line as a comment, in the form of Ansible's filter comment for #."""
    return f"{sign}\n{sign} {MANAGED}\n{sign}" if sign == "#" else f"{sign} {MANAGED}"
