# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Kill ansible-playbook where KILL_AFTER tasks have changed something and the next one begins."""

from __future__ import annotations

import os
import signal
import typing as t

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Ends the run as a power cut does: nothing of it gets to say goodbye."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kill_after"

    def __init__(self) -> None:
        super().__init__()
        self._after = int(os.environ["KILL_AFTER"])
        self._changed: set[str] = set()

    def v2_runner_on_ok(self, result: t.Any, **_kwargs: t.Any) -> None:
        if result.is_changed():
            self._changed.add(result.task._uuid)

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        if len(self._changed) >= self._after:
            os.kill(os.getpid(), signal.SIGKILL)
