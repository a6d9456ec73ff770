# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""The one error of the lab."""

from __future__ import annotations


class LabError(Exception):
    """Something the user can act on; the text says what was expected, found, and what to do."""
