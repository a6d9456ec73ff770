# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the module discovery_info asks a service: its options, and the answer."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import matching
from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.table import STRATEGIES
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError, WaitTimeout
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for

OPTIONS: Options = {
    "strategy": {"type": "str", "choices": list(STRATEGIES), "required": True},
    "settings": {"type": "dict", "required": True},
    "node": {"type": "str", "required": True},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "service_account": {"type": "path", "default": SERVICE_ACCOUNT},
    "timeout": {"type": "float", "default": 5},
    "settle": {"type": "float", "default": 0},
}


def read(params: Record) -> Json:
    """Return the answer of the module: ``discovery``.

    Raise InputError where this host lacks what it takes to ask.
    """
    name, settings = params["strategy"], params["settings"]
    strategy = STRATEGIES[name]
    lacks = strategy.lacks()
    if lacks:
        raise InputError(lacks)

    def ask(_left: float) -> Json:
        answer = strategy.ask(settings, params["timeout"], params["service_account"])
        return matching.report(name, settings, params["node"], params["nodes"], answer)

    try:
        found = wait_for(ask, matching.is_settled, Deadline(params["settle"]), interval=0.5)
    except WaitTimeout as error:
        found = dict(error.last)
    return {"discovery": found}
