# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the diagnosis says of the trouble of one host."""

from __future__ import annotations

import pytest
from diagnosis_rows import NC, Change, Row, asks_etcd, check_row, every, steps

ROWS: list[Row] = [
    ("healthy", lambda s: None, [], ""),
    # One host
    ("host lost", lambda s: s.lost("n3"), ["unreachable"], "the host is down or cut off"),
    ("only SSH", lambda s: s.unreachable("n3"), ["unreachable"], "although its node runs"),
    (
        "not installed",
        lambda s: s.down("n3", active="inactive", installed=False),
        ["not_installed"],
        "EMQX is not installed on n3",
    ),
    (
        "disk full",
        steps(
            lambda s: s.down("n2"),
            lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(0, 64)}),
            lambda s: s.log("n2", "disk_full", "enospc"),
        ),
        ["disk_full"],
        "the file system of /var/lib/emqx on n2 is full",
    ),
    (
        "disk full, on which a start ends as on a bad configuration",
        steps(
            lambda s: s.down("n2"),
            lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(0, 64)}),
            lambda s: s.log("n2", "config", "call_hocon_failed: -v -t ... generate"),
        ),
        ["disk_full"],
        "is full",
    ),
    (
        "disk full and a bad configuration",
        steps(
            lambda s: s.down("n2", reason="ERROR: call_hocon_failed: -s emqx_conf_schema"),
            lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(0, 64)}),
        ),
        ["disk_full", "config_refused"],
        "is full",
    ),
    (
        "disk full, node still up",
        lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(1)}),
        ["disk_full"],
        "is full",
    ),
    (
        "no entries left",
        lambda s: s.on_host("n2", disks={"/d": {**s.space(900, 1000), "free_entries": 0}}),
        ["disk_full"],
        "has no file entries left",
    ),
    (
        "read-only",
        steps(
            lambda s: s.down("n2"),
            lambda s: s.on_host("n2", disks={"/d": {**s.space(500), "read_only": True}}),
            lambda s: s.on_host("n2", unusable=["/d"]),
        ),
        ["disk_full"],
        "is mounted read-only",
    ),
    (
        "disk nearly full",
        lambda s: s.on_host("n2", disks={"/var/lib/emqx": s.space(100)}),
        ["disk_low"],
        "nearly full",
    ),
    (
        "unreadable configuration",
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", unusable=["/etc/emqx/emqx.conf"])),
        ["unusable_files"],
        "has no right to use /etc/emqx/emqx.conf",
    ),
    (
        "configuration refused",
        lambda s: s.down("n1", reason="ERROR: call_hocon_failed: -s emqx_conf_schema"),
        ["config_refused"],
        "EMQX on n1 refuses its configuration",
    ),
    (
        "configuration refused, by its log",
        steps(lambda s: s.down("n1"), lambda s: s.log("n1", "config", "validation_error")),
        ["config_refused"],
        "EMQX on n1 refuses its configuration",
    ),
    (
        "out of memory",
        steps(lambda s: s.down("n1"), lambda s: s.unit("n1", result="oom-kill")),
        ["memory"],
        "ran out of memory",
    ),
    (
        "port in use",
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", listening={"4370": NC})),
        ["port_in_use"],
        "port 4370 of n2 is taken by nc (pid 77, unit squatter.service)",
    ),
    (
        "boots without etcd, again and again",
        steps(
            lambda s: s.down("n2", active="activating", sub="auto-restart"),
            asks_etcd("n2", "etcd_refused"),
        ),
        ["no_etcd"],
        "EMQX on n2 does not boot without its etcd",
    ),
    (
        "a lock in etcd ends no boot",
        steps(lambda s: s.down("n2"), asks_etcd("n2", "etcd_locked")),
        ["crashed"],
        "EMQX on n2 ended by itself",
    ),
    (
        "etcd away while the nodes run, which the next start needs",
        asks_etcd("n2", "etcd_refused"),
        ["discovery_nobody"],
        "what discovery gives n2: etcd_refused",
    ),
    (
        "what discovery lacks because a node is down",
        steps(
            lambda s: s.down("n2", active="inactive", sub="dead", result="success"),
            asks_etcd("n1", "no_record"),
        ),
        ["stopped"],
        "the service of EMQX is stopped on n2",
    ),
    (
        "MQTT port in use",
        steps(lambda s: s.down("n2"), lambda s: s.on_host("n2", listening={"1883": NC})),
        ["port_in_use"],
        "port 1883 of n2",
    ),
    (
        "another program on a port that a running node does not want",
        lambda s: s.evidence["n2"]["host"]["evidence"]["listening"].update({"1883": NC}),
        [],
        "",
    ),
    (
        "crash loop without a known cause",
        lambda s: s.down("n2", active="activating", sub="auto-restart"),
        ["crashed"],
        "EMQX on n2 ended by itself",
    ),
    (
        "silent",
        lambda s: s.view("n2", state="down", reason="gave no answer within 45 s"),
        ["silent"],
        "the node of n2 gives no answer",
    ),
    (
        "stopped",
        lambda s: s.down("n2", active="inactive", sub="dead"),
        ["stopped"],
        "the service of EMQX is stopped on n2",
    ),
    (
        "all stopped",
        every(lambda s, h: s.down(h, active="inactive", sub="dead")),
        ["stopped"],
        "stopped on n1, n2 and n3",
    ),
    (
        "booting",
        lambda s: s.view("n2", state="booting", reason="its applications are still starting"),
        ["booting"],
        "still booting",
    ),
    (
        "too many open files",
        lambda s: s.evidence["n1"]["host"]["evidence"]["processes"][0].update(
            open_files=1000, open_files_limit=1024
        ),
        ["file_limit"],
        "1000 of the 1024 files",
    ),
    (
        "unread evidence",
        lambda s: s.evidence["n1"].update(host={"failed": True, "msg": "I/O error"}),
        ["unread"],
        "what is on n1 could not be read",
    ),
    # Versions and licences
    (
        "versions during an upgrade",
        lambda s: s.view("n1", version="5.8.8"),
        ["versions"],
        "5.8.9 on n2 and n3; 5.8.8 on n1",
    ),
]


@pytest.mark.parametrize(
    ("change", "desired", "words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_evidence_and_cause(change: Change, desired: list[str], words: str) -> None:
    check_row(change, desired, words)


def test_each_row_has_a_name_of_its_own() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS)
