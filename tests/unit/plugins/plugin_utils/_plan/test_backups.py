# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Backups: their names and manifests, which ones go, what speaks against bringing one back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import backups, transfer

MANIFEST = backups.Manifest(
    cluster="plant",
    made="20261201T060000Z",
    version="5.8.9",
    edition="opensource",
    nodes=("n1",),
    holds={"dashboard_users": 2},
    roots=("mqtt",),
    files={"data.tar.gz": "ab"},
)


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert backups.read_manifest(MANIFEST.as_text()) == MANIFEST


def test_another_format_is_named() -> None:
    text = json.dumps({**json.loads(MANIFEST.as_text()), "format": 2})
    with pytest.raises(InputError, match="format 1, found 2"):
        backups.read_manifest(text)


@given(st.one_of(st.text(), st.recursive(st.none(), st.lists).map(json.dumps)))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        backups.read_manifest(text)


def test_the_newest_stay_and_what_is_not_ours_does() -> None:
    moments = [dt.datetime(2026, 12, day, tzinfo=dt.timezone.utc) for day in (1, 2, 3)]
    names = [
        backups.file_name("plant", backups.stamp(moment), encrypted=moment.day == 2)
        for moment in moments
    ]
    others = ["emqx-plant-2-20200101T000000Z.tar", "notes", f"{names[0]}.old", "emqx-plant-1.tar"]
    assert backups.of_cluster([*others, *names], "plant") == names[::-1]
    assert backups.surplus([*others, *names], "plant", 2) == names[:1]
    assert backups.surplus(names, "plant", 0) == []


def test_a_file_that_is_missing_or_changed_is_damage() -> None:
    assert backups.damaged(MANIFEST, {"data.tar.gz": "ab", "more": "cd"}) == []
    assert backups.damaged(MANIFEST, {"data.tar.gz": "cd"}) == ["data.tar.gz"]
    assert backups.damaged(MANIFEST, {}) == ["data.tar.gz"]


@pytest.mark.parametrize(
    ("version", "edition", "held", "consent", "codes"),
    [
        ("5.8.9", "opensource", [], False, []),
        ("5.10.4", "enterprise", [], False, []),
        ("5.8.8", "opensource", [], True, []),
        ("5.7.2", "opensource", [], True, ["backup_newer"]),
        ("5.8.9", "opensource", ["2 banned"], False, ["would_overwrite"]),
        ("5.8.9", "opensource", ["2 banned"], True, []),
    ],
)
def test_what_speaks_against_it(
    version: str, edition: str, held: list[str], consent: bool, codes: list[str]
) -> None:
    found = backups.findings(MANIFEST, version, edition, held, consent)
    assert [finding.code for finding in found] == codes


def test_an_edition_takes_in_no_backup_of_a_larger_one() -> None:
    manifest = dataclasses.replace(MANIFEST, edition="enterprise")
    (found,) = backups.findings(manifest, "5.8.9", "opensource", [], False)
    assert found.code == "backup_edition"


def views(scene: Scene, **other: NodeView) -> dict[str, NodeView]:
    ready = NodeView("ready", version="5.8.9", edition="opensource", data={"dashboard_users": 3})
    return {**{host: ready for host in scene.hosts}, **other}


def test_the_first_core_that_is_ready_exports() -> None:
    scene = Scene(3)
    found = transfer.backup(scene.nodes, views(scene, n1=NodeView("down")))
    assert (found.host, found.saved, found.findings) == ("n2", ("n1", "n2", "n3"), ())
    assert [step.kind for step in found.steps] == ["export", "save", "save", "save"]


def test_what_the_cluster_holds_beyond_its_first_user_is_said() -> None:
    scene = Scene(1)
    full = NodeView("ready", version="5.8.9", data={"banned": 2}, config_changed=("mqtt",))
    found = transfer.restore(scene.nodes, {"n1": full}, "backup.tar")
    assert found.held == ("2 banned", "configuration of mqtt")
    assert transfer.restore(scene.nodes, views(scene), "b").held == ("2 dashboard users",)


def test_a_replicant_exports_nothing() -> None:
    scene = Scene(2, replicants=("n2",))
    found = transfer.restore(scene.nodes, views(scene, n1=NodeView("down")), "b")
    assert (found.host, found.steps) == ("", ())
    assert [finding.code for finding in found.findings] == ["no_ready_core"]


def test_a_version_without_exports_is_named() -> None:
    scene = Scene(1)
    old = NodeView("ready", version="5.0.26")
    found = transfer.backup(scene.nodes, {"n1": old})
    assert [finding.code for finding in found.findings] == ["no_export"]
