# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Values as HOCON has them: trees of dictionaries, dotted paths, and the escapes of texts."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree

BARE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE = re.compile(r'[\\"\n\r\t]')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPES = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def escape(text: str) -> str:
    """Return a text as it stands between double quotes."""
    return _TO_ESCAPE.sub(lambda match: _ESCAPES[match.group()], text)


def unescape(text: str) -> str:
    """Decode the escapes EMQX's reader knows; like it, leave any other backslash alone."""
    return _ESCAPED.sub(lambda match: _UNESCAPES.get(match.group(1), match.group()), text)


def join(path: str, key: t.Any) -> str:
    """Append a key to a dotted path, quoted where it would not read back as one key."""
    part = str(key)
    if not BARE_KEY.fullmatch(part):
        part = '"' + escape(part) + '"'
    return f"{path}.{part}" if path else part


def merge(base: Tree, override: Tree) -> Tree:
    """Return ``base`` with ``override`` on top: dictionaries merge, all else is replaced."""
    result = dict(base)
    for key, value in override.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = merge(t.cast("Tree", old), value) if both else value
    return result


def flatten(value: Tree) -> Tree:
    """Return ``{"a.b.c": value}``; lists and empty dictionaries are values.

    Keys that are not plain words are quoted in the path, so ``expand`` undoes it.
    """
    result: Tree = {}

    def walk(fields: Tree, path: str) -> None:
        for key, item in fields.items():
            here = join(path, key)
            if item and isinstance(item, dict):
                walk(item, here)
            else:
                result[here] = item

    walk(value, "")
    return result
