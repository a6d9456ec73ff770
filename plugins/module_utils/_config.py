# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

# Private to this collection: it may change in any release.

"""What a change of a node's files means: for the reader of a diff, and for the running node."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._hocon import (
    MASK,
    flatten,
    masked,
    parse,
    render,
)

# A node picks these up without a restart: discovery reads its seeds again in every round, and a
# member that is in its cluster does not look for one (ekka 0.13-0.23).
_RUNTIME_KEYS = frozenset({"cluster.static.seeds"})

# Nodes that differ in one of these cannot talk to one another, so they cannot change node by
# node (EMQX 5.x, rpc.* and cluster.proto_dist: both ends derive the peer's side from their own).
CLUSTER_WIDE_KEYS = frozenset(
    {
        "node.cookie",
        "cluster.proto_dist",
        "rpc.protocol",
        "rpc.driver",
        "rpc.port_discovery",
        "rpc.server_port",
        "rpc.tcp_server_port",
        "rpc.ssl_server_port",
    }
)

UNKNOWN_BOOT = "(started before its boot record existed)"


def is_hocon(path: str) -> bool:
    """Tell whether EMQX reads a file as HOCON; ssl_dist.conf holds Erlang terms."""
    return path.endswith(".hocon") or path.endswith("/emqx.conf")


def boot_changes(
    booted: t.Mapping[str, str | None], current: t.Mapping[str, str | None]
) -> list[str]:
    """Return what a running node does not know yet of its boot-time files, sorted.

    Both map paths to texts, None where there is no such file. HOCON files are compared key by
    key, so comments and layout never restart a node; other files as a whole, by their path.
    """
    changes: set[str] = set()
    for path, text in current.items():
        before = booted.get(path)
        if (before or "") == (text or ""):
            continue
        if is_hocon(path):
            changes.update(changed_keys(before, text))
        else:
            changes.add(path)
    return sorted(changes - _RUNTIME_KEYS)


def cluster_wide(keys: t.Iterable[str]) -> list[str]:
    """Return those of the changed keys that all nodes have to change at the same time."""
    return sorted(CLUSTER_WIDE_KEYS.intersection(keys))


def changed_keys(before: str | None, after: str | None) -> set[str]:
    """Return the dotted keys in which two HOCON texts differ."""
    old, new = _flat(before), _flat(after)
    return {
        key for key in old.keys() | new.keys() if old.get(key, _Absent) != new.get(key, _Absent)
    }


class _Absent:
    """The value of a key that is not there; null is a value of its own."""


def _flat(text: str | None) -> dict[str, t.Any]:
    try:
        return flatten(parse(text or ""))
    except InputError:
        # A file that we cannot read differs from every other one, and says so as a whole.
        return {"(unreadable)": text}


def masked_texts(path: str, before: str | None, after: str | None) -> tuple[str, str]:
    """Return both texts fit to be shown: no secret, and that a secret changed still visible."""
    if before is None:
        return "", _masked(path, after or "", set())
    changed = changed_keys(before, after) if is_hocon(path) else set()
    return _masked(path, before, set()), _masked(path, after or "", changed)


def _masked(path: str, text: str, changed: set[str]) -> str:
    if not is_hocon(path):
        return _masked_lines(text)
    try:
        tree = masked(parse(text))
    except InputError:
        return _masked_lines(text)
    for key in changed:
        _mark(tree, key)
    return render(tree)


def _masked_lines(text: str) -> str:
    # Without comments, as HOCON is shown too.
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "".join(f"{_mask_line(line)}\n" for line in lines)


def _mark(tree: dict[str, t.Any], key: str) -> None:
    *parents, last = key.split(".")
    node: t.Any = tree
    for parent in parents:
        node = node.get(parent) if isinstance(node, dict) else None
    if isinstance(node, dict) and node.get(last) == MASK:
        node[last] = f"{MASK} (changed)"


_ASSIGNMENT = re.compile(r"^(?P<head>[^#=:]*?(?P<key>[A-Za-z0-9_.\-]+)\s*[=:]\s*)(?P<value>.+)$")


def _is_secret(key: str) -> bool:
    return bool(masked({key: "x"}) != {key: "x"})


def _mask_line(line: str) -> str:
    match = _ASSIGNMENT.match(line)
    if match and _is_secret(match.group("key").replace("__", ".")):
        return match.group("head") + MASK
    return line


_ERROR_FIELDS = re.compile(
    r'(?P<name>path|reason|unknown|value|line|exception)\s*=>\s*(?P<text><<"(?:[^"\\]|\\.)*">>'
    r'|"(?:[^"\\]|\\.)*"|[^,}\s]+)'
)


def explain_refusal(stdout: str, stderr: str) -> str:
    """Return the reason in what ``emqx check_config`` printed (5.8.9: exit codes 1 and 127).

    >>> explain_refusal('', '#{path => "node", reason => unknown_fields, unknown => "nosuch"}')
    'node: unknown_fields "nosuch"'
    """
    text = re.sub(r"\s+", " ", f"{stdout} {stderr}")
    fields: dict[str, str] = {}
    for match in _ERROR_FIELDS.finditer(text):
        fields.setdefault(match.group("name"), match.group("text"))
    if "reason" not in fields:
        return (stderr or stdout).strip()[-400:]
    path = fields.get("path", "").strip('"')
    where = path or (f"line {fields['line']}" if "line" in fields else "the file")
    reason = fields["reason"].strip('"').strip()
    shown = fields.get("unknown") or fields.get("value")
    if shown is not None and _is_secret(path):
        shown = MASK
    return f"{where}: {reason}" + (f" {_term(shown)}" if shown is not None else "")


def _term(text: str) -> str:
    return text[2:-2] if text.startswith("<<") else text


def pending_files(
    files: t.Iterable[t.Mapping[str, t.Any]], states: t.Mapping[str, t.Mapping[str, t.Any]]
) -> list[str]:
    """Return the paths whose content, owner, group or mode is not yet as wanted.

    ``files`` holds dictionaries with path, content, owner, group and mode; ``states`` is what
    host_info found by path.
    """
    return [
        item["path"]
        for item in files
        if _wanted_state(item) != {key: states[item["path"]][key] for key in _STATE_KEYS}
    ]


_STATE_KEYS = ("sha256", "owner", "group", "mode")


def _wanted_state(item: t.Mapping[str, t.Any]) -> dict[str, str]:
    digest = hashlib.sha256(str(item["content"]).encode()).hexdigest()
    return {"sha256": digest, **{key: str(item[key]) for key in ("owner", "group", "mode")}}
