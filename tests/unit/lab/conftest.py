# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

# The lab is a program of the checkout, not a part of the collection.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lab"))
