# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.tests.unit.runs import Run


@pytest.fixture
def built() -> Run:
    """Three hosts with a cluster that is as it is to be."""
    run = Run(3)
    run.converge()
    return run
