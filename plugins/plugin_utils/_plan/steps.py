# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A step of a plan, as a run prints it before it is taken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """What is done on a host: ``text`` says it to people, ``reason`` why."""

    host: str
    kind: str
    text: str
    reason: str = ""
