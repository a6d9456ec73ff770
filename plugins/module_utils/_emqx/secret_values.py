# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The secrets in the configuration of a node, to keep them out of what is shown."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import environment_key
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import (
    parse,
    read_variable,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masking import MASK, masked
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record, Tree

# Numbers and nestings without end, too: who writes cluster.hocon is not to be trusted.
UNREADABLE = (InputError, RecursionError, ValueError)


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
        except UNREADABLE:
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
