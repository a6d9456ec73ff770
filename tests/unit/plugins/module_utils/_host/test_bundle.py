# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._host import bundle

SECRETS = ["Cookie0of0the0cluster", "M1icence", "Passphrase0of0the0CA"]


def test_no_secret_and_no_certificate_is_in_it(tmp_path: Path) -> None:
    scene = Scene(2)
    line = " ".join(SECRETS)
    scene.on_host(
        "n1",
        files={"emqx.log.1": f"{line}\npassword = other", "journal of emqx.service": "fine"},
        certificates=[{"certificate": "PEM", "use": "rpc"}],
    )
    scene.log("n1", "crash", line)
    scene.unreachable("n2")
    findings = {"findings": [{"cause": line}], "healthy": False}
    contents = bundle.texts(scene.evidence, {"a.txt": line, "findings.json": findings}, SECRETS)
    path = tmp_path / "new/support.tar.gz"
    bundle.write(str(path), "support", contents)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["support.tar.gz"]
    with tarfile.open(path) as archive:
        found = {m.name: archive.extractfile(m) for m in archive.getmembers()}
        texts = {name: stream.read().decode() for name, stream in found.items() if stream}
    assert sorted(texts) == [
        "support/a.txt",
        "support/findings.json",
        "support/n1/emqx.log.1",
        "support/n1/evidence.json",
        "support/n1/journal-of-emqx.service",
        "support/n2/evidence.json",
    ]
    whole = "".join(texts.values())
    assert not [secret for secret in [*SECRETS, "other", "PEM"] if secret in whole]
    evidence = json.loads(texts["support/n1/evidence.json"])
    assert evidence["host"]["evidence"]["unit"]["active"] == "active"
    assert evidence["view"]["emqx"]["cookie_fingerprint"] == "c00c1e"
    assert json.loads(texts["support/findings.json"])["healthy"] is False


def test_ordinary_words_are_no_secrets() -> None:
    contents = bundle.texts({}, {"a": "the default, none"}, ["default", "", "no"])
    assert contents == {"a": "the default, none"}


def test_names_stay_inside_the_archive() -> None:
    scene = Scene(1)
    scene.on_host("n1", files={"../../etc/passwd": "x"})
    assert "n1/-..-etc-passwd" in bundle.texts(scene.evidence, {}, [])
