# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""An archive of what was gathered of a cluster, fit to be given away."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import tempfile
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.logs import scrub
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record

# Kinds of a licence and texts this short stand in ordinary words, too.
_NO_SECRETS = frozenset({"default", "evaluation"})
_SHORTEST = 4


def texts(evidence: Record, files: Record, secrets: t.Iterable[str]) -> dict[str, str]:
    """Return the contents by name, with secrets masked; certificates are left out.

    ``files`` holds texts, and what becomes JSON.
    """
    found = dict(files)
    for host, answers in evidence.items():
        gathered = dict((answers.get("host") or {}).get("evidence") or {})
        for name, text in gathered.pop("files", {}).items():
            found[f"{host}/{_file_name(name)}"] = text
        gathered.pop("certificates", None)
        shown = {**answers, "host": {**(answers.get("host") or {}), "evidence": gathered}}
        found[f"{host}/evidence.json"] = shown
    hidden = {s for s in secrets if len(s) >= _SHORTEST and s not in _NO_SECRETS}
    return {name: _text(_scrubbed(content, hidden)) for name, content in found.items()}


def _scrubbed(value: t.Any, secrets: t.Collection[str]) -> t.Any:
    if isinstance(value, t.Mapping):
        return {key: _scrubbed(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item, secrets) for item in value]
    return scrub(value, secrets) if isinstance(value, str) else value


def _text(content: t.Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, indent=2, sort_keys=True)


def _file_name(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]+", "-", name).lstrip(".")


def write(path: str, folder: str, contents: t.Mapping[str, str]) -> None:
    """Write the archive, for its owner only; what is there by that name is replaced."""
    directory = os.path.dirname(os.path.abspath(path))
    os.makedirs(directory, exist_ok=True)
    # A name that nobody can have put a link at, as the directory may be /tmp.
    handle, temporary = tempfile.mkstemp(dir=directory, suffix=".part")
    with os.fdopen(handle, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in sorted(contents.items()):
            data = text.encode()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    os.replace(temporary, path)
