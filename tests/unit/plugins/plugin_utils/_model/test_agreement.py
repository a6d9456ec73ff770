# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.agreement import COMMON, findings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings


def differing(**third: t.Any) -> list[tuple[str, tuple[str, ...], str]]:
    """Return subject, hosts and what was found, where n3 alone has other settings."""
    same = Settings(cluster_hosts=("n1", "n2", "n3"))
    own = {"n1": same, "n2": same, "n3": dataclasses.replace(same, **third)}
    return [(each.subject, each.hosts, each.found) for each in findings(own)]


def test_settings_of_the_cluster_exist() -> None:
    assert set(COMMON) <= {field.name for field in dataclasses.fields(Settings)}


def test_hosts_that_agree() -> None:
    assert differing() == []
    # What a host may have of its own, and the order in which members are named.
    assert differing(node_role="replicant", phases=("configure",), allow_data_loss=True) == []
    assert differing(cluster_hosts=("n3", "n2", "n1")) == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("discovery_strategy", "dns", "'static' on n1, n2; 'dns' on n3"),
        ("dist_tls", True, "the boolean false on n1, n2; the boolean true on n3"),
        ("cluster_hosts", ("n1",), "'n1, n2, n3' on n1, n2; 'n1' on n3"),
    ],
)
def test_a_host_with_another_value_is_named(name: str, value: t.Any, found: str) -> None:
    assert differing(**{name: value}) == [(f"emqx_{name}", ("n3",), found)]
