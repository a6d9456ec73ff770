# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A cluster is saved, lost with all of its hosts, built anew from the inventory, and holds again
what it held.

One test after the other: each starts where the one before it ended.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path

import pytest
from lab_hosts import ROOT, scenario_lab
from mqtt import Client
from operations import can_log_in, changed, done, planned, refused, together, wait_for

LAB = scenario_lab()
HOSTS = sorted(LAB.addresses)
# All that is in the lab's own folder is lost with its hosts.
FOLDER = Path(tempfile.mkdtemp(prefix="backups-")) / "kept"
PASSWORD = "Keeper-of-data-1"
TOPIC, MESSAGE = "plant/1/state", b"running"
VARIABLES: dict[str, t.Any] = {
    "emqx_environment": {"EMQX_STANDIN_BOOT_SECONDS": "1"},
    "emqx_backup_dir": str(FOLDER),
}
PLACES = "/var/lib/mqttops-emqx/backup"


def run(playbook: str, *arguments: str, **variables: t.Any) -> t.Any:
    return LAB.playbook(f"mqttops.emqx.{playbook}", *arguments, **{**VARIABLES, **variables})


def backups() -> list[Path]:
    return sorted(FOLDER.glob("emqx-*"))


def files_of(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {
            member.name: t.cast("io.BufferedReader", archive.extractfile(member)).read()
            for member in archive
        }


def retained() -> str:
    """Return the retained messages, as a node has them."""
    return str(LAB.emqx("n3", "eval", "ets:tab2list(emqx_retainer_message)").stdout)


def nothing_is_left_behind() -> None:
    """What was on its way is gone, and nobody else may read a backup."""
    shown = LAB.outputs(f"ls -d {PLACES} {LAB.data}/backup/* 2>/dev/null || true")
    assert shown == dict.fromkeys(HOSTS, ""), shown
    assert not list(Path(tempfile.gettempdir()).glob("emqx-*"))
    for path in (FOLDER, *FOLDER.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def holds_all() -> None:
    together(LAB, *HOSTS)
    assert can_log_in(LAB, "n2", "keeper", PASSWORD)
    assert MESSAGE.decode() in retained()
    assert "max_topic_levels = 64" in LAB.emqx("n3", "ctl", "conf", "show", "mqtt").stdout


def test_build() -> None:
    done(run("site"))
    assert LAB.emqx("n1", "ctl", "admins", "add", "keeper", PASSWORD).stdout.strip() == "ok"
    # Made at run time, as by the dashboard.
    LAB.hosts["n1"].check_output("echo 'mqtt.max_topic_levels = 64' > /tmp/run-time.hocon")
    LAB.emqx("n1", "ctl", "conf", "load", "/tmp/run-time.hocon")
    client = Client(LAB.addresses["n1"], 1883, client_id="writer")
    client.publish(TOPIC, MESSAGE, retain=True)
    wait_for(lambda: MESSAGE.decode() in retained(), 30)
    client.close()
    holds_all()


def test_a_plan_saves_nothing() -> None:
    steps = planned(LAB, "mqttops.emqx.backup", **VARIABLES)
    assert {(step["kind"], step["host"]) for step in steps} >= {("export", "n1"), ("save", "n3")}
    assert changed(done(run("backup", "--check"))) == set()
    assert not FOLDER.exists()


def test_a_backup_has_the_data_and_the_files_of_all_nodes() -> None:
    output = done(run("backup", "-vvv", "--diff"))
    (path,) = backups()
    files = files_of(path)
    manifest = json.loads(files["manifest.json"])
    assert set(files) >= {"data.tar.gz", "nodes/n1.tar", "nodes/n2.tar", "nodes/n3.tar"}
    assert manifest["holds"]["retained_messages"] == 1
    assert manifest["holds"]["dashboard_users"] == 2
    # With it EMQX writes a log with empty handlers, which nobody made.
    assert manifest["roots"] == ["mqtt"]
    with tarfile.open(fileobj=io.BytesIO(files["nodes/n2.tar"])) as etc:
        assert "./emqx.conf" in etc.getnames()
    cookie = (LAB.inventory.parent / "emqxcl.cookie").read_text(encoding="utf-8").strip()
    assert files["secrets/emqxcl.cookie"].decode().strip() == cookie
    assert cookie not in output
    nothing_is_left_behind()
    holds_all()


def test_so_many_backups_stay_as_are_wanted() -> None:
    first = backups()[0]
    other = FOLDER / "emqx-another-20200101T000000Z.tar"
    other.touch(0o600)
    done(run("backup", emqx_backup_keep=2))
    assert first in backups()
    done(run("backup", emqx_backup_keep=2))
    assert first not in backups() and other in backups()
    assert len(backups()) == 3
    other.unlink()


def test_an_encrypted_backup_needs_its_password(tmp_path: Path) -> None:
    word, wrong = tmp_path / "password", tmp_path / "wrong"
    word.write_text("A word of this test\n", encoding="utf-8")
    wrong.write_text("Another word\n", encoding="utf-8")
    output = done(run("backup", "-vvv", emqx_backup_vault_password_file=str(word)))
    assert "A word of this test" not in output
    path = next(path for path in backups() if path.name.endswith(".tar.vault"))
    assert path.read_bytes().startswith(b"$ANSIBLE_VAULT")
    given = {"emqx_restore_from": str(path), "emqx_restore_overwrite": True}
    assert "is encrypted" in refused(run("restore", **given))
    text = refused(run("restore", emqx_backup_vault_password_file=str(wrong), **given))
    assert "is not decrypted" in text
    opened = {"emqx_plan_only": True, "emqx_backup_vault_password_file": str(word), **given}
    assert changed(done(run("restore", **opened))) == set()
    path.unlink()


def test_nothing_is_replaced_without_consent() -> None:
    text = refused(run("restore", emqx_restore_from=str(FOLDER)))
    assert "retained messages" in text and "emqx_restore_overwrite" in text
    assert "emqx_restore_from" in refused(run("restore"))


def flipped(content: bytes) -> bytes:
    # The header of the file, whose name the manifest has before it, and the first of its content.
    place = content.rindex(b"data.tar.gz\0") + 512
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda content: content[:2000], "is damaged: data.tar.gz, nodes/n1.tar"),
        (flipped, "is damaged: data.tar.gz is missing or not what was saved"),
        (lambda content: b"none of it", "expected a backup"),
    ],
    ids=["cut off", "changed", "another file"],
)
def test_a_damaged_backup_is_refused(
    harm: t.Callable[[bytes], bytes], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.tar"
    path.write_bytes(harm(backups()[-1].read_bytes()))
    given = {"emqx_restore_from": str(path), "emqx_restore_overwrite": True}
    text = refused(run("restore", **given))
    assert said in text, text


def test_all_is_lost_and_comes_back() -> None:
    lab = [sys.executable, str(ROOT / "tests/lab/lab.py")]
    subprocess.run([*lab, "down", "--name", LAB.name], check=True, capture_output=True)
    assert not LAB.inventory.exists()
    up = ["up", "--name", LAB.name, "--hosts", "3"]
    subprocess.run([*lab, *up], check=True, capture_output=True)
    done(run("site"))
    together(LAB, *HOSTS)
    assert not can_log_in(LAB, "n2", "keeper", PASSWORD)
    newest = backups()[-1]
    output = done(run("restore", emqx_restore_from=str(FOLDER)))
    assert newest.name in output
    holds_all()
    nothing_is_left_behind()
    # It holds something by now, and its configuration is that of the inventory.
    text = refused(run("restore", emqx_restore_from=str(FOLDER)))
    assert "emqx_restore_overwrite" in text
    assert changed(done(run("site"))) == set()
