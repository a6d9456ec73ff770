# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Backups as files of the control node."""

from __future__ import annotations

import json
import tarfile
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from schemas import check

from ansible_collections.mqttops.emqx.plugins.action import backup_archive
from ansible_collections.mqttops.emqx.tests.unit.plugins.action.test_plans import Run

EXPORTED = {
    "version": "5.8.9",
    "edition": "opensource",
    "holds": {"banned": 3},
    "roots": ["mqtt"],
}
HERE = {"version": "5.8.9", "edition": "opensource"}


@pytest.fixture(name="given")
def _given(tmp_path: Path) -> dict[str, t.Any]:
    staging = tmp_path / "staging"
    staging.mkdir()
    (staging / "data.tar.gz").write_bytes(b"the data")
    (staging / "n1.tar").write_bytes(b"the files")
    (tmp_path / "cookie").write_text("the cookie")
    return {
        "path": str(tmp_path / "kept"),
        "cluster": "plant",
        "staging": str(staging),
        "exported": EXPORTED,
        "nodes": ["n1"],
        "secrets": [str(tmp_path / "cookie"), str(tmp_path / "missing")],
        "keep": 3,
    }


def opened(given: dict[str, t.Any], tmp_path: Path, **other: t.Any) -> dict[str, t.Any]:
    into = tmp_path / "into"
    into.mkdir(exist_ok=True)
    asked = {"state": "opened", "path": given["path"], "cluster": "plant", "staging": str(into)}
    return Run(backup_archive)(**{**asked, **HERE, **other})


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_was_saved_comes_back(
    given: dict[str, t.Any], tmp_path: Path, encrypted: bool
) -> None:
    word = tmp_path / "word"
    word.write_text("a word\n")
    password = {"vault_password_file": str(word)} if encrypted else {}
    made = Run(backup_archive)(**given, **password)
    path = Path(made["path"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (b"the cookie" in path.read_bytes()) is not encrypted
    found = opened(given, tmp_path, **password)
    assert (found["path"], found["holds"], found["errors"]) == (str(path), {"banned": 3}, [])
    data = tmp_path / "into/data.tar.gz"
    assert data.read_bytes() == b"the data" and data.stat().st_mode & 0o777 == 0o600


def test_a_password_is_asked_for_and_compared(given: dict[str, t.Any], tmp_path: Path) -> None:
    word, wrong = tmp_path / "word", tmp_path / "wrong"
    word.write_text("a word\n")
    wrong.write_text("another\n")
    Run(backup_archive)(**given, vault_password_file=str(word))
    with pytest.raises(AnsibleActionFail, match="is encrypted: set emqx_backup_vault"):
        opened(given, tmp_path)
    with pytest.raises(AnsibleActionFail, match="is not decrypted by the password"):
        opened(given, tmp_path, vault_password_file=str(wrong))
    with pytest.raises(AnsibleActionFail, match="cannot be read"):
        Run(backup_archive)(**given, vault_password_file=str(tmp_path / "none"))


def test_the_manifest_is_as_its_schema_says(given: dict[str, t.Any]) -> None:
    with tarfile.open(Run(backup_archive)(**given)["path"]) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        found = json.loads(manifest.read())
    check("backup", found)
    assert set(found["files"]) == {"data.tar.gz", "nodes/n1.tar", "secrets/cookie"}


def test_nothing_is_left_of_a_backup_that_failed(
    given: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AnsibleActionFail, match="No space left"):
        Run(backup_archive)(**given)
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_cluster_that_holds_something_is_named(given: dict[str, t.Any], tmp_path: Path) -> None:
    Run(backup_archive)(**given)
    (error,) = opened(given, tmp_path, held=["3 banned"])["errors"]
    assert "found 3 banned" in error and "emqx_restore_overwrite" in error
    assert opened(given, tmp_path, held=["3 banned"], overwrite=True)["errors"] == []


def test_where_there_is_none_it_is_said(given: dict[str, t.Any], tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(AnsibleActionFail, match="a backup of the cluster plant"):
        opened(given, tmp_path)
    with pytest.raises(AnsibleActionFail, match="found no file"):
        opened({**given, "path": str(tmp_path / "gone.tar")}, tmp_path)
