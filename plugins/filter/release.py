# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import release


def release_filter(answer: dict[str, t.Any], wish: dict[str, t.Any]) -> dict[str, t.Any]:
    """Hand the arguments to the pure function."""
    try:
        return release(wish, answer)
    except InputError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"release": release_filter}
