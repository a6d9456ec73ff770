# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Lab hosts: Debian systems with systemd as PID 1 in containers of a private Podman storage."""
