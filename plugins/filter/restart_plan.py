# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.restart import plan


def restart_plan_filter(states: dict[str, t.Any], last: list[str]) -> dict[str, t.Any]:
    """Hand the arguments to the pure function."""
    try:
        return plan(states, last)
    except InputError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restart_plan": restart_plan_filter}
