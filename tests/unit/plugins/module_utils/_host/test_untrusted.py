# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the user that runs EMQX may put in place of a file: nothing of it is believed."""

from __future__ import annotations

import os
import socket
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import files, writing
from ansible_collections.mqttops.emqx.plugins.module_utils._host.config import Config, named_files
from ansible_collections.mqttops.emqx.plugins.module_utils._host.log_files import log_texts


@pytest.fixture
def no_own_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links of the user who runs the tests count as those of user emqx."""
    monkeypatch.setattr(files, "trusted", lambda: ())


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "shadow"
    path.write_text("root:hash")
    return path


def item(path: Path, **other: t.Any) -> dict[str, t.Any]:
    mine = {"owner": str(os.getuid()), "group": str(os.getgid()), "mode": "0640"}
    return {"path": str(path), "content": "new", **mine, **other}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


@pytest.mark.parametrize("make", [fifo, unix_socket, Path.mkdir], ids=["fifo", "socket", "dir"])
def test_only_plain_files_are_read(tmp_path: Path, make: t.Callable[[Path], None]) -> None:
    make(tmp_path / "x")
    assert files.read_text(f"{tmp_path}/x") is None
    assert files.file_state(f"{tmp_path}/x")["sha256"] == ""
    assert files.checksum(f"{tmp_path}/x") == ""


@pytest.mark.usefixtures("no_own_links")
def test_a_link_is_not_followed(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "emqx.log").symlink_to(secret)
    (tmp_path / "configs").symlink_to(tmp_path)
    for path in (tmp_path / "emqx.log", tmp_path / "configs/shadow"):
        assert files.read_text(str(path)) is None
        state = files.file_state(str(path))
        assert (state["exists"], state["sha256"]) == (True, "")
    assert files.names_in(f"{tmp_path}/configs") == []


def test_links_of_root_and_ones_own_are_followed(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "one").symlink_to("two/shadow")
    (tmp_path / "two").symlink_to(f"{tmp_path}/three/..")
    (tmp_path / "three").mkdir()
    assert files.read_text(f"{tmp_path}/one") == "root:hash"
    assert files.names_in(f"{tmp_path}/two") == ["one", "shadow", "three", "two"]


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert files.read_text(f"{tmp_path}/a") is None


def test_a_huge_file_is_read_to_a_limit(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as stream:
        stream.write(b"begin")
        stream.truncate(10 << 30)
        stream.seek(0, os.SEEK_END)
        stream.write(b"end")
    path = f"{tmp_path}/huge"
    assert files.read_text(path, 5) == "begin"
    assert files.read_text(path, 3, end=True) == "end"
    assert len(files.read_text(path) or "") == files.READ_LIMIT
    assert files.file_state(path)["sha256"] == ""


@pytest.mark.usefixtures("no_own_links")
def test_logs_that_are_none(tmp_path: Path, secret: Path) -> None:
    fifo(tmp_path / "emqx.log.1")
    (tmp_path / "emqx.log.2").symlink_to(secret)
    (tmp_path / "emqx.log.3").mkdir()
    (tmp_path / "emqx.log.4").write_text("first\nsecond\n")
    fifo(tmp_path / "erl_crash.dump")
    texts = log_texts(lambda _argv: (0, "x" * 99, ""), str(tmp_path), "emqx.service", 8)
    assert texts == {"emqx.log.4": "second\n", "journal of emqx.service": "x" * 8}


@pytest.mark.parametrize("text", ["a {" * 5000, "a = " + "9" * 9000, "\0\x1b[31m", "a = ${"])
def test_a_configuration_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/cluster.hocon").write_text(text)
    config = Config(str(tmp_path), str(tmp_path), f"{tmp_path}/env")
    assert config.error.startswith(f"{tmp_path}/configs/cluster.hocon: ")
    assert config.secrets() == set() and named_files(config) == []


class TestWriting:
    def test_a_link_in_place_of_a_file_is_replaced(self, tmp_path: Path, secret: Path) -> None:
        (tmp_path / "conf").symlink_to(secret)
        writing.write_files([item(tmp_path / "conf")])
        assert secret.read_text() == "root:hash"
        assert not (tmp_path / "conf").is_symlink()
        assert (tmp_path / "conf").read_text() == "new"
        assert (tmp_path / "conf").stat().st_mode & 0o7777 == 0o640

    @pytest.mark.usefixtures("no_own_links")
    def test_nothing_is_written_through_a_link_to_a_directory(
        self, tmp_path: Path, secret: Path
    ) -> None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "data").symlink_to("etc")
        with pytest.raises(OSError, match="a link of another user is not followed"):
            writing.write_files([item(tmp_path / "new"), item(tmp_path / "data/conf")])
        with pytest.raises(OSError, match="a link of another user is not followed"):
            writing.make_directories([item(tmp_path / "data")])
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "etc", "shadow"]
        assert list((tmp_path / "etc").iterdir()) == []

    def test_a_directory_in_place_of_a_file_stays(self, tmp_path: Path) -> None:
        (tmp_path / "conf").mkdir()
        with pytest.raises(IsADirectoryError):
            writing.write_files([item(tmp_path / "conf")])
        assert [path.name for path in tmp_path.iterdir()] == ["conf"]

    def test_directories(self, tmp_path: Path) -> None:
        for _again in range(2):
            writing.make_directories([item(tmp_path / "a/b", mode="0750")])
            assert (tmp_path / "a/b").stat().st_mode & 0o7777 == 0o750
