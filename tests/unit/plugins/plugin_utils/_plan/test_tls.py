# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is said and planned of certificates before a node is started on them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import DNSName

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import tls
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import ControlFiles
from ansible_collections.mqttops.emqx.tests.support.certificates import Authority, Files, ip
from ansible_collections.mqttops.emqx.tests.unit.tls_records import (
    PATHS,
    host,
    layout,
    node,
    observed,
)

HOST = "10.0.0.1"
NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def good(ca: Authority) -> Files:
    return ca.issue("good", DNSName(HOST), ip(HOST), days=100)


def plan(
    settings: Settings,
    found: dict[str, str],
    active: bool = False,
    rotates: bool = False,
    **file: t.Any,
) -> tls.TlsPlan:
    state = host(found, active, **file)
    return tls.plan(settings, node(HOST), layout(), state, ControlFiles(), NOW, rotates)


def errors(found: tls.TlsPlan) -> list[Finding]:
    return [finding for finding in found.findings if is_error(finding)]


def codes(found: tls.TlsPlan) -> list[str]:
    return [f"{finding.severity} {finding.code}" for finding in found.findings]


def states(found: tls.TlsPlan) -> tuple[bool, bool, bool]:
    assert found.findings == ()
    return found.pending, found.complete, found.renew


NEW = (True, False, True)
DONE = (False, True, False)


def given(files: Files, **more: t.Any) -> Settings:
    texts = {"tls_certificate": str(files.cert), "tls_key": str(files.key), "tls_ca": str(files.ca)}
    return Settings(dist_tls=True, **{**texts, **more})


class TestGiven:
    def test_new_and_done(self, ca: Authority) -> None:
        files = good(ca)
        assert states(plan(given(files), {})) == NEW
        assert states(plan(given(files), observed(files), active=True)) == DONE

    def test_files_and_their_texts_are_the_same(self, ca: Authority) -> None:
        files = good(ca)
        texts = {
            "tls_certificate": files.cert.read_text(),
            "tls_key": files.key.read_text(),
            "tls_ca": files.ca.read_text(),
        }
        by_path, by_text = plan(given(files), {}), plan(given(files, **texts), {})
        assert states(by_path) == states(by_text)
        assert by_path.ca == by_text.ca == texts["tls_ca"]

    def test_each_missing_file_is_named(self, ca: Authority) -> None:
        files = good(ca)
        found = errors(plan(given(files, tls_key="/nowhere/key.pem", tls_ca=""), {}))
        assert [(error.code, error.subject, error.found) for error in found] == [
            ("tls_file", "emqx_tls_key", "no file /nowhere/key.pem"),
            ("tls_file", "emqx_tls_ca", "none"),
        ]
        assert found[0].hosts == ("n1",)

    @pytest.mark.parametrize("key", ["MIGHAgEAMBMGByqG\nSM49AgEGCCqGSM49", "SM49AgEGCCqGSM49" * 20])
    def test_a_key_without_its_first_line_is_not_shown(self, ca: Authority, key: str) -> None:
        (error,) = errors(plan(given(good(ca), tls_key=key), {}))
        assert (error.code, error.subject) == ("tls_file", "emqx_tls_key")
        assert "SM49" not in error.sentence()

    def test_a_file_that_cannot_be_read(self, ca: Authority, tmp_path: Path) -> None:
        (error,) = errors(plan(given(good(ca), tls_ca=str(tmp_path)), {}))
        assert error.found == f"{tmp_path}, which cannot be read (Is a directory)"

    def test_the_certificate_is_named(self, ca: Authority) -> None:
        files = ca.issue("old", DNSName(HOST), days=-1)
        (error,) = errors(plan(given(files), observed(files)))
        assert (error.code, error.subject) == ("tls_expired", "emqx_tls_certificate")
        assert str(files.cert) in error.found

    def test_a_key_with_a_passphrase(self, ca: Authority) -> None:
        files = good(ca)
        files.key.write_bytes(
            encrypted(serialization.load_pem_private_key(files.key.read_bytes(), None))
        )
        (error,) = errors(plan(given(files), {}))
        assert (error.code, error.subject, error.expected, error.found) == (
            "tls_key",
            "emqx_tls_key",
            "a private key in PEM",
            "a key with a passphrase",
        )

    def test_one_that_ends_soon_is_warned_of(self, ca: Authority) -> None:
        files = ca.issue("soon", DNSName(HOST), days=29)
        found = plan(given(files), observed(files))
        assert (codes(found), found.pending) == (["warning tls_ends"], False)

    def test_another_one_on_a_running_node_is_left_to_the_rotation(self, ca: Authority) -> None:
        settings = given(good(ca))
        other = observed(ca.issue("other", DNSName(HOST), days=90))
        found = plan(settings, other, active=True)
        assert (found.pending, found.renew, codes(found)) == (False, True, ["warning tls_renew"])
        assert plan(settings, other, active=True, rotates=True).findings == ()
        assert plan(settings, other).pending is True


