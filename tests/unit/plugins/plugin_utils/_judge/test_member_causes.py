# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the diagnosis says of databases, discovery and configuration."""

from __future__ import annotations

import pytest
from diagnosis_rows import Change, Row, check_row, every, steps

ROWS: list[Row] = [
    # Databases
    (
        "waiting for tables after a full stop",
        steps(
            lambda s: s.down("n2", active="inactive", sub="dead"),
            lambda s: s.down("n3", active="inactive", sub="dead"),
            lambda s: s.waits("n1", "n2", "n3"),
        ),
        ["waiting_for_tables"],
        "n1 waits for emqx@10.0.0.2 and emqx@10.0.0.3, which stopped later and hold newer data; "
        "n2 and n3 are stopped",
    ),
    (
        "waiting for a node with a full disk",
        steps(
            lambda s: s.down("n3"),
            lambda s: s.on_host("n3", disks={"/d": s.space(0)}),
            lambda s: s.waits("n1", "n3"),
            lambda s: s.waits("n2", "n3"),
        ),
        ["disk_full", "waiting_for_tables"],
        "on n3 is full",
    ),
    (
        "force-left while it was down",
        steps(
            lambda s: s.down("n3", active="activating", sub="auto-restart"),
            lambda s: s.sees("n1", "n1 n2"),
            lambda s: s.sees("n2", "n1 n2"),
        ),
        ["expelled"],
        "cannot boot on the database it still has",
    ),
    (
        "stopped, while the others are alone",
        steps(
            lambda s: s.alone("n1"),
            lambda s: s.alone("n2"),
            lambda s: s.down("n3", active="inactive", sub="dead"),
        ),
        ["not_joined", "stopped"],
        "n2 runs but is no member",
    ),
    (
        "killed, while the others are alone",
        steps(
            lambda s: s.alone("n1"),
            lambda s: s.alone("n2"),
            lambda s: s.down("n3", active="failed"),
        ),
        ["not_joined", "crashed"],
        "n2 runs but is no member",
    ),
    (
        "force-left by the one that was left",
        steps(
            lambda s: s.sees("n1", "n1"),
            lambda s: s.down("n2", active="failed"),
            lambda s: s.log("n2", "expelled", "not a member any more"),
            lambda s: s.unreachable("n3"),
        ),
        ["unreachable", "expelled"],
        "",
    ),
    (
        "a new node in its first boot",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.view("n3", state="booting", reason="its applications are still starting"),
        ),
        ["booting"],
        "still booting",
    ),
    (
        "a stale member",
        lambda s: s.view("n1", stopped_nodes=["emqx@10.0.0.9"]),
        ["stale_member"],
        "emqx@10.0.0.9 is listed as a stopped member but the inventory does not have it",
    ),
    (
        "a member that came back",
        every(lambda s, h: s.view(h, running_nodes=[*s.names.values(), "emqx@10.0.0.9"])),
        ["came_back"],
        "emqx@10.0.0.9 is a running member that the inventory does not have",
    ),
    # Discovery
    (
        "seeds of nobody",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.setting("n3", "cluster.static.seeds", ["emqx@10.0.0.3"]),
        ),
        ["discovery_nobody"],
        "discovery (static) on n3 finds no other node",
    ),
    (
        "seeds of others",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.setting("n3", "cluster.static.seeds", "emq@10.0.0.1,emqx@10.0.0.3"),
        ),
        ["discovery_others"],
        "finds only emq@10.0.0.1, no member",
    ),
    (
        "records of others",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.view("n3", discovery_strategy="dns"),
            lambda s: s.evidence["n3"].update(
                discovery={"discovery": {"names": [], "problems": ["NXDOMAIN"]}}
            ),
        ),
        ["discovery_nobody"],
        "discovery (dns) on n3",
    ),
    (
        "records of others, which all members would find as well",
        steps(
            lambda s: s.alone("n3"),
            every(lambda s, h: s.view(h, discovery_strategy="dns")),
            every(
                lambda s, h: s.evidence[h].update(
                    discovery={"discovery": {"names": ["emqx@10.9.9.9"], "problems": []}}
                )
            ),
        ),
        ["discovery_others"],
        "discovery (dns) on n3 finds only emqx@10.9.9.9, no member, so its node stays alone",
    ),
    # Configuration
    (
        "configuration differs",
        lambda s: s.config("n2", keys={"mqtt.max_packet_size": "bb"}),
        ["config_drift"],
        "the configuration of n2 (files) differs from that of the others in mqtt.max_packet_size",
    ),
    (
        "cluster.hocon differs",
        steps(
            *(
                lambda s, h=h: s.config(h, runtime_keys={"log.x": "1", "mqtt.y": "1"})
                for h in ("n1", "n2")
            ),
            lambda s: s.config("n3", runtime_keys={"mqtt.y": "2"}),
        ),
        ["config_drift"],
        "(cluster.hocon) differs from that of the others in mqtt.y",
    ),
    (
        "out of sync",
        every(
            lambda s, h: s.view(
                h, config_sync={"in_sync": False, "tnx_ids": dict(zip(s.names.values(), (4, 4, 3)))}
            )
        ),
        ["config_out_of_sync"],
        "emqx@10.0.0.3 did not follow the last changes",
    ),
    (
        "old values",
        lambda s: s.on_host("n1", stale=["cluster.autoclean"]),
        ["old_values"],
        "runs with old values of cluster.autoclean",
    ),
    (
        "overridden",
        every(lambda s, h: s.config(h, overridden=["mqtt.max_packet_size"])),
        ["overridden"],
        "mqtt.max_packet_size was changed at run time (cluster.hocon), but the files of n1, n2 and "
        "n3 say otherwise",
    ),
]


@pytest.mark.parametrize(
    ("change", "desired", "words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_evidence_and_cause(change: Change, desired: list[str], words: str) -> None:
    check_row(change, desired, words)


def test_each_row_has_a_name_of_its_own() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS)
