# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""HOCON as EMQX reads it: write it, from values with dotted keys; hocon_reader reads it back.

``render`` uses only what EMQX's reader and the HOCON specification share. Two habits of EMQX's
reader (seen in hocon 0.39 to 0.43, EMQX 5.0 to 5.8) shape its output:

* ``\\uXXXX`` is not decoded, so characters without a short escape are written as they are;
* a string ending in a backslash swallows the next quote of the same line, so every value is
  the last thing on its line.
"""

from __future__ import annotations

import math
import re
import typing as t
from decimal import Decimal

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import (
    BARE_KEY,
    escape,
    join,
    unescape,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree

_RESERVED_KEYS = frozenset(("true", "false", "null", "include", "required"))
# EMQX's reader ends a string at the Unicode line ends and has no escape for them.
_UNWRITABLE = re.compile("[\x00\u2028\u2029\ud800-\udfff]")
_PATH_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."]+)')
# Most values, which need no second look.
_PLAIN = re.compile(r"[A-Za-z0-9_.:@/-]*")


def render(value: Tree, indent: int = 2) -> str:
    """Return ``value`` as HOCON text, keys in the order given, ending in a newline.

    Keys are taken literally: one with a dot is quoted and stays one key (EMQX 5.2 and newer),
    see ``expand`` for paths. Strings are always quoted, so ``"5s"``, ``"1"`` and ``"null"``
    stay strings. Raises InputError naming the path of what HOCON or EMQX cannot hold.
    """
    _check_dictionary(value)
    lines: list[str] = []
    _render_fields(value, "", indent, "", lines)
    return "".join(f"{line}\n" for line in lines)


def render_value(value: t.Any, path: str) -> str:
    """Return one value as HOCON text, on one line where EMQX's reader can take it so; errors name
    ``path``."""
    lines = ["{" if value and isinstance(value, dict) else ""]
    _render_value(value, "", 2, path, lines)
    if any(line.endswith(('\\\\"', '\\\\",')) for line in lines):
        return "\n".join(lines)
    text = lines[0]
    for line in map(str.strip, lines[1:]):
        text += line if text[-1] in "{[" or line[0] in "}]" else f"{_separator(text)}{line}"
    return text


def _separator(text: str) -> str:
    return " " if text.endswith(",") else ", "


def _check_dictionary(value: t.Any) -> None:
    if not isinstance(value, dict):
        raise InputError(f"HOCON text is made of a dictionary, found {_kind(value)}.")


def _kind(value: t.Any) -> str:
    """Name a type as people know it, also where Ansible passes a type of its own."""
    known = (dict, list, tuple, bool, int, float, str)
    return next((kind for kind in known if isinstance(value, kind)), type(value)).__name__


def _render_fields(fields: Tree, margin: str, indent: int, path: str, lines: list[str]) -> None:
    for key, value in fields.items():
        here = join(path, key)
        head = margin + _key_text(key, here)
        lines.append(f"{head} {{" if value and isinstance(value, dict) else f"{head} = ")
        _render_value(value, margin, indent, here, lines)


def _render_value(value: t.Any, margin: str, indent: int, path: str, lines: list[str]) -> None:
    """Append ``value`` to the last line, and lines after it for what is nested."""
    deeper = margin + " " * indent
    if value and isinstance(value, dict):
        _render_fields(value, deeper, indent, path, lines)
        lines.append(margin + "}")
    elif value and isinstance(value, (list, tuple)):
        lines[-1] += "["
        for position, item in enumerate(value, start=1):
            here, comma = f"{path}.{position}", "," if position < len(value) else ""
            if isinstance(item, str):
                # The seeds of a large cluster stand in the file of each of its nodes.
                lines.append(f"{deeper}{_quote(item, here)}{comma}")
                continue
            lines.append(deeper + ("{" if item and isinstance(item, dict) else ""))
            _render_value(item, deeper, indent, here, lines)
            lines[-1] += comma
        lines.append(margin + "]")
    else:
        lines[-1] += _scalar(value, path)


def _scalar(value: t.Any, path: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _float_text(float(value), path)
    if isinstance(value, str):
        return _quote(value, path)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    raise InputError(
        f"{path} is of type {_kind(value)}; HOCON holds text, numbers, booleans, null, "
        "lists and dictionaries.",
        path=path,
    )


def _float_text(value: float, path: str) -> str:
    """Write a float without exponent: EMQX's reader takes ``1e5`` for two words."""
    if not math.isfinite(value):
        raise InputError(f"{path} is {value}; HOCON numbers are finite.", path=path)
    text = f"{Decimal(repr(value)):f}"
    return text if "." in text else f"{text}.0"


