# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Backups as files of the control node: one tar archive, encrypted with Ansible Vault if asked.

All of a backup is held in memory, as Ansible Vault takes it so.
"""

from __future__ import annotations

import dataclasses
import io
import os
import tarfile
import tempfile
import typing as t
from collections.abc import Mapping
from hashlib import sha256

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, get_file_vault_secret, is_encrypted

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import backups
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.backups import Manifest

_VAULT_ID = "emqx_backup"


def write(folder: str, manifest: Manifest, files: Mapping[str, str], password_file: str) -> str:
    """Write a backup of the files (paths by name in it) to a folder, and return its path.

    It is there as a whole or not at all. Raise OSError, or InputError for a password that cannot
    be read.
    """
    contents = {name: _content(path) for name, path in files.items()}
    sums = {name: sha256(content).hexdigest() for name, content in contents.items()}
    whole = dataclasses.replace(manifest, files=sums)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        _add(archive, backups.MANIFEST, whole.as_text().encode())
        for name, content in contents.items():
            _add(archive, name, content)
    content = packed.getvalue()
    if password_file:
        content = _vault(password_file).encrypt(content)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(
        folder, backups.file_name(manifest.cluster, manifest.made, bool(password_file))
    )
    handle, part = tempfile.mkstemp(dir=folder, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(handle)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    return path


def prune(folder: str, cluster: str, keep: int) -> list[str]:
    """Delete the oldest backups of a cluster but ``keep``, and return their names."""
    names = backups.surplus(os.listdir(folder), cluster, keep)
    for name in names:
        os.unlink(os.path.join(folder, name))
    return names


def find(path: str, cluster: str) -> str:
    """Return a backup by its path, or the newest one of a cluster in a folder."""
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        names = backups.of_cluster(os.listdir(path), cluster)
        if not names:
            raise InputError(f"expected a backup of the cluster {cluster} in {path}, found none")
        path = os.path.join(path, names[0])
    if not os.path.isfile(path):
        raise InputError(f"expected a backup at {path}, found no file: correct emqx_restore_from")
    return path


def read(path: str, password_file: str) -> tuple[Manifest, dict[str, bytes]]:
    """Return the manifest and the files of a backup; raise InputError unless it is whole."""
    content = _content(path)
    if is_encrypted(content):
        if not password_file:
            raise InputError(
                f"{path} is encrypted: set emqx_backup_vault_password_file to the file with its "
                "password"
            )
        try:
            content = _vault(password_file).decrypt(content)
        except AnsibleError as error:
            raise InputError(
                f"{path} is not decrypted by the password in {password_file}: {error}"
            ) from None
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = dict(_members(archive))
    except (tarfile.TarError, EOFError) as error:
        raise InputError(f"expected a backup at {path}, found something else: {error}") from None
    manifest = backups.read_manifest(files.pop(backups.MANIFEST, b"").decode("utf-8", "replace"))
    sums = {name: sha256(found).hexdigest() for name, found in files.items()}
    damaged = backups.damaged(manifest, sums)
    if damaged or backups.DATA not in files:
        raise InputError(
            f"the backup {path} is damaged: {', '.join(damaged) or backups.DATA} is missing or not "
            "what was saved; choose another one"
        )
    return manifest, files


def _members(archive: tarfile.TarFile) -> t.Iterator[tuple[str, bytes]]:
    for member in archive:
        stream = archive.extractfile(member) if member.isreg() else None
        if stream is not None:
            yield member.name, stream.read()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def _content(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _vault(password_file: str) -> VaultLib:
    path = os.path.expanduser(password_file)
    try:
        secret = get_file_vault_secret(filename=path, vault_id=_VAULT_ID, loader=DataLoader())
        secret.load()
    except AnsibleError as error:
        raise InputError(
            f"the password in {password_file} cannot be read: {error}; correct "
            "emqx_backup_vault_password_file"
        ) from None
    return VaultLib([(_VAULT_ID, secret)])
