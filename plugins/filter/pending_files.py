# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import pending_files
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError


def pending_files_filter(files: list[dict[str, t.Any]], states: dict[str, t.Any]) -> list[str]:
    """Hand the arguments to the pure function."""
    try:
        return pending_files(files, states)
    except InputError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"pending_files": pending_files_filter}
