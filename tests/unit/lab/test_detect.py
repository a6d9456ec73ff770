# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hostlab.detect import UNLIMITED, Machine, Measures, measures, mount_type, v2_mount

ALL_CAPS = 0x1FFFFFFFFFF
NO_SYS_RESOURCE = 0x1FFFEFFFFFF
ORDINARY = Machine("cgroup2", frozenset({"cpu", "memory", "pids"}), ALL_CAPS, 524288, 96365)
RESTRICTED = Machine("tmpfs", frozenset({"hugetlb"}), NO_SYS_RESOURCE, 20000, 96365)

HYBRID = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime shared:9 - cgroup cgroup rw,blkio
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
UNIFIED = """\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
"""
V1 = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
38 31 0:35 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
"""


def test_an_ordinary_host_gets_no_measure() -> None:
    assert measures(ORDINARY) == Measures()
    assert measures(ORDINARY).describe() == "none needed"


def test_the_restricted_host_gets_all() -> None:
    found = measures(RESTRICTED)
    assert found == Measures(True, True, ("nofile=20000:20000", "nproc=32768:32768"))
    for part in ("mount namespace", "no pids limit", "nofile=20000:20000"):
        assert part in found.describe()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # The capability alone is enough to raise limits, and ample limits need no capability.
        ({"nofile": 1024}, ()),
        ({"effective_caps": 0, "nofile": UNLIMITED, "nproc": UNLIMITED}, ()),
        ({"effective_caps": 0, "nofile": 1048576, "nproc": 2000000}, ()),
        (
            {"effective_caps": NO_SYS_RESOURCE, "nproc": 4096},
            ("nofile=524288:524288", "nproc=4096:4096"),
        ),
        (
            {"effective_caps": 0, "nofile": 4096, "nproc": UNLIMITED},
            ("nofile=4096:4096", "nproc=32768:32768"),
        ),
    ],
)
def test_limits_are_lowered_only_where_they_cannot_be_raised(
    change: dict[str, int], expected: tuple[str, ...]
) -> None:
    assert measures(replace(ORDINARY, **change)) == Measures(default_ulimits=expected)


def test_cgroups_and_pids_are_judged_apart() -> None:
    assert measures(replace(ORDINARY, cgroup_fs="tmpfs")) == Measures(private_cgroups=True)
    no_pids = replace(ORDINARY, v2_controllers=frozenset({"memory"}))
    assert measures(no_pids) == Measures(no_pids_limit=True)


@pytest.mark.parametrize(
    ("mountinfo", "kind", "v2"),
    [
        (UNIFIED, "cgroup2", "/sys/fs/cgroup"),
        (HYBRID, "tmpfs", "/sys/fs/cgroup/unified"),
        (V1, "tmpfs", ""),
        ("", "", ""),
    ],
)
def test_reads_mountinfo(mountinfo: str, kind: str, v2: str) -> None:
    assert mount_type(mountinfo, "/sys/fs/cgroup") == kind
    assert v2_mount(mountinfo) == v2


def test_the_topmost_mount_counts() -> None:
    covered = HYBRID + "50 31 0:40 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    assert mount_type(covered, "/sys/fs/cgroup") == "cgroup2"
