# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tuning import plan


def tuning_plan_filter(
    current: dict[str, t.Any], wanted: dict[str, t.Any], reserved_ports: list[int]
) -> dict[str, t.Any]:
    """Hand the arguments to the pure function."""
    try:
        return plan(current, wanted, reserved_ports)
    except InputError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tuning_plan": tuning_plan_filter}
