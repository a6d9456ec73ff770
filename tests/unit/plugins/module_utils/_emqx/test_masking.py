# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import hocon, hocon_tree
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import (
    MASK,
    is_secret,
    masked,
    masked_forms,
)


class TestMasked:
    @pytest.mark.parametrize(
        "path",
        [
            "node.cookie",
            "license.key",
            "dashboard.default_password",
            "authentication.jwt.secret",
            "connectors.aws.x.SECRET-ACCESS-KEY",
            "x.ssl_options.Private-Key",
            "headers.Authorization",
            "a.token",
            "a.passphrase",
        ],
    )
    def test_secret_names(self, path: str) -> None:
        config = hocon.expand({path: "hunter2", "other.key": "shown"})
        assert hocon_tree.flatten(masked(config)) == {path: "********", "other.key": "shown"}

    def test_structure_stays(self) -> None:
        config = {
            "passwords": ["a", {"b": 5}],
            "password_hash": {"name": "sha256", "password": 12345},
            "enable_password": True,
            "password": None,
            "token": "",
            "authorization": {"no_match": "deny"},
        }
        assert masked(config) == {
            "passwords": ["********", {"b": 5}],
            "password_hash": {"name": "sha256", "password": "********"},
            "enable_password": True,
            "password": None,
            "token": "",
            "authorization": {"no_match": "deny"},
        }
        assert config["passwords"] == ["a", {"b": 5}]

    def test_secrets_by_their_form(self) -> None:
        config = {
            "keyfile": "-----BEGIN RSA PRIVATE KEY-----\nMII",
            "certfile": "-----BEGIN CERTIFICATE-----\nMII",
            "server": "http://user:hunter2@etcd:2379,http://b:2379",
        }
        assert masked(config) == {
            "keyfile": "********",
            "certfile": "-----BEGIN CERTIFICATE-----\nMII",
            "server": "http://user:********@etcd:2379,http://b:2379",
        }

    @pytest.mark.parametrize(
        "name",
        [
            "access_key_id",
            "secret_access_key",
            "accessKey",
            "account_key",
            "apikey",
            "api_key",
            "jwt",
            "auth",
            "basic_auth",
            "pw",
            "user_pw",
            "PWD",
            "pass",
            "credentials",
            "service_account_json",
            "sasl_password",
            "encryption_key",
            "Set-Cookie",
            "connection_string",
        ],
    )
    def test_names_of_secrets(self, name: str) -> None:
        assert is_secret(name)
        assert masked({"a": {name: "hunter2"}}) == {"a": {name: MASK}}

    @pytest.mark.parametrize(
        "name",
        [
            *("username", "keyfile", "certfile", "server", "routing_key", "partition_key"),
            *("mechanism", "bypass_rules", "authentication", "compass", "max_packet_size"),
            *("key", "pwdx", "hash_key"),
        ],
    )
    def test_names_of_what_is_none(self, name: str) -> None:
        assert not is_secret(name)
        assert masked({name: "shown"}) == {name: "shown"}

    def test_all_below_credentials(self) -> None:
        config = {"service_account": {"id": "x", "more": [{"project": "y"}]}, "id": "shown"}
        assert masked(config) == {
            "service_account": {"id": MASK, "more": [{"project": MASK}]},
            "id": "shown",
        }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Driver=x;UID=sa;PWD=hunter2;Port=1", "Driver=x;UID=sa;PWD=********;Port=1"),
        ("mysql://user:hunter2@db:3306/x", "mysql://user:********@db:3306/x"),
        ("mysql://user:hun@ter2@db", "mysql://user:********@db"),
        ("https://h/p?a=1&token=hunter2&b=2", "https://h/p?a=1&token=********&b=2"),
        ("https://h/p?key=hunter2", "https://h/p?key=********"),
        ("AccountName=n;AccountKey=aGVsbG8=;X=1", "AccountName=n;AccountKey=********;X=1"),
        ("Bearer abcdefgh12345678", "Bearer ********"),
        ("x eyJhbGciOiJI.eyJzdWIiOiIx.sig y", "x ******** y"),
        ("AKIAIOSFODNN7EXAMPLE", "********"),
        ("http://h:8080/a?user=x", "http://h:8080/a?user=x"),
        ("Basic authentication", "Basic authentication"),
    ],
)
def test_secrets_by_their_form(text: str, shown: str) -> None:
    assert masked_forms(text) == shown
    assert masked({"a": [text]}) == {"a": [shown]}


@pytest.mark.parametrize("piece", ["a", "a-", "eyJ", "://", "pass_", "x=", "Basic "])
def test_hostile_text_takes_no_long(piece: str) -> None:
    begin = time.monotonic()
    masked_forms(piece * (131072 // len(piece)))
    assert time.monotonic() - begin < 5
