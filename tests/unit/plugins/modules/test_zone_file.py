# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.modules import zone_file

RECORDS = [
    {"name": "mq.example.", "type": "NS", "value": "ns1.mq.example."},
    {"name": "ns1.mq.example.", "type": "A", "value": "10.0.0.53"},
]
MORE = [*RECORDS, {"name": "mq.example.", "type": "A", "value": "10.0.0.1"}]


class Host:
    """A host with a named-checkzone that refuses what has the word bad in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.zone = folder / "zone"
        self.checker = folder / "named-checkzone"
        self.checker.write_text('#!/bin/sh\n! grep bad "$2"\n', encoding="utf-8")
        self.checker.chmod(0o755)
        self.capsys = capsys

    def run(
        self, records: list[dict[str, str]] | None = None, **options: t.Any
    ) -> dict[str, t.Any]:
        options = {"path": str(self.zone), "zone": "mq.example", "records": records, **options}
        with patch_module_args(options), pytest.raises(SystemExit):
            zone_file.main()
        return dict(json.loads(self.capsys.readouterr().out))


@pytest.fixture(name="host")
def _host(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Host:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Host(tmp_path, capsys)


def test_written_kept_and_changed(host: Host) -> None:
    written = host.run(RECORDS, mode="0640")
    assert written["changed"]
    assert f"{written['serial']} ; serial" in host.zone.read_text(encoding="utf-8")
    assert host.zone.stat().st_mode & 0o777 == 0o640
    kept = host.run(RECORDS, mode="0640")
    assert (kept["changed"], kept["serial"]) == (False, written["serial"])
    grown = host.run(MORE)
    assert grown["changed"]
    assert grown["serial"] > written["serial"]
    assert "mq.example. 10 IN A 10.0.0.1" in grown["diff"]["after"]


def test_only_the_mode_differs(host: Host) -> None:
    host.run(RECORDS, mode="0640")
    host.zone.chmod(0o600)
    assert host.run(RECORDS, mode="0640")["changed"]
    assert host.zone.stat().st_mode & 0o777 == 0o640


def test_check_mode_writes_nothing(host: Host) -> None:
    assert host.run(RECORDS, _ansible_check_mode=True)["changed"]
    assert not host.zone.exists()
    # Nor does it need what is not installed yet.
    host.checker.unlink()
    assert host.run(RECORDS, _ansible_check_mode=True)["changed"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_refused_zone_is_not_put_in_place(host: Host, check_mode: bool) -> None:
    host.run(RECORDS)
    before = host.zone.read_text(encoding="utf-8")
    bad = [*RECORDS, {"name": "bad.mq.example.", "type": "A", "value": "10.0.0.2"}]
    failed = host.run(bad, _ansible_check_mode=check_mode)
    assert "named-checkzone refuses the zone: bad.mq.example." in failed["msg"]
    assert host.zone.read_text(encoding="utf-8") == before
