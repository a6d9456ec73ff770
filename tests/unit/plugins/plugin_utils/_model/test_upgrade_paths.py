# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which upgrades are allowed, what they cost, and which way leads around those that are refused."""

from __future__ import annotations

import pytest

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import parse
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import upgrade_paths


@pytest.mark.parametrize(
    ("current", "wanted", "text", "remedy"),
    [
        ("4.4.19", "5.8.9", "a new cluster and an import", ""),
        ("5.3.2", "5.10.4", "routes", "go to 5.8.9 first, stop and start all nodes together"),
        ("5.3.2", "6.0.3", "routes", "schema of the routes there, then to 6.0.3"),
        ("5.8.9", "5.9.3", "may not boot", "go to 5.10.4 first"),
        ("5.8.9", "5.10.0", "may not boot", "go to 5.10.4 first"),
        ("5.7.2", "6.0.1", "only 5.8.0 and newer", "go to 5.10.4 first, then to 6.0.1"),
        ("5.7.2", "6.0.0", "bridges", "go to 5.10.4 first, then to 6.0.3"),
        ("5.10.4", "6.0.0", "bridges", "go to 6.0.3 first"),
    ],
)
def test_what_is_refused_names_the_way(current: str, wanted: str, text: str, remedy: str) -> None:
    found = upgrade_paths.path(current, wanted)
    assert [rule for rule in found.refused if text in rule.text]
    assert remedy in found.remedy
    assert bool(found.remedy) is bool(remedy)


@pytest.mark.parametrize(
    ("current", "wanted", "text"),
    [
        ("5.10.4", "6.0.3", "durable sessions"),
        ("6.1.0", "6.1.2", "no way back"),
        ("5.4.1", "5.6.1", "limits"),
    ],
)
def test_what_is_lost_is_said(current: str, wanted: str, text: str) -> None:
    found = upgrade_paths.path(current, wanted)
    assert found.refused == ()
    assert [rule for rule in found.lost if text in rule.text]
    assert found.hops == (wanted,)


@pytest.mark.parametrize(
    ("current", "wanted"),
    [("5.8.6", "5.8.9"), ("5.4.0", "5.8.9"), ("5.8.9", "5.10.4"), ("6.0.1", "6.1.0")],
)
def test_what_nothing_prevents(current: str, wanted: str) -> None:
    assert upgrade_paths.path(current, wanted) == upgrade_paths.Path(hops=(wanted,))


def test_every_way_around_is_one() -> None:
    """Whatever hops are named, none of them is refused in turn, and each is newer."""
    lines = [f"{line}.{patch}" for line in upgrade_paths.LINES for patch in (0, 99)]
    pairs = [(old, new) for old in ("4.4.19", *lines) for new in lines if parse(old) < parse(new)]
    refused = [pair for pair in pairs if upgrade_paths.path(*pair).refused]
    assert len(refused) > 30
    for old, new in pairs:
        hops = upgrade_paths.path(old, new).hops
        for start, end in zip((old, *hops), hops):
            assert parse(start) < parse(end), (old, new, hops)
            assert not upgrade_paths.path(start, end).refused, (old, new, hops)
