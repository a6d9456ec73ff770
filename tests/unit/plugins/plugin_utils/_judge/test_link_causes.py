# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the diagnosis says of names, ports and who does not talk to whom."""

from __future__ import annotations

import pytest
from diagnosis_rows import Change, Row, check_row, every, steps

ROWS: list[Row] = [
    # Names
    (
        "renamed with its old name as a ghost",
        steps(
            lambda s: s.alone("n3"),
            every(lambda s, h: s.sees(h, h if h == "n3" else "n1 n2", "" if h == "n3" else "n3")),
            lambda s: s.view("n3", node="emqx3@10.0.0.3", running_nodes=["emqx3@10.0.0.3"]),
            lambda s: s.on_host("n3", data_nodes=["emqx3@10.0.0.3", "emqx@10.0.0.3"]),
        ),
        ["other_name"],
        "the node of n3 is called emqx3@10.0.0.3, the inventory has emqx@10.0.0.3",
    ),
    (
        "the vendor's default name",
        steps(
            lambda s: s.alone("n3"),
            lambda s: s.view("n3", node="emqx@127.0.0.1", running_nodes=["emqx@127.0.0.1"]),
            lambda s: s.on_host("n3", data_nodes=["emqx@127.0.0.1"]),
        ),
        ["other_name"],
        "(the name in the vendor's configuration)",
    ),
    (
        "data of another name",
        steps(lambda s: s.down("n3"), lambda s: s.on_host("n3", data_nodes=["emqx@10.9.9.9"])),
        ["data_of_other_name"],
        "holds the database of emqx@10.9.9.9, not of emqx@10.0.0.3",
    ),
    (
        "name not resolvable",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.resolve("n3", "n1"),
            lambda s: s.resolve("n3", "n2"),
            lambda s: s.link("n3", "n1", "unresolved"),
            lambda s: s.link("n3", "n2", "unresolved"),
        ),
        ["name_unresolved", "name_unresolved"],
        "n3 cannot resolve 10.0.0.1, the host of node emqx@10.0.0.1",
    ),
    (
        "name on loopback",
        steps(
            lambda s: s.split("n1 n3", "n2"),
            lambda s: s.resolve("n2", "n1", "127.0.1.1"),
            lambda s: s.resolve("n2", "n3", "127.0.1.1"),
        ),
        ["name_loopback", "name_loopback"],
        "on n2 the name 10.0.0.1 leads back to the host itself",
    ),
    ("own name on loopback", lambda s: s.resolve("n2", "n2", "127.0.1.1"), [], ""),
    (
        "name of an old address",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.resolve("n1", "n3", "10.0.0.99"),
            lambda s: s.resolve("n2", "n3", "10.0.0.99"),
            lambda s: s.link("n1", "n3", "filtered"),
            lambda s: s.link("n2", "n3", "filtered"),
        ),
        ["name_elsewhere"],
        "10.0.0.3, the address in the name of n3's node, is one that n3 does not have",
    ),
    (
        "own name leads elsewhere",
        steps(
            lambda s: s.down("n3"),
            lambda s: s.resolve("n3", "n3", "10.0.0.99"),
            lambda s: s.evidence["n3"]["links"]["probe"].update(own_address_local=False),
        ),
        ["name_not_own"],
        "10.0.0.3, the address in the name of n3's node, is none of n3's own",
    ),
    # Ports
    (
        "dropped in one direction",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.link("n3", "n1", "filtered", "distribution"),
            lambda s: s.link("n3", "n2", "filtered", "distribution"),
        ),
        ["closed_port"],
        "n3 gets no answer from n1 and n2 on the distribution port 4370: a firewall drops it, in "
        "this direction only",
    ),
    (
        "dropped, the nodes still together",
        lambda s: s.link("n3", "n1", "filtered", "distribution"),
        ["closed_port"],
        "n3 gets no answer from n1",
    ),
    (
        "rejected",
        steps(lambda s: s.split("n1 n2", "n3"), lambda s: s.link("n1", "n3", "refused")),
        ["closed_port", "split_brain"],
        "n1 is refused by n3 on the distribution port 4370 and rpc port 5370",
    ),
    (
        "no route",
        steps(lambda s: s.split("n1 n2", "n3"), lambda s: s.cut("n1", "n3", "no_route")),
        ["closed_port", "closed_port", "split_brain"],
        "has no route to",
    ),
    (
        "RPC port only",
        lambda s: s.link("n1", "n2", "filtered", "rpc"),
        ["closed_port"],
        "; the cluster forms, but messages between these nodes are lost",
    ),
    (
        "own port",
        steps(lambda s: s.down("n3", active="active"), lambda s: s.link("n3", "n3", "filtered")),
        ["closed_port"],
        "n3 gets no answer from its own address",
    ),
    (
        "partition",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.cut("n1", "n3"),
            lambda s: s.cut("n2", "n3"),
        ),
        ["closed_port", "closed_port"],
        "a firewall drops it",
    ),
    (
        "not listening",
        lambda s: s.evidence["n2"]["host"]["evidence"]["listening"].pop("5370"),
        ["not_listening"],
        "runs but does not listen on its RPC port 5370",
    ),
    # Who does not talk to whom
    (
        "other cookie",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.view("n3", cookie_fingerprint="bad"),
            lambda s: s.config("n3", cookie_fingerprint="bad"),
            lambda s: s.on_host(
                "n3", processes=[{"node": "emqx@10.0.0.3", "pid": 100, "cookie_fingerprint": "bad"}]
            ),
            lambda s: s.log("n1", "cookie", "Invalid challenge reply"),
        ),
        ["cookie"],
        "n3 has another cookie than n1 and n2",
    ),
    (
        "other cookie, mended in the file",
        steps(
            lambda s: s.split("n1 n2", "n3"),
            lambda s: s.on_host(
                "n3", processes=[{"node": "emqx@10.0.0.3", "pid": 100, "cookie_fingerprint": "bad"}]
            ),
        ),
        ["cookie"],
        "n3 got another one but did not restart since",
    ),
    (
        "cookie changed but not restarted",
        lambda s: s.config("n2", cookie_fingerprint="new"),
        ["cookie_pending"],
        "the cookie in the files of n2 was changed but not taken up by a restart",
    ),
    (
        "TLS on one side",
        steps(lambda s: s.split("n1 n2", "n3"), lambda s: s.view("n3", proto_dist="inet_tls")),
        ["transport"],
        "do not agree in cluster.proto_dist (n1 and n2: inet_tcp; n3: inet_tls)",
    ),
    (
        "port discovery differs",
        lambda s: s.view("n3", rpc_port_discovery="manual"),
        ["transport"],
        "do not agree in rpc.port_discovery",
    ),
    (
        "split brain",
        lambda s: s.split("n1 n2", "n3"),
        ["split_brain"],
        "{n1, n2} | {n3}",
    ),
    (
        "three parts",
        lambda s: s.split("n1", "n2", "n3"),
        ["split_brain"],
        "run on in 3 parts",
    ),
    (
        "one pair cut",
        steps(
            lambda s: s.sees("n1", "n1 n2", "n3"),
            lambda s: s.sees("n3", "n2 n3", "n1"),
        ),
        ["split_brain"],
        "{n1} | {n2} | {n3}",
    ),
    ("never joined", lambda s: s.alone("n3"), ["not_joined"], "n3 runs but is no member"),
]


@pytest.mark.parametrize(
    ("change", "desired", "words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_evidence_and_cause(change: Change, desired: list[str], words: str) -> None:
    check_row(change, desired, words)


def test_each_row_has_a_name_of_its_own() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS)