def own(ca: Authority, passphrase: str = "secret", **more: t.Any) -> Settings:
    """Settings with the CA of a directory."""
    folder = ca.folder
    (folder / "ca-key.pem").write_bytes(encrypted(ca.key))
    given = {"tls_ca_dir": str(folder), "tls_ca_passphrase": passphrase}
    return Settings(dist_tls=True, **{**given, **more})


class TestOwn:
    def test_nothing_there_yet(self, tmp_path: Path) -> None:
        found = plan(self.without(tmp_path / "new" / "ca"), {})
        assert states(found) == NEW
        assert (found.ca_missing, found.ca) == (True, "")

    def without(self, folder: Path, **more: t.Any) -> Settings:
        fixed = {"tls_ca_dir": str(folder), "tls_ca_passphrase": "secret"}
        return Settings(dist_tls=True, **{**fixed, **more})

    def test_done(self, ca: Authority) -> None:
        found = plan(own(ca), observed(good(ca)))
        assert states(found) == DONE
        assert (found.ca_missing, found.ca) == (False, ca.file.read_text())

    def test_made_anew_before_it_ends(self, ca: Authority) -> None:
        soon = observed(ca.issue("soon", DNSName(HOST), days=29))
        assert plan(own(ca), soon).pending is True
        assert plan(own(ca, tls_renew_days=28), soon).pending is False
        (warning,) = plan(own(ca), soon, active=True).findings
        assert (warning.code, warning.severity) == ("tls_renew", "warning")
        assert warning.subject == "emqx_tls_renew_days"
        assert warning.remedy == "run the playbook rotate_certs"

    def test_a_running_node_with_one_that_no_peer_takes(self, ca: Authority) -> None:
        old = observed(ca.issue("old", DNSName(HOST), days=-1))
        assert codes(plan(own(ca), old, active=True)) == ["error tls_expired"]
        assert plan(own(ca), old, active=True, rotates=True).findings == ()

    def test_another_ca_of_a_running_node(self, ca: Authority, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        new = Authority(tmp_path / "new", "ca")
        (error,) = plan(own(new), observed(good(ca)), active=True).findings
        assert (error.code, error.subject) == ("tls_ca_change", "emqx_tls_ca_dir")
        assert error.expected != error.found
        assert plan(own(new), observed(good(ca))).pending is True

    def test_a_ca_to_be_made_for_a_running_node(self, ca: Authority, tmp_path: Path) -> None:
        (error,) = plan(self.without(tmp_path / "new"), observed(good(ca)), active=True).findings
        assert error.code == "tls_ca_change"
        assert "nodes that trust a new CA" in error.expected

    def test_a_ca_that_ends_soon_is_warned_of_and_renews_nothing(self, ca: Authority) -> None:
        settings = own(ca, tls_renew_days=400)
        found = plan(settings, observed(ca.issue("n1", DNSName(HOST), days=500)))
        assert (found.pending, found.renew) == (False, False)
        assert codes(found) == ["warning tls_ca_ends"]

    @pytest.mark.parametrize(
        ("numbers", "code", "variable"),
        [
            ({"tls_days": 90, "tls_renew_days": 90}, "tls_renew_days", "emqx_tls_renew_days"),
            ({"tls_renew_days": -1}, "tls_renew_days", "emqx_tls_renew_days"),
            ({"tls_ca_days": 0}, "tls_ca_days", "emqx_tls_ca_days"),
            ({"tls_ca_days": -5}, "tls_ca_days", "emqx_tls_ca_days"),
            ({"tls_ca_days": 10**9}, "tls_ca_days", "emqx_tls_ca_days"),
            ({"tls_days": 3_000_000}, "tls_days", "emqx_tls_days"),
            ({"tls_days": 10**15}, "tls_days", "emqx_tls_days"),
            ({"tls_ca_passphrase": "abc"}, "tls_passphrase", "emqx_tls_ca_passphrase"),
            ({"tls_ca_passphrase": "é" * 512}, "tls_passphrase", "emqx_tls_ca_passphrase"),
            ({"tls_ca_passphrase": ""}, "tls_passphrase", "emqx_tls_ca_passphrase"),
            ({"tls_ca_dir": ""}, "tls_ca_dir", "emqx_tls_ca_dir"),
            ({"tls_ca_dir": "/etc/passwd/ca"}, "tls_ca_dir", "emqx_tls_ca_dir"),
        ],
    )
    def test_what_would_fail_later(
        self, tmp_path: Path, numbers: dict[str, t.Any], code: str, variable: str
    ) -> None:
        (error,) = plan(self.without(tmp_path / "new", **numbers), {}).findings
        assert (error.code, error.subject, error.severity) == (code, variable, "error")
        secret = numbers.get("tls_ca_passphrase")
        assert not secret or secret not in error.sentence()

    def test_all_at_once(self, tmp_path: Path) -> None:
        numbers = {"tls_ca_passphrase": "abc", "tls_ca_days": 0, "tls_days": 0}
        assert [
            error.subject for error in plan(self.without(tmp_path, **numbers), {}).findings
        ] == [
            "emqx_tls_ca_passphrase",
            "emqx_tls_ca_days",
            "emqx_tls_days",
            "emqx_tls_renew_days",
        ]

    def test_a_directory_of_somebody_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Root may write everywhere, and tests may be root's.
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK)
        (error,) = plan(self.without(Path("/usr/ca")), {}).findings
        assert "the user of this run may not write to" in error.found

    def test_no_passphrase(self, ca: Authority) -> None:
        (error,) = plan(own(ca, ""), {}).findings
        assert (error.code, error.subject) == ("tls_passphrase", "emqx_tls_ca_passphrase")

    def test_another_passphrase(self, ca: Authority) -> None:
        (error,) = plan(own(ca, "other words"), {}).findings
        assert (error.code, error.subject) == ("tls_passphrase", "emqx_tls_ca_passphrase")
        assert "other words" not in error.sentence()

    def test_a_ca_without_its_key(self, ca: Authority) -> None:
        (error,) = plan(self.without(ca.folder), {}).findings
        assert (error.code, error.subject) == ("tls_ca_key", "emqx_tls_ca_dir")

    def test_a_ca_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").mkdir()
        (error,) = plan(self.without(tmp_path), {}).findings
        assert (error.code, error.subject) == ("tls_file", "emqx_tls_ca_dir")


