# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The body of the module node_evacuation: look, begin or end, look again."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError, WaitTimeout
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.evacuation import (
    OFF,
    UNKNOWN,
    Status,
    start,
    status,
    stop,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for

_NUMBERS = ("rate", "wait_health_check", "wait_takeover", "interval")


def check_input(params: Record) -> None:
    for name in _NUMBERS:
        if params[name] < 1:
            raise InputError(f"{name} is {params[name]}: expected at least 1")


def run(ctl: Ctl, params: Record, check_mode: bool) -> Json:
    """Return the result of the module; of a wait in vain the error says whether it changed."""
    serving = params["state"] == "serving"
    if params["may_be_down"] and ctl.is_down():
        return {"changed": False, "reached": True, "reason": "the node does not run"}
    act = _Act(ctl, params, serving)
    if check_mode:
        found = status(ctl, params["timeout"])
        changed = found.state not in (OFF, UNKNOWN) if serving else not found.is_empty
        return {"changed": changed, "reached": not changed, "reason": found.sentence}
    deadline = Deadline(params["timeout"])
    try:
        found = wait_for(act.look, act.is_reached, deadline, params["interval"])
    except WaitTimeout as error:
        raise WaitTimeout(error.message, last=error.last, changed=act.changed) from error
    return {"changed": act.changed, "reached": True, "reason": found.sentence}


class _Act:
    """Does what there is to do at each look, as a node may not have been up at the first."""

    def __init__(self, ctl: Ctl, params: Record, serving: bool) -> None:
        self._ctl, self._params, self._serving = ctl, params, serving
        self.changed = False

    def is_reached(self, found: Status) -> bool:
        return found.state == OFF if self._serving else found.is_empty

    def look(self, left: float) -> Status:
        found = status(self._ctl, left)
        if self._serving and found.state not in (OFF, UNKNOWN):
            stop(self._ctl, left)
            self.changed = True
            return status(self._ctl, left)
        if not self._serving and found.state == OFF:
            self.changed = True
            return start(self._ctl, self._params, left)
        return found
