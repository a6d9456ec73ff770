# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Directories of a node that are saved and put back, also where somebody else may write to them."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError, RefusedError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import saved
from ansible_collections.mqttops.emqx.plugins.module_utils._module import node_save
from ansible_collections.mqttops.emqx.plugins.modules import node_save as module
from ansible_collections.mqttops.emqx.tests.unit.plugins.modules.test_cluster_modules import Host


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    tree = tmp_path / "data"
    (tree / "mnesia").mkdir(parents=True)
    (tree / "mnesia" / "schema.DAT").write_text("old")
    (tree / "mnesia" / "schema.DAT").chmod(0o640)
    (tree / "loop").symlink_to("/etc/shadow")
    tree.chmod(0o750)
    return tree


def call(tree: Path, state: str = "saved", check_mode: bool = False) -> dict[str, t.Any]:
    params = {
        "state": state,
        "path": str(tree.parent / "copies" / "emqx"),
        "trees": [str(tree)],
        "version": "5.8.8",
        "package": "emqx.deb",
    }
    return node_save.run(params, check_mode)


def content(tree: Path) -> dict[str, str]:
    return {
        str(path.relative_to(tree)): path.read_text()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def test_what_was_saved_comes_back_and_what_was_there_is_kept(tree: Path) -> None:
    assert call(tree)["version"] == "5.8.8"
    (tree / "mnesia" / "schema.DAT").write_text("new")
    (tree / "more").write_text("written since")
    tree.chmod(0o700)
    result = call(tree, "restored")
    assert (result["changed"], result["version"]) == (True, "5.8.8")
    aside = Path(result["aside"][0])
    assert content(aside) == {"mnesia/schema.DAT": "new", "more": "written since"}
    assert stat.S_IMODE(aside.stat().st_mode) == 0o700
    found = {name: text for name, text in content(tree).items() if not name.startswith(".")}
    assert found == {"mnesia/schema.DAT": "old"}
    assert os.readlink(tree / "loop") == "/etc/shadow"
    assert stat.S_IMODE(tree.stat().st_mode) == 0o750
    assert stat.S_IMODE((tree / "mnesia" / "schema.DAT").stat().st_mode) == 0o640


def test_only_root_may_look_at_a_copy(tree: Path) -> None:
    call(tree)
    place = tree.parent / "copies" / "emqx"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert saved.manifest(str(place))["trees"] == {str(tree): "0.tar"}


def test_the_next_copy_takes_the_place_of_the_last_one(tree: Path) -> None:
    call(tree)
    (tree / "mnesia" / "schema.DAT").write_text("newer")
    call(tree)
    (tree / "mnesia" / "schema.DAT").write_text("newest")
    call(tree, "restored")
    assert content(tree)["mnesia/schema.DAT"] == "newer"
    assert os.listdir(tree.parent / "copies") == ["emqx"]


def test_a_copy_that_fails_leaves_the_last_one(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call(tree)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(node_save, "search_path", lambda: "/nowhere")
    with pytest.raises((EmqxError, OSError)):
        call(tree)
    monkeypatch.undo()
    call(tree, "restored")
    assert content(tree)["mnesia/schema.DAT"] == "old"


def test_what_was_cut_short_is_finished(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call(tree)
    (tree / "mnesia" / "schema.DAT").write_text("new")
    real = os.rename
    calls = []

    def cut(*args: t.Any, **options: t.Any) -> None:
        calls.append(args)
        # What is there was put aside, and one of two came back.
        if len(calls) > 3:
            raise KeyboardInterrupt
        real(*args, **options)

    monkeypatch.setattr(os, "rename", cut)
    with pytest.raises(KeyboardInterrupt):
        call(tree, "restored")
    monkeypatch.undo()
    assert saved.manifest(str(tree.parent / "copies" / "emqx"))["state"] == node_save.RESTORING
    call(tree, "restored")
    assert saved.manifest(str(tree.parent / "copies" / "emqx"))["state"] == node_save.RESTORED
    found = content(tree)
    assert found["mnesia/schema.DAT"] == "old"
    assert found[f"{node_save.ASIDE}/mnesia/schema.DAT"] == "new"
    assert os.readlink(tree / "loop") == "/etc/shadow"


def test_nothing_is_put_back_from_what_is_no_copy(tree: Path) -> None:
    with pytest.raises(RefusedError, match="nothing to put back"):
        call(tree, "restored")
    place = tree.parent / "copies" / "emqx"
    place.mkdir(parents=True)
    (place / saved.MANIFEST).write_text("[1")
    with pytest.raises(RefusedError, match="expected a copy"):
        call(tree, "restored")
    assert content(tree) == {"mnesia/schema.DAT": "old"}


def test_check_mode_copies_nothing(tree: Path) -> None:
    assert call(tree, check_mode=True)["changed"] is True
    assert not (tree.parent / "copies").exists()


def test_the_room_is_measured_without_following_links(tree: Path) -> None:
    (tree / "elsewhere").symlink_to("/usr")
    assert saved.tree_bytes(str(tree)) == 3
    assert saved.tree_bytes("/nowhere/at/all") == 0
    asked = {"place": str(tree / "copies"), "trees": [str(tree)], "downloads": str(tree)}
    found = saved.read(asked)
    assert found["sizes"] == {str(tree): 3}
    assert found["saved"] == {} and found["free"] > 0
    assert "mnesia" in found["kept"]
    assert saved.read({}) == {}


def test_the_module(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    host = Host(monkeypatch, capfd)
    args = {"path": str(tree.parent / "copies" / "emqx"), "trees": [str(tree)]}
    assert host.run(module, args)["changed"] is True
    assert host.run(module, {**args, "state": "restored"})["aside"] == [f"{tree}/.mqttops-aside"]
    failed = host.run(module, {**args, "trees": ["/nowhere/at/all"]})
    assert failed["msg"].startswith("Copying the directories of the node failed: ")
    failed = host.run(module, {**args, "trees": ["/other"], "state": "restored"})
    assert failed["failure"]["code"] == "refused"
