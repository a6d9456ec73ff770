# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import hocon
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import (
    masked,
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
        assert hocon.flatten(masked(config)) == {path: "********", "other.key": "shown"}

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
