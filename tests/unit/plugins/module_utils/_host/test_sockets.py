# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from ansible_collections.mqttops.emqx.plugins.module_utils._host.sockets import listeners

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid inode"


def row(port: int, state: str, inode: int) -> str:
    return f"   0: 00000000:{port:04X} 00000000:0000 {state} 0:0 00:0 00000000  0  0 {inode} 1"


def host(tmp_path: Path) -> str:
    """A host on which 4370 is EMQX's, 5370 is of a process that is gone, 1883 only connected."""
    (tmp_path / "net").mkdir()
    rows = [HEAD, row(4370, "0A", 11), row(5370, "0A", 12), row(1883, "01", 13)]
    (tmp_path / "net/tcp").write_text("\n".join(rows))
    (tmp_path / "net/tcp6").write_text("\n".join([HEAD, row(4370, "0A", 14)]))
    process = tmp_path / "77"
    (process / "fd").mkdir(parents=True)
    (process / "fd/3").symlink_to("socket:[11]")
    (process / "fd/4").symlink_to("/dev/null")
    (process / "comm").write_text("beam.smp\n")
    (process / "cgroup").write_text("0::/machine/libpod.service/system.slice/emqx.service\n")
    (tmp_path / "78").mkdir()
    return str(tmp_path)


def test_who_listens(tmp_path: Path) -> None:
    assert listeners({4370, 5370, 1883, 8083}, host(tmp_path)) == {
        4370: {"process": "beam.smp", "pid": 77, "unit": "emqx.service"},
        5370: {"process": "", "pid": 0, "unit": ""},
    }


def test_connections_are_not_read(tmp_path: Path) -> None:
    proc = host(tmp_path)
    with open(f"{proc}/net/tcp", "a", encoding="ascii") as table:
        table.write("\nwhat would be a million lines")
    assert sorted(listeners({4370, 1883}, proc)) == [4370]


def test_tables_that_are_not_there(tmp_path: Path) -> None:
    assert listeners({4370}, str(tmp_path)) == {}


def test_nothing_asked(tmp_path: Path) -> None:
    assert listeners((), host(tmp_path)) == {}
