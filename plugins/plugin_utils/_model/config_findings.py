# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Warnings about emqx_config and emqx_base_config: values and keys that EMQX takes otherwise."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import split_path
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.environment import (
    is_literal_reference,
    literal_finding,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

# Below these, keys are the user's own words and no parts of a path (EMQX 5.0 to 6.3): filters of
# MongoDB and LDAP, headers of HTTP and Kafka, claims of JWT, tags and fields of time series.
_FREE_KEYS = frozenset(
    (
        "body",
        "client_attrs",
        "fields",
        "filter",
        "headers",
        "kafka_ext_headers",
        "metadata",
        "properties",
        "tags",
        "user_property",
        "verify_claims",
    )
)

Place = t.Tuple[str, t.Any, t.Tuple[str, ...]]


def config_findings(settings: Settings) -> list[Finding]:
    """Return warnings about references that stay text, and about dots that split a key."""
    return [
        finding
        for variable, given in (
            ("emqx_config", settings.config),
            ("emqx_base_config", settings.base_config),
        )
        for key, value, parents in _places(given, ())
        for finding in _findings(variable, key, value, parents)
    ]


def _places(value: t.Any, parents: tuple[str, ...]) -> t.Iterator[Place]:
    """Yield each key as it was written, with its value and the names of all that it stands in."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _places(item, parents)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key), item, parents
            yield from _places(item, (*parents, *_parts(str(key))))


def _parts(key: str) -> list[str]:
    try:
        return split_path(key)
    except InputError:
        return [key]


def _findings(
    variable: str, key: str, value: t.Any, parents: tuple[str, ...]
) -> t.Iterator[Finding]:
    parts = _parts(key)
    where = ".".join((*parents, key))
    texts = value if isinstance(value, (list, tuple)) else [value]
    if any(is_literal_reference(parts[-1], text) for text in texts):
        yield literal_finding(variable, where)
    if len(parts) > 1 and _FREE_KEYS.intersection((*parents, *parts[:-1])):
        free = next((part for part in (*parents, *parts) if part in _FREE_KEYS), "")
        # filter.name is a path to the first of the user's own keys.
        if free in parents or len(parts) > parts.index(free) + 2:
            yield _dotted(variable, where, key)


def _dotted(variable: str, where: str, key: str) -> Finding:
    return Finding(
        "dotted_key",
        "a key that holds a dot in double quotes within the YAML key, as a dot nests keys",
        f"{where} in {variable}, which EMQX gets as keys within keys",
        f"write '\"{key}\"' to keep the dots, or nest the keys to say that this is meant",
        subject=variable,
        severity=WARNING,
    )
