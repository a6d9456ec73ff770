# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest
import shipped


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, without what Git ignores."""
    target = tmp_path_factory.mktemp("tree") / "emqx"
    shipped.copy(target)
    return target


@pytest.fixture(scope="session")
def archive(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each file of the archive."""
    return shipped.contents(shipped.build(tree, tmp_path_factory.mktemp("archive")))
