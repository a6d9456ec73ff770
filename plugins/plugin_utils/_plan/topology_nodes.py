# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The nodes that the filter topology returns, as records."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node

_EMPTY: dict[str, t.Any] = {"str": "", "int": 0, "bool": False}


def nodes(model: t.Mapping[str, t.Any]) -> list[Node]:
    """Return the nodes of a model, without their listeners."""
    return [_node(found) for found in model["nodes"].values()]


def _node(found: t.Mapping[str, t.Any]) -> Node:
    values: dict[str, t.Any] = {}
    for field in dataclasses.fields(Node):
        value = found.get(field.name, _EMPTY.get(str(field.type), ()))
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return Node(**{**values, "listeners": ()})
