# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The nodes that the filter topology returns, as records."""

from __future__ import annotations

import dataclasses

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node

_EMPTY: Json = {"str": "", "int": 0, "bool": False}


def nodes(model: Record) -> list[Node]:
    """Return the nodes of a model, without their listeners."""
    return [_node(found) for found in model["nodes"].values()]


def _node(found: Record) -> Node:
    values: Json = {}
    for field in dataclasses.fields(Node):
        value = found.get(field.name, _EMPTY.get(str(field.type), ()))
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return Node(**{**values, "listeners": ()})
