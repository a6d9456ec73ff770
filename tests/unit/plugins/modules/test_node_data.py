# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""node_data as Ansible runs it, with a node whose command line is scripted."""

from __future__ import annotations

import io
import os
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mqttops.emqx.plugins.modules import node_data
from ansible_collections.mqttops.emqx.tests.unit.plugins.modules.test_cluster_modules import Host
from ansible_collections.mqttops.emqx.tests.unit.scripted import DOWN, N1, view

HELD = {"emqx_admin": 2, "emqx_retainer_message": 7, "emqx_delayed": 4}
NODE = view(N1, [N1], data=HELD, config="mqtt=1 rules=2")
NAME = "emqx-export-2026-12-01-00-15-45.308.tar.gz"
SUCCESS = (0, f"Data has been successfully exported to /data/backup/{NAME}.\n", "")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Host:
    # The user of the test owns what root and EMQX own on a host.
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    return Host(monkeypatch, capfd)


@pytest.fixture
def args(tmp_path: Path) -> dict[str, t.Any]:
    (tmp_path / "data/backup").mkdir(parents=True)
    return {"path": str(tmp_path / "taken.tar.gz"), "data_dir": str(tmp_path / "data")}


def exported(args: dict[str, t.Any], *names: str) -> Path:
    """Lay an archive where the node would have written it."""
    path = Path(args["data_dir"]) / "backup" / NAME
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"emqx-export/{name}"), io.BytesIO())
    return path


def test_an_export_is_moved_to_where_root_alone_may_read(
    host: Host, args: dict[str, t.Any]
) -> None:
    tables = ("mnesia/emqx_admin", "mnesia/emqx_retainer_message", "mnesia/emqx_other")
    left = exported(args, "META.hocon", "cluster.hocon", *tables)
    busy = view(N1, [N1], data={**HELD, "emqx_retainer_message": 5}, config="mqtt=9")
    result = host.run(node_data, args, ("eval", NODE), ("ctl data export", SUCCESS), ("eval", busy))
    assert result["holds"] == {"dashboard_users": 2, "retained_messages": 5}
    assert (result["roots"], result["version"], result["edition"]) == (
        ["mqtt"],
        "5.8.9",
        "opensource",
    )
    assert not left.exists()
    assert os.stat(args["path"]).st_mode & 0o777 == 0o600
    assert len(result["sha256"]) == 64


def test_success_is_not_taken_at_its_word(host: Host, args: dict[str, t.Any]) -> None:
    result = host.run(node_data, args, ("eval", NODE), ("ctl data export", SUCCESS))
    assert result["failed"] and "could not be handled" in result["msg"]
    left = exported(args, "META.hocon")
    result = host.run(node_data, args, ("eval", NODE), ("ctl data export", SUCCESS))
    assert result["msg"] == "the archive that EMQX made has no cluster.hocon"
    assert not left.exists()
    silent = (0, "", "[error] Data export failed, reason: enoent\n")
    result = host.run(node_data, args, ("eval", NODE), ("ctl data export", silent))
    assert result["msg"].endswith("[error] Data export failed, reason: enoent")


def test_a_link_in_the_place_of_an_export_is_not_followed(
    host: Host, args: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of root")
    (Path(args["data_dir"]) / "backup" / NAME).symlink_to(secret)
    # Links of the own user are followed: make it somebody else's.
    monkeypatch.setattr(
        "ansible_collections.mqttops.emqx.plugins.module_utils._host.files.trusted", lambda: ()
    )
    result = host.run(node_data, args, ("eval", NODE), ("ctl data export", SUCCESS))
    assert result["failed"] and "a link of another user" in result["msg"]
    assert secret.exists() and not Path(args["path"]).exists()


def wanted(args: dict[str, t.Any], **holds: int) -> dict[str, t.Any]:
    exported(args, "META.hocon").rename(args["path"])
    return {**args, "state": "imported", "holds": holds, "roots": ["rules"], "timeout": 1}


def test_an_import_ends_when_the_cluster_holds_it(host: Host, args: dict[str, t.Any]) -> None:
    empty = view(N1, [N1])
    given = {**wanted(args, dashboard_users=2), "node_data_dir": "/opt/emqx/data"}
    result = host.run(
        node_data,
        given,
        ("eval", empty),
        # The name of the file is that of the directory in it.
        ("ctl data import /opt/emqx/data/backup/emqx-export.tar.gz", (0, "imported\n", "")),
        ("eval", empty),
        ("eval", NODE),
    )
    assert result["holds"]["dashboard_users"] == 2
    assert (result["fewer"], result["unset"]) == ({}, [])
    assert list((Path(args["data_dir"]) / "backup").iterdir()) == []


def test_what_has_ended_meanwhile_is_said(host: Host, args: dict[str, t.Any]) -> None:
    given = {**wanted(args, retained_messages=9), "roots": ["rules", "license"]}
    result = host.run(
        node_data, given, ("eval", NODE), ("ctl data import", (0, "", "")), ("eval", NODE)
    )
    assert (result["fewer"], result["unset"]) == ({"retained_messages": 7}, ["license"])


def test_an_archive_that_is_there_is_taken_and_left(host: Host, args: dict[str, t.Any]) -> None:
    given = wanted(args, dashboard_users=2)
    own = Path(args["data_dir"]) / "backup/emqx-export.tar.gz"
    own.write_bytes(Path(args["path"]).read_bytes())
    script = [("eval", NODE), ("ctl data import", (0, "", "")), ("eval", NODE)]
    assert host.run(node_data, given, *script)["changed"] is True
    assert own.exists()
    own.write_bytes(b"another")
    result = host.run(node_data, given, ("eval", NODE))
    assert "remove it, or move it away" in result["msg"] and own.exists()


REFUSED = (0, "", '[error] Data import failed, reason: "backup file not found".\n')
IN_PART = (0, "Failed to import the following config path: mqtt, reason: bad\n", "")


def test_an_import_that_did_nothing_fails(host: Host, args: dict[str, t.Any]) -> None:
    given = wanted(args, dashboard_users=5)
    script = [("eval", NODE), ("ctl data import", REFUSED), *[("eval", NODE)] * 2]
    result = host.run(node_data, given, *script)
    assert "lacks 3 of 5 dashboard users" in result["msg"]
    assert "backup file not found" in result["msg"]


def test_an_import_of_a_part_fails(host: Host, args: dict[str, t.Any]) -> None:
    given = wanted(args, dashboard_users=2)
    result = host.run(
        node_data, given, ("eval", NODE), ("ctl data import", IN_PART), ("eval", NODE)
    )
    assert result["msg"].startswith("EMQX took in a part only: Failed to import the following")


def test_what_is_no_archive_is_not_handed_over(host: Host, args: dict[str, t.Any]) -> None:
    given = wanted(args)
    Path(args["path"]).write_bytes(b"none")
    result = host.run(node_data, given, ("eval", NODE))
    assert result["failure"]["code"] == "parse"


def test_a_node_that_is_not_ready_is_asked_for_nothing(host: Host, args: dict[str, t.Any]) -> None:
    assert host.run(node_data, args, ("eval", DOWN))["failure"]["code"] == "refused"
    assert host.run(node_data, {**args, "_ansible_check_mode": True})["changed"] is True
