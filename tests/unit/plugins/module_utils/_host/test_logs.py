# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._host.logs import excerpts, scrub

KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('node.cookie = "Abc0"', 'node.cookie = "********"'),
        ("password: hunter2, next", "password: ********, next"),
        ('{"api_secret": "x y", "a": 1}', '{"api_secret": "********", "a": 1}'),
        ('#{password => <<"hunter2">>,user => a}', '#{password => "********",user => a}'),
        ("license.key = M1ABC", "license.key = ********"),
        ("-name emqx@h -setcookie Abc0 -x", "-name emqx@h -setcookie ******** -x"),
        ("http://user:hunter2@etcd:2379", "http://user:********@etcd:2379"),
        (f"before\n{KEY}\nafter", "before\n********\nafter"),
        (KEY[:40], "********"),
        ('"cookie_fingerprint": "c00c1e"', '"cookie_fingerprint": "c00c1e"'),
        ("rejected. Invalid challenge reply.", "rejected. Invalid challenge reply."),
        ("the token was given", "the token was given"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    assert scrub(text) == shown
    assert scrub(shown) == shown


def test_given_secrets_are_masked_wherever_they_stand() -> None:
    assert scrub("crash in [abcd,abcdef]", {"abcd", "abcdef"}) == "crash in [********,********]"


def test_excerpts_are_the_last_lines_of_each_sign() -> None:
    lines = [f"{n} [error] Connection rejected. Invalid challenge reply." for n in range(5)]
    text = "\n".join(
        [*lines, "nothing", '[error] eaddrinuse, cookie = "Abc0"', "x" * 500 + " enospc"]
    )
    found = excerpts(text, "emqx.log.1")
    assert [each["line"] for each in found if each["sign"] == "cookie"] == lines[-3:]
    assert [each["line"] for each in found if each["sign"] == "port_in_use"] == [
        '[error] eaddrinuse, cookie = "********"'
    ]
    assert [len(each["line"]) for each in found if each["sign"] == "disk_full"] == [300]
    assert {each["source"] for each in found} == {"emqx.log.1"}


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("SINGLE_NODE_LICENSE, make sure this node and peer nodes", "license"),
        ("Node emqx@h has a single node license", "license"),
        ("** Connection attempt from node x rejected. Invalid challenge reply. **", "cookie"),
        ("Protocol 'inet_tcp': register/listen error: eaddrinuse", "port_in_use"),
        ("port 4370 is in use", "port_in_use"),
        ("{error,enospc}", "disk_full"),
        ("mria_mnesia: still waiting for table(s): [emqx_admin]", "waiting"),
        ("Table emqx_app is waiting for one of the nodes: ['emqx@h']", "waiting"),
        ("** Mnesia: inconsistent_database, running_partitioned_network", "partition"),
        ("no_available_core_node_at_same_version", "replicant"),
        ("ERROR: call_hocon_failed: -s emqx_conf_schema", "config"),
        ("discovered nodes outside cluster: [a]", "discovery"),
        ("Failed to merge schema: incompatible", "expelled"),
        ("accept failed: emfile", "file_limit"),
    ],
)
def test_lines_of_emqx_bear_their_sign(line: str, sign: str) -> None:
    assert [each["sign"] for each in excerpts(line, "log")] == [sign]


LISTEN = "ranch_tcp:listen(#{max_connections => 512,socket_opts => [" + "{nodelay,true}," * 40


@pytest.mark.parametrize(
    ("line", "sign", "kept"),
    [
        (
            "[error] Failed to start Ranch listener 'http:dashboard' in "
            f"{LISTEN}{{port,80}}]}}) for reason eacces (permission denied)",
            "listen",
            "{port,80}]}) for reason eacces (permission denied)",
        ),
        (
            "Failed to start listener tcp:default on 203.0.113.7:1883: {shutdown,"
            f"{{failed_to_start_child,{LISTEN}]}},eaddrnotavail}}}}.",
            "listen",
            "eaddrnotavail}}.",
        ),
        (
            "[error] failed_to_start_app emqx_license: {case_clause,{error,"
            "[#{module => emqx_license_parser_v20220101,error => invalid_signature}]}}",
            "license_refused",
            "invalid_signature",
        ),
    ],
)
def test_a_long_line_keeps_its_reason(line: str, sign: str, kept: str) -> None:
    lines = [each["line"] for each in excerpts(line, "emqx.log.1") if each["sign"] == sign]
    assert len(lines) == 1
    assert kept in lines[0]
    assert lines[0].startswith(line[:60])
    assert len(lines[0]) <= 300


def test_a_secret_is_taken_out_before_a_line_is_cut() -> None:
    line = "Failed to start listener a on b: " + "x" * 105 + "S3cretS3cret" + "y" * 300 + " eacces"
    (found,) = [e for e in excerpts(line, "log", ["S3cretS3cret"]) if e["sign"] == "listen"]
    assert "S3cret" not in found["line"]
    assert "eacces" in found["line"]


@pytest.mark.parametrize("piece", ["a", "a-", "pass_", "secret", "cookie =", "-----BEGIN "])
def test_hostile_text_takes_no_long(piece: str) -> None:
    begin = time.monotonic()
    scrub(piece * (131072 // len(piece)))
    assert time.monotonic() - begin < 5
