# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The directories of a node, saved where only root may look, and put back.

The user that EMQX runs as may write to some of them, and exchange names for links at any moment.
So all is done from open directories, and what is unpacked lies where nobody else may enter until
it is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import CommandError, RefusedError
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import enter, parent
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import search_path
from ansible_collections.mqttops.emqx.plugins.module_utils._host.saved import MANIFEST, manifest
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options, Record

OPTIONS: Options = {
    "state": {"type": "str", "choices": ["saved", "restored"], "default": "saved"},
    "path": {"type": "path", "required": True},
    "trees": {"type": "list", "elements": "path", "required": True},
    "version": {"type": "str", "default": ""},
    "package": {"type": "str", "default": ""},
}
# In a directory of the node: what is being put back, and what was there before.
OWN = ".mqttops-"
_NEW, ASIDE = f"{OWN}restore", f"{OWN}aside"
SAVED, RESTORING, RESTORED = "saved", "restoring", "restored"


def run(params: Record, check_mode: bool) -> Json:
    """Return the module's result; raise EmqxError or OSError."""
    place, trees = params["path"], list(params["trees"])
    if params["state"] == "saved":
        if not check_mode:
            save(place, trees, {key: params[key] for key in ("version", "package")})
        return {"changed": True, "version": params["version"], "aside": []}
    found = manifest(place)
    missing = [tree for tree in trees if tree not in found.get("trees", {})]
    if missing:
        raise RefusedError(
            f"expected a copy of {', '.join(missing)} in {place}, found none: there is nothing to "
            "put back"
        )
    if not check_mode:
        restore(place, trees, found)
    aside = [f"{tree}/{ASIDE}" for tree in trees]
    return {"changed": True, "version": found["version"], "aside": aside}


def save(place: str, trees: t.Sequence[str], about: Record) -> None:
    """Copy directories to a place, whose copy of before goes once this one is whole."""
    part, old = f"{place}.part", f"{place}.old"
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    os.makedirs(part, 0o700)
    names = {tree: f"{number}.tar" for number, tree in enumerate(trees)}
    for tree, name in names.items():
        folder = enter(*parent(tree))
        try:
            argv = ["tar", "--create", f"--file={part}/{name}", "--numeric-owner"]
            _in_folder(folder, [*argv, f"--exclude=./{OWN}*", "."])
        finally:
            os.close(folder)
    _note(part, {**about, "trees": names, "state": SAVED})
    with contextlib.suppress(FileNotFoundError):
        os.rename(place, old)
    os.rename(part, place)
    shutil.rmtree(old, ignore_errors=True)


def restore(place: str, trees: t.Sequence[str], found: Json) -> None:
    """Put saved directories back. One that was cut short is finished by another run.

    What is there now is kept aside in the directory itself.
    """
    again = found.get("state") == RESTORING
    _note(place, {**found, "state": RESTORING})
    for tree in trees:
        folder = enter(*parent(tree))
        try:
            _remove(folder, _NEW)
            if not again:
                _remove(folder, ASIDE)
            _put_back(folder, f"{place}/{found['trees'][tree]}")
        finally:
            os.close(folder)
    _note(place, {**found, "state": RESTORED})


def _put_back(folder: int, archive: str) -> None:
    new, aside = _make(folder, _NEW), _make(folder, ASIDE)
    try:
        argv = ["tar", "--extract", f"--file={archive}", "--numeric-owner", "--same-owner"]
        _in_folder(new, [*argv, "--preserve-permissions"])
        # What a run that was cut short has put back already is not what was there before.
        known = set(os.listdir(aside))
        for name in _names(folder):
            if name in known:
                _remove(folder, name)
            else:
                os.rename(name, name, src_dir_fd=folder, dst_dir_fd=aside)
        for name in os.listdir(new):
            os.rename(name, name, src_dir_fd=new, dst_dir_fd=folder)
        info = os.fstat(new)
        os.fchown(folder, info.st_uid, info.st_gid)
        os.fchmod(folder, info.st_mode & 0o7777)
    finally:
        os.close(new)
        os.close(aside)
    _remove(folder, _NEW)


def _names(folder: int) -> list[str]:
    return [name for name in os.listdir(folder) if not name.startswith(OWN)]


def _make(folder: int, name: str) -> int:
    """Return a directory in an open one that is root's alone."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
    made = enter(os.dup(folder), name)
    os.fchown(made, os.geteuid(), os.getegid())
    os.fchmod(made, 0o700)
    return made


def _remove(folder: int, name: str) -> None:
    # It follows no link, whoever exchanges what for one meanwhile.
    _in_folder(folder, ["rm", "--recursive", "--force", "--", name])


def _in_folder(folder: int, argv: list[str]) -> None:
    environment = {"LC_ALL": "C", "PATH": search_path()}
    done = subprocess.run(
        argv,
        cwd=f"/proc/self/fd/{folder}",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    if done.returncode:
        reason = " ".join(err.split())[-400:]
        raise CommandError(f"{argv[0]} failed: {reason}", argv, done.returncode, out, err)


def _note(place: str, about: Json) -> None:
    """Write the manifest, in one step."""
    path = f"{place}/{MANIFEST}"
    handle = os.open(f"{path}.part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(about, stream)
        stream.flush()
        os.fsync(handle)
    os.replace(f"{path}.part", path)
