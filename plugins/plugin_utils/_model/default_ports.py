# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The ports that nodes take clients on by default, and what the number of an instance adds."""

from __future__ import annotations

# The listeners that EMQX opens by default, and its dashboard.
LISTENERS: dict[str, int] = {"tcp": 1883, "ssl": 8883, "ws": 8083, "wss": 8084}
DASHBOARD_PORT = 18083
# What the number of an instance moves them by. A step of one would put ws onto wss; up to the
# highest number no two of them, nor the ports between the nodes, meet on one server.
LISTENER_STEP = 10
MAX_INSTANCE = 79
