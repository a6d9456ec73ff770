# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Files of a node as a diff may show them, and the secrets in them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import (
    environment_key,
    is_hocon,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import render
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import (
    parse,
    read_variable,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import (
    MASK,
    SECRET_END,
    SECRET_WORD,
    masked,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record, Tree

# Numbers and nestings without end, too: who writes cluster.hocon is not to be trusted.
_UNREADABLE = (InputError, RecursionError, ValueError)


def masked_texts(path: str, before: str | None, after: str | None) -> tuple[str, str]:
    """Return both texts fit to be shown: no secret, and that a secret changed still visible."""
    if is_hocon(path):
        try:
            return _masked_trees(parse(before or ""), parse(after or ""))
        except _UNREADABLE:
            # Written by hand in a way that only EMQX reads.
            return _masked_lines(before or "", after or "")
    return _masked_lines(before or "", after or "")


def masked_whole(before: str | None, after: str) -> tuple[str, str]:
    """Return of two texts that are secret as a whole only whether the first is there."""
    return (MASK, MASK if before == after else MASK + _CHANGED) if before else ("", MASK)


def _masked_trees(old: Tree, new: Tree) -> tuple[str, str]:
    shown_old, shown_new = masked(old), masked(new)
    return render(shown_old), render(_marked(old, new, shown_old, shown_new))


def _marked(old: t.Any, new: t.Any, shown_old: t.Any, shown_new: t.Any) -> t.Any:
    """Return ``shown_new`` with a mark wherever only the masks make it equal to ``shown_old``."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            key: _marked(old[key], new[key], shown_old[key], shown) if key in old else shown
            for key, shown in shown_new.items()
        }
    if isinstance(old, list) and isinstance(new, list):
        pairs = zip(old, new, shown_old, shown_new)
        return [_marked(*items) for items in pairs] + shown_new[len(old) :]
    return f"{shown_new}{_CHANGED}" if old != new and shown_old == shown_new else shown_new


_CHANGED = " (changed)"

# From the first name of a secret on, nothing of a line is shown; a name with a dot (license.key)
# may stand in a block of its own, so its last part has to be a whole key.
_SECRET_IN_LINE = re.compile(
    rf"(?:{SECRET_WORD}[\w.-]*|(?<![\w-])(?:{SECRET_END}|key)(?=[\"\s]*[=:])"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----)\"?\s*[=:]?\s*",
    re.IGNORECASE,
)


def _masked_lines(before: str, after: str) -> tuple[str, str]:
    old, new = list(_statements(before)), list(_statements(after))
    raw_before, shown_before = {raw for raw, _shown in old}, {shown for _raw, shown in old}
    return (
        "".join(f"{shown}\n" for _raw, shown in old),
        "".join(
            f"{shown}{_CHANGED if shown in shown_before and raw not in raw_before else ''}\n"
            for raw, shown in new
        ),
    )


def _statements(text: str) -> t.Iterator[tuple[str, str]]:
    """Yield each line as it is and as it may be shown, a secret with all its lines as one.

    Comments are left out: they may hold old secrets, and HOCON is shown without them too.
    """
    raw = shown = ""
    head = 0
    for line in text.splitlines():
        if raw:
            raw += "\n" + line
        elif line.lstrip().startswith(("#", "//", ";")):
            continue
        else:
            match = _SECRET_IN_LINE.search(line)
            if match is None:
                yield line, masked(line)
                continue
            raw, head, shown = line, match.end(), _head_of(masked(line))
        # A value that is not in this line stands in the next one.
        if raw[head:].strip() and not _is_open(raw):
            yield raw, shown
            raw = ""
    if raw:
        yield raw, shown


def _head_of(line: str) -> str:
    match = _SECRET_IN_LINE.search(line)
    return line[: match.end()] + MASK if match else line


def _is_open(statement: str) -> bool:
    return bool(
        statement.count('"') % 2
        or statement.count("[") > statement.count("]")
        or statement.count("-----BEGIN ") > statement.count("-----END ")
    )


def secret_values(texts: t.Iterable[str], environment: Record) -> set[str]:
    """Return the secrets in HOCON texts and in an environment, to keep them out of messages.

    What is shorter than four characters is left out: it would be found in any message.
    """
    given = {environment_key(name): value for name, value in environment.items()}
    # EMQX reads values as HOCON: a secret may stand in quotes that are none of it.
    plain = {key: read_variable(value) for key, value in given.items() if isinstance(value, str)}
    trees: list[Tree] = [given, plain]
    for text in texts:
        try:
            trees.append(parse(text))
        except _UNREADABLE:
            continue
    return {value for tree in trees for value in _hidden(tree, masked(tree)) if len(value) > 3}


def _hidden(value: t.Any, shown: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _hidden(item, shown[key])
    elif isinstance(value, list):
        for item, shown_item in zip(value, shown):
            yield from _hidden(item, shown_item)
    elif shown == MASK:
        yield str(value)
