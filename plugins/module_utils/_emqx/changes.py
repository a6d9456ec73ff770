# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a change of a node's files means: for the reader of a diff, and for the running node."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import parse
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import flatten
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

# A node picks these up without a restart: discovery reads its seeds again in every round, and a
# member that is in its cluster does not look for one (ekka 0.13-0.23). The password is that of a
# user who is made at the first start of a cluster, and never looked at again (EMQX 5.0 to 6.3).
_RUNTIME_KEYS = frozenset({"cluster.static.seeds", "dashboard.default_password"})

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

    Both map paths to texts, None where there is no such file. HOCON files and environments are
    compared key by key, so comments and layout never restart a node; other files, and what cannot
    be read, as a whole, by their path.
    """
    changes: set[str] = set()
    for path, text in current.items():
        before = booted.get(path)
        if (before or "") == (text or ""):
            continue
        if is_hocon(path):
            keys = changed_keys(before, text)
        elif path.endswith(".env"):
            keys = _changed_variables(before, text)
        else:
            keys = {_WHOLE}
        changes.update(path if key == _WHOLE else key for key in keys)
    return sorted(changes - _RUNTIME_KEYS)


def cluster_wide(keys: t.Iterable[str]) -> list[str]:
    """Return those of the changed keys that all nodes have to change at the same time."""
    return sorted(CLUSTER_WIDE_KEYS.intersection(keys))


# Stands for a file that cannot be compared key by key.
_WHOLE = "(whole file)"


def changed_keys(before: str | None, after: str | None) -> set[str]:
    """Return the dotted keys in which two HOCON texts differ; null is a value of its own."""
    old, new = _flat(before), _flat(after)
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _changed_variables(before: str | None, after: str | None) -> set[str]:
    """Return the keys that variables override in which two systemd environment files differ."""
    old, new = _variables(before), _variables(after)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return {environment_key(name) or name for name in changed}


def _variables(text: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in (text or "").splitlines():
        match = re.fullmatch(r"([A-Za-z_]\w*)=(.*)", line)
        if match:
            name = match.group(1)
            found[name] = match.group(2)
        elif name and line.strip() and not line.startswith(("#", ";")):
            # A quoted value goes on over several lines.
            found[name] += f"\n{line}"
    return found


def _flat(text: str | None) -> dict[str, str]:
    """Return the values as JSON, in which true is not 1 and the order of keys means nothing."""
    try:
        values = flatten(parse(text or ""))
    except InputError:
        values = {_WHOLE: text}
    return {key: json.dumps(value, sort_keys=True) for key, value in values.items()}


def environment_key(name: str) -> str:
    """Return the key that an environment variable overrides, "" where it is none of EMQX's.

    >>> environment_key("EMQX_NODE__DATA_DIR")
    'node.data_dir'
    """
    legacy = {"EMQX_NODE_NAME": "node.name", "EMQX_NODE_COOKIE": "node.cookie"}
    if not name.startswith("EMQX_"):
        return ""
    return legacy.get(name) or name[len("EMQX_") :].lower().replace("__", ".")
