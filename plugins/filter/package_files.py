# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._host.packages import package_file


def package_files_filter(paths: list[str]) -> dict[str, t.Any]:
    """Read the packages on the control node."""
    try:
        return {path: package_file(path) for path in paths}
    except OSError as error:
        raise AnsibleFilterError(f"package_files: {error}") from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"package_files": package_files_filter}
