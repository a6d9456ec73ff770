# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The ends of a node's logs, which the user that runs it may have replaced by anything."""

from __future__ import annotations

import datetime as dt
import fnmatch
import os

from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import (
    ABSENT,
    names_in,
    open_plain,
    read_text,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import Runner

_JOURNAL_LINES = 200
_PATTERNS = ("emqx.log*", "erlang.log*")
_NEWEST = 2
_DUMP, _DUMP_BYTES = "erl_crash.dump", 400


def log_texts(run: Runner, log_dir: str, service: str, limit: int) -> dict[str, str]:
    """Return the ends of the newest logs, by name; nothing of it is fit to be shown yet."""
    texts = {}
    names = [name for name in names_in(log_dir) if not name.endswith((".idx", ".siz"))]
    for pattern in _PATTERNS:
        found = {name: _written(f"{log_dir}/{name}") for name in fnmatch.filter(names, pattern)}
        plain = {name: moment for name, moment in found.items() if moment is not None}
        for name in sorted(plain, key=lambda name: plain[name])[-_NEWEST:]:
            texts[name] = _tail(f"{log_dir}/{name}", limit)
    moment = _written(f"{log_dir}/{_DUMP}")
    if moment is not None:
        written = dt.datetime.fromtimestamp(moment, dt.timezone.utc).isoformat()
        texts[_DUMP] = f"{written}\n{read_text(f'{log_dir}/{_DUMP}', _DUMP_BYTES) or ''}"
    try:
        shape = ["--output", "short-iso", "--lines", str(_JOURNAL_LINES)]
        rc, out, _err = run(["journalctl", "--unit", service, "--no-pager", *shape])
    except OSError:
        rc, out = 1, ""
    texts[f"journal of {service}"] = out[-limit:] if rc == 0 else ""
    return texts


def _written(path: str) -> float | None:
    """Return when a plain file was written to last, None for anything else."""
    try:
        with open_plain(path) as stream:
            return os.fstat(stream.fileno()).st_mtime
    except ABSENT:
        return None


def _tail(path: str, limit: int) -> str:
    # One more, to know whether there is more.
    text = read_text(path, limit + 1, end=True) or ""
    # The first line may have lost its beginning, and with it the name of a secret.
    return text if len(text.encode()) <= limit else text.partition("\n")[2]
