# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.filter.rotation_plan import rotation_plan
from ansible_collections.mqttops.emqx.plugins.filter.tls_plan import tls_plan
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority, Files

HOST = "n1.example.org"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Authority(tmp_path, "ca").issue("n1", DNSName(HOST), days=100)


def wish(**given: str) -> dict[str, t.Any]:
    fixed = {"enabled": True, "own_ca": False, "host": HOST, "days": 825, "renew_days": 30}
    return {**fixed, "active": False, "rotates": False, **given}


def test_files_and_their_texts_are_the_same(files: Files) -> None:
    given = {"certificate": files.cert, "key": files.key, "ca": files.ca}
    by_path = tls_plan(wish(**{name: str(path) for name, path in given.items()}), {})
    by_text = tls_plan(wish(**{name: path.read_text() for name, path in given.items()}), {})
    assert by_path == by_text
    assert (by_path["pending"], by_path["errors"]) == (True, [])


def test_a_file_that_is_not_there(files: Files) -> None:
    paths = {"certificate": str(files.cert), "key": str(files.key), "ca": "/nowhere/ca.pem"}
    (error,) = tls_plan(wish(**paths), {})["errors"]
    assert error[3] == "no file /nowhere/ca.pem"


def test_a_member_that_was_not_asked(files: Files) -> None:
    state = {
        "node": f"emqx@{HOST}",
        "role": "core",
        "address": HOST,
        "active": True,
        "stale": [],
        "found": {},
        "plan": {"ca": files.ca.read_text(), "ca_missing": False, "complete": False, "renew": True},
    }
    (error,) = rotation_plan({"n1": state}, {}, False)["errors"]
    assert error.startswith("n1: expected a node that talks TLS already")
