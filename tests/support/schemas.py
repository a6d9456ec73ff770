# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Check JSON against the schemas that docs/schema/ publishes."""

from __future__ import annotations

import functools
import json
import typing as t
from pathlib import Path

import jsonschema
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[2] / "docs" / "schema"


@functools.lru_cache(maxsize=None)
def validator(name: str) -> jsonschema.Draft202012Validator:
    schemas = {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in FOLDER.glob("*.schema.json")
    }
    known: Registry[t.Any] = Registry().with_resources(
        (file, Resource.from_contents(schema)) for file, schema in schemas.items()
    )
    return jsonschema.Draft202012Validator(schemas[f"{name}.schema.json"], registry=known)


def check(name: str, value: t.Any) -> None:
    """Raise unless a value, once it was written and read as JSON, is as its schema says."""
    validator(name).validate(json.loads(json.dumps(value)))
