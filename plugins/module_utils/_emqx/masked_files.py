# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Files of a node as a diff may show them."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import is_hocon
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import render
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import parse
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masked_lines import (
    CHANGED,
    masked_lines,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import MASK, masked
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.secret_values import UNREADABLE
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree


def masked_texts(path: str, before: str | None, after: str | None) -> tuple[str, str]:
    """Return both texts fit to be shown: no secret, and that a secret changed still visible."""
    if is_hocon(path):
        try:
            return _masked_trees(parse(before or ""), parse(after or ""))
        except UNREADABLE:
            # Written by hand in a way that only EMQX reads.
            return masked_lines(before or "", after or "")
    return masked_lines(before or "", after or "")


def masked_whole(before: str | None, after: str) -> tuple[str, str]:
    """Return of two texts that are secret as a whole only whether the first is there."""
    return (MASK, MASK if before == after else MASK + CHANGED) if before else ("", MASK)


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
    return f"{shown_new}{CHANGED}" if old != new and shown_old == shown_new else shown_new