def _checked_key(key: t.Any, path: str) -> str:
    if isinstance(key, str):
        return key
    raise InputError(
        f"The key {key!r} at {path} is of type {_kind(key)}; keys are text, "
        "put it in quotes in the YAML source.",
        path=path,
    )


def _key_text(given: t.Any, path: str) -> str:
    key = _checked_key(given, path)
    if BARE_KEY.fullmatch(key) and key not in _RESERVED_KEYS:
        return key
    if not key or key.endswith("\\"):
        raise InputError(
            f"The key {key!r} at {path} cannot be written for EMQX: "
            "keys are not empty and do not end in a backslash.",
            path=path,
        )
    return _quote(key, path)


def _quote(text: str, path: str) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    bad = _UNWRITABLE.search(text)
    if bad:
        raise InputError(
            f"{path} holds the character U+{ord(bad.group()):04X}, which EMQX cannot read back "
            "from a configuration file; remove it.",
            path=path,
        )
    return '"' + escape(text) + '"'


def split_path(path: str) -> list[str]:
    """Split ``a.b."c.d"`` into its keys; InputError when it is not a path."""
    parts: list[str] = []
    position = 0
    while True:
        match = _PATH_PART.match(path, position)
        if match is None:
            raise InputError(
                f"{path!r} is not a path of keys: expected keys joined by single dots, a key "
                'that holds a dot in double quotes (a."b.c").',
                path=path,
            )
        parts.append(match.group(2) if match.group(1) is None else unescape(match.group(1)))
        position = match.end()
        if position == len(path):
            return parts
        if path[position] != ".":
            raise InputError(
                f"{path!r} is not a path of keys: expected a dot at {path[position:]!r}.",
                path=path,
            )
        position += 1


def expand(value: Tree) -> Tree:
    """Turn dotted keys at any level into nested dictionaries: ``{"a.b": 1, "a": {"c": 2}}``.

    A key that shall keep its dot is written in double quotes, ``{'"a.b"': 1}``. The input is not
    changed. Raises InputError when one path is given twice or both as a value and as a parent,
    and when ``value`` is not a dictionary.
    """
    _check_dictionary(value)
    return t.cast("Tree", _expand(value, ""))


def _expand(value: t.Any, path: str) -> t.Any:
    if isinstance(value, (list, tuple)):
        return [
            item if isinstance(item, str) else _expand(item, f"{path}.{n}")
            for n, item in enumerate(value, start=1)
        ]
    if not isinstance(value, dict):
        return value
    result: Tree = {}
    for key, item in value.items():
        *parents, last = split_path(_checked_key(key, join(path, key)))
        here = f"{path}.{key}" if path else key
        node: t.Any = _expand(item, here)
        for part in [last, *reversed(parents)]:
            node = {part: node}
        _graft(result, node, path)
    return result


def _graft(target: Tree, source: Tree, path: str) -> None:
    for key, value in source.items():
        here = join(path, key)
        if key not in target:
            target[key] = value
        elif isinstance(target[key], dict) and isinstance(value, dict):
            _graft(target[key], value, here)
        else:
            raise InputError(
                f"{here} is given twice, once as a dotted key: keep one of them.", path=here
            )