class TestModes:
    @pytest.mark.parametrize("file", [{"mode": "0644"}, {"group": "root", "gid": "0"}])
    def test_others_may_read_them(self, ca: Authority, file: dict[str, t.Any]) -> None:
        files = good(ca)
        found = plan(given(files), observed(files), **file)
        assert (found.pending, found.modes_todo, found.todo) == (False, True, True)
        sound = plan(given(files), observed(files))
        assert (sound.modes_todo, sound.todo) == (False, False)

    def test_a_group_by_its_number(self, ca: Authority) -> None:
        files = good(ca)
        state = host(observed(files), group="", gid="1000")
        found = tls.plan(given(files), node(HOST), layout("1000"), state, ControlFiles(), NOW)
        assert found.todo is False


class TestRoleVariables:
    def wanted(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        (wanted,) = variables["certificates_wanted"]
        return dict(wanted)

    def test_of_a_deployment(self, ca: Authority) -> None:
        found = plan(own(ca, tls_days=100), {})
        variables = found.certificates_role_vars()
        wanted = self.wanted(variables)
        assert {part: wanted[part] for part in PATHS} == PATHS
        assert (wanted["names"], wanted["owner"], wanted["group"]) == ([HOST], "root", "emqx")
        assert wanted["replace"] is True
        assert variables["certificates_ca_dir"] == str(ca.folder)
        assert variables["certificates_ca_name"] == "EMQX cluster emqxcl"
        assert variables["certificates_days"] == 100
        assert "secret" not in repr(found)

    def test_a_running_node_keeps_what_it_has(self, ca: Authority) -> None:
        soon = observed(ca.issue("soon", DNSName(HOST), days=29))
        found = plan(own(ca), soon, active=True, mode="0644")
        assert found.modes_todo
        assert self.wanted(found.certificates_role_vars())["replace"] is False

    def test_of_a_step_that_only_trusts(self, ca: Authority) -> None:
        found = plan(given(good(ca)), {}, rotates=True)
        wanted = self.wanted(found.rotation_role_vars("both", renew=False))
        assert (wanted["ca"], wanted["trust"]) == (PATHS["ca"], "both")
        assert [wanted[key] for key in ("certificate", "key", "given_certificate")] == [""] * 3

    def test_of_a_step_that_renews(self, ca: Authority) -> None:
        wanted = self.wanted(plan(own(ca), {}).rotation_role_vars("", renew=True))
        assert (wanted["certificate"], wanted["ca"]) == (PATHS["certificate"], "")
        wanted = self.wanted(plan(own(ca), {}).rotation_role_vars("both", renew=True))
        assert (wanted["certificate"], wanted["trust"]) == (PATHS["certificate"], "both")

    def test_secrets_are_not_shown(self, ca: Authority) -> None:
        files = good(ca)
        key = files.key.read_text()
        found = plan(given(files, tls_key=key), {})
        assert key.splitlines()[1] not in repr(dataclasses.replace(found))


def encrypted(key: t.Any) -> bytes:
    return bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )


def test_nothing_to_do_without_tls() -> None:
    found = plan(Settings(), {})
    assert states(found) == DONE
    assert found.todo is False
