# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from hostlab import image, recipe
from hostlab.errors import LabError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rootfs/etc").mkdir(parents=True)
    (tmp_path / "build.sh").write_text("#!/bin/sh\n")
    (tmp_path / "rootfs/etc/motd").write_text("hello")
    return tmp_path


def key(folder: Path, names: tuple[str, ...] = ("a", "b"), architecture: str = "amd64") -> str:
    return recipe.key(folder, names, architecture)


def test_key_is_the_same_for_the_same_recipe(folder: Path) -> None:
    first = key(folder)
    (folder / "build.sh").touch()
    assert key(folder) == first
    assert len(first) == 16


def test_key_changes_with_everything_that_matters(folder: Path) -> None:
    seen = [key(folder), key(folder, ("a",)), key(folder, ("ab",)), key(folder, architecture="arm")]
    (folder / "rootfs/etc/motd").write_text("hello!")
    seen.append(key(folder))
    (folder / "build.sh").chmod(0o755)
    seen.append(key(folder))
    (folder / "rootfs/etc/motd").rename(folder / "rootfs/etc/issue")
    seen.append(key(folder))
    assert len(set(seen)) == len(seen)


def test_content_cannot_pass_for_another_file(tmp_path: Path) -> None:
    for name, files in {"one": {"a": "xb", "b": ""}, "two": {"a": "x", "b": "b"}}.items():
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_text(content)
    assert key(tmp_path / "one") != key(tmp_path / "two")


def test_packages_keeps_order_and_drops_repeats(tmp_path: Path) -> None:
    file = tmp_path / "packages.toml"
    file.write_text('[hosts]\nx = ["b", "a"]\ny = ["a", "c"]\n[machine]\nz = ["d"]\n')
    assert recipe.packages(file, "hosts") == ["b", "a", "c"]
    with pytest.raises(LabError, match=r"table \[absent\] is missing"):
        recipe.packages(file, "absent")


@pytest.mark.parametrize("table", ["machine", "hosts"])
def test_the_packages_of_this_repository_can_be_read(table: str) -> None:
    assert "erlang-mnesia" in recipe.packages(image.PACKAGES, table)
