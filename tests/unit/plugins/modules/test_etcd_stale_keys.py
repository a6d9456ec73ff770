# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import etcd as _etcd
from ansible_collections.mqttops.emqx.plugins.modules import etcd_stale_keys

SETTINGS = {"server": "http://e1:2379", "prefix": "mq"}
STALE = "mq/ekkacl/nodes/emqx@10.0.0.9"


class Etcd:
    """The keys that nobody keeps alive."""

    def __init__(self, *keys: str) -> None:
        self.keys = [*keys]
        self.failure = ""

    def stale_keys(self, settings: t.Mapping[str, t.Any], timeout: float) -> list[str]:
        assert (settings, timeout) == (SETTINGS, 5)
        if self.failure:
            raise _etcd.EtcdError("http://e1:2379", self.failure, "errno 111")
        return [*self.keys]

    def delete_stale(self, _settings: object, keys: t.Sequence[str], _timeout: float) -> None:
        self.keys = [key for key in self.keys if key not in keys]


@pytest.fixture(name="etcd")
def _etcd_with_a_key(monkeypatch: pytest.MonkeyPatch) -> Etcd:
    found = Etcd(STALE)
    monkeypatch.setattr(_etcd, "stale_keys", found.stale_keys)
    monkeypatch.setattr(_etcd, "delete_stale", found.delete_stale)
    return found


def run(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    with patch_module_args({"settings": SETTINGS, **options}), pytest.raises(SystemExit):
        etcd_stale_keys.main()
    return dict(json.loads(capsys.readouterr().out))


def test_predicted_deleted_and_gone(capsys: pytest.CaptureFixture[str], etcd: Etcd) -> None:
    predicted = run(capsys, _ansible_check_mode=True)
    assert etcd.keys == [STALE]
    deleted = run(capsys)
    assert etcd.keys == []
    assert deleted["keys"] == [STALE]
    assert deleted["diff"] == {
        "before_header": "stale keys",
        "before": f"{STALE}\n",
        "after": "",
    }
    for key in ("changed", "keys", "diff"):
        assert predicted[key] == deleted[key]
    again = run(capsys)
    assert (again["changed"], again["keys"]) == (False, [])


def test_no_server(capsys: pytest.CaptureFixture[str], etcd: Etcd) -> None:
    etcd.failure = "etcd_refused"
    failed = run(capsys)
    assert failed["failed"]
    assert failed["msg"].startswith(
        "Expected an etcd at http://e1:2379 that answers with the keys, found a refused connection "
        "(errno 111): "
    )
    assert failed["failure"]["code"] == "etcd"
