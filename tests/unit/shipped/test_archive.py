# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the archive holds: all of the product, and nothing that tools leave in a checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

import shipped

PRODUCT = ("plugins", "roles", "playbooks", "meta", "docs", "LICENSES")
TOP = {"LICENSE", "README.md", "CHANGELOG.md", "requirements.txt", "bindep.txt"}
# What lints, tests, editors, runs and systems leave behind.
LEFT_BEHIND = (
    ".mypy_cache/3.11/plugins/x.data.json",
    ".ruff_cache/0.17.6/1",
    ".pytest_cache/README.md",
    ".hypothesis/examples/x",
    ".ansible/roles/x.yml",
    ".cache/venv/lib/x.py",
    ".emqx/emqxcl.cookie",
    ".venv/lib/x.yml",
    ".vault-password.yml",
    "importer_result.json",
    "inventory.yml",
    "mqttops-emqx-0.0.1.tar.gz",
    "docs/.emqx/emqxcl.cookie.yml",
    "docs/doctor.md~",
    "docs/examples/.emqx/x.yml",
    "playbooks/site.retry",
    "plugins/.mypy_cache/x.py",
    "plugins/modules/.DS_Store",
    "plugins/modules/.cluster_info.py.swp",
    "plugins/modules/__pycache__/cluster_info.cpython-311.pyc",
    "plugins/modules/cluster_info.py.orig",
    "roles/emqx/.ansible/x.yml",
    "roles/emqx/tasks/main.yml.bak",
    "tests/output/x.yml",
)
Contents = dict[str, "tuple[int, bytes]"]


def test_all_of_the_product_is_shipped(archive: Contents) -> None:
    assert shipped.tracked(*PRODUCT) | TOP <= archive.keys()


def test_nothing_else_is_shipped(archive: Contents) -> None:
    others = archive.keys() - shipped.tracked(*PRODUCT) - TOP
    assert others == {"MANIFEST.json", "FILES.json", "changelogs/changelog.yaml"}


def test_what_is_left_in_a_checkout_changes_nothing(
    archive: Contents, tree: Path, tmp_path: Path
) -> None:
    dirty = tmp_path / "emqx"
    shutil.copytree(tree, dirty)
    for name in LEFT_BEHIND:
        path = dirty / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left behind\n", encoding="utf-8")
    assert shipped.contents(shipped.build(dirty, tmp_path)) == archive
