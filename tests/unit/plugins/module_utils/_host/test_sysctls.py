# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host import sysctl_changes, sysctls

SOMAXCONN, FILE_MAX, RMEM = "net.core.somaxconn", "fs.file-max", "net.ipv4.tcp_rmem"
OURS = f"""# Managed
{SOMAXCONN} = 32768
# Kept by the kernel: {SOMAXCONN} = 4096
{FILE_MAX} = 100
; comment = 1
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return a /proc of a host on which three values can be set."""
    for key, value in ((SOMAXCONN, "4096"), (FILE_MAX, "50"), (RMEM, "4096\t131072\t6291456")):
        path = tmp_path.joinpath("sys", *key.split("."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    tmp_path.joinpath("self").mkdir()
    tmp_path.joinpath("self", "uid_map").write_text("         0          0 4294967295\n")
    tmp_path.joinpath("ours.conf").write_text(OURS)
    return tmp_path


def read(proc: Path, *keys: str) -> dict[str, dict[str, t.Any]]:
    return sysctls.read(keys, str(proc / "ours.conf"), str(proc))


def test_values_and_what_our_file_says(proc: Path) -> None:
    assert read(proc, SOMAXCONN, RMEM) == {
        SOMAXCONN: {
            "value": "4096",
            "writable": True,
            "reason": "",
            "asked": "32768",
            "kept": "4096",
        },
        RMEM: {
            "value": "4096 131072 6291456",
            "writable": True,
            "reason": "",
            "asked": "",
            "kept": "",
        },
    }


def test_what_the_kernel_does_not_know(proc: Path) -> None:
    proc.joinpath("ours.conf").unlink()
    key = "net.netfilter.nf_conntrack_max"
    found = read(proc, key)[key]
    assert (found["value"], found["writable"], found["reason"]) == (None, False, sysctls.UNKNOWN)


class Mount:
    """What statvfs says of a file system."""

    def __init__(self, flags: int) -> None:
        self.f_flag = flags


@pytest.mark.parametrize(
    ("flags", "uid_map", "reason"),
    [
        (os.ST_RDONLY, "0 0 4294967295", sysctls.READ_ONLY),
        (0, "0 100000 65536", sysctls.USER_NAMESPACE),
        (0, "0 0 4294967295", sysctls.DENIED),
    ],
)
def test_why_a_value_cannot_be_set(
    proc: Path, monkeypatch: pytest.MonkeyPatch, flags: int, uid_map: str, reason: str
) -> None:
    proc.joinpath("self", "uid_map").write_text(uid_map)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    monkeypatch.setattr(os, "statvfs", lambda _path: Mount(flags))
    found = read(proc, FILE_MAX)[FILE_MAX]
    assert (found["value"], found["writable"], found["reason"]) == ("50", False, reason)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.core.somaxconn", "/proc/sys/net/core/somaxconn"),
        ("net/core/somaxconn", "/proc/sys/net/core/somaxconn"),
        ("net/ipv4/conf/eth0.100/rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
        ("net/../../../etc/shadow", ""),
        ("net..core", ""),
        ("net.core.x\n", ""),
        ("net.core.x\0", ""),
        ("a = b", ""),
        ("", ""),
    ],
)
def test_no_key_leads_out_of_proc_sys(key: str, path: str) -> None:
    assert sysctls.path_of(key) == path
    if not path:
        assert sysctls.value_of(key) is None


def test_setting_values(proc: Path) -> None:
    proc.joinpath("sys", "net", "core", "somaxconn").unlink()
    proc.joinpath("sys", "net", "core", "somaxconn").mkdir()
    refused = sysctl_changes.write({FILE_MAX: "100", SOMAXCONN: "1"}, str(proc))
    assert refused == {SOMAXCONN: "Is a directory"}
    assert sysctls.value_of(FILE_MAX, str(proc)) == "100"


def test_what_was_not_kept_is_noted_once() -> None:
    noted = sysctl_changes.noted(OURS, {SOMAXCONN: "8192", FILE_MAX: "100"})
    assert noted == OURS.replace("= 4096", "= 8192")
    assert sysctl_changes.noted(noted, {SOMAXCONN: "8192"}) == noted
    assert "Kept" not in sysctl_changes.noted(noted, {SOMAXCONN: "32768"})
    assert sysctl_changes.noted(OURS, {FILE_MAX: "64"}) == OURS.replace(
        "= 100\n", f"= 100\n# Kept by the kernel: {FILE_MAX} = 64\n"
    )


@pytest.mark.parametrize(
    ("value", "asked", "kept", "pending"),
    [
        ("32768", "", "", False),
        ("4096", "", "", True),
        ("4096", "32768", "", True),
        ("4096", "32768", "4096", False),
        # Somebody else changed it since.
        ("1024", "32768", "4096", True),
        # Another value is asked for now.
        ("4096", "16384", "4096", True),
    ],
)
def test_what_the_kernel_does_not_keep_is_asked_for_once(
    value: str, asked: str, kept: str, pending: bool
) -> None:
    found = {"value": value, "asked": asked, "kept": kept}
    assert sysctl_changes.is_pending(found, "32768") is pending


def test_an_empty_value_is_set_though_the_file_asks_for_it_already() -> None:
    found = {"value": "", "writable": True, "reason": "", "asked": "4370,5370", "kept": ""}
    assert sysctl_changes.is_pending(found, "4370,5370")
