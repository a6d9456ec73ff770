# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Lab hosts for demo and scenarios: see README.md beside this file."""

import runpy

runpy.run_module("hostlab", run_name="__main__")
