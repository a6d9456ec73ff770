# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import expand
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.config_findings import (
    config_findings,
)
from ansible_collections.mqttops.emqx.tests.unit.plans import settings


def found(**given: t.Any) -> list[tuple[str, str]]:
    findings = config_findings(settings(**given))
    assert all(each.severity == "warning" for each in findings)
    return [(each.code, each.subject) for each in findings]


@pytest.mark.parametrize(
    "config",
    [
        {"listeners.tcp.default.bind": 1883},
        {"dashboard": {"listeners.http.bind": 18083}},
        {"filter.name": 1},
        {"authentication": [{"filter": {"username": "${username}"}}]},
        {"authentication": [{"filter": {'"a.b"': 1}}]},
        {"actions.http.a.parameters.headers": {"content-type": "x"}},
        {"actions.http.a.parameters.headers.authorization": "x"},
        {"listeners.ssl.default.ssl_options.certfile": "${EMQX_ETC_DIR}/certs/cert.pem"},
        {"api_key.bootstrap_file": "${EMQX_ETC_DIR}"},
        {"log.file.path": "${EMQX_LOG_DIR}/emqx.log"},
        {5: {"a..b": 1}},
    ],
)
def test_what_is_meant_as_it_is(config: dict[t.Any, t.Any]) -> None:
    assert found(config=config) == []


@pytest.mark.parametrize(
    "config",
    [
        {"authentication": [{"filter": {"a.b": 1}}]},
        {"actions.http.a.parameters": {"headers": {"x.y": "z"}}},
        {"actions.http.a.parameters.headers.x.y": "z"},
        {"authentication": {"verify_claims": {"https://example.com/role": "x"}}},
    ],
)
def test_dots_in_keys_of_the_user(config: dict[str, t.Any]) -> None:
    assert found(config=config) == [("dotted_key", "emqx_config")]
    assert found(base_config=config) == [("dotted_key", "emqx_base_config")]


def test_the_remedy_keeps_the_key() -> None:
    (finding,) = config_findings(settings(config={"filter": {"a.b": 1}}))
    assert "'\"a.b\"'" in finding.remedy
    assert expand({"filter": {'"a.b"': 1}}) == {"filter": {"a.b": 1}}


@pytest.mark.parametrize(
    "config",
    [
        {"dashboard.default_password": "${DASHBOARD_PASSWORD}"},
        {"dashboard": {"default_password": "x${DASHBOARD_PASSWORD}"}},
        {"authentication": [{"hosts": ["a", "${HOST}"]}]},
    ],
)
def test_references_that_stay_text(config: dict[str, t.Any]) -> None:
    assert found(config=config) == [("literal_reference", "emqx_config")]


def test_no_value_is_shown() -> None:
    config = {"dashboard.default_password": "hunter2${X}"}
    assert "hunter2" not in repr(config_findings(settings(config=config)))
