# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by a list of seeds in each node's own configuration: nobody is asked.

An entry has ``name``.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import base

_WRITE = "run the playbook site, which writes the seeds of all members"

REASONS: t.Mapping[str, base.Phrases] = {
    "not_a_seed": base.lacking(_WRITE),
    "seed_of_nobody": base.foreign(_WRITE),
}
FAILURES: t.Mapping[str, base.Phrases] = {}
IN_PLACE: frozenset[str] = frozenset()
PERMANENT: frozenset[str] = frozenset()
OTHER_ANSWER = _WRITE


def lacks() -> str:
    return ""


def ask(settings: base.Settings, timeout: float, service_account: str = "") -> base.Answer:
    return base.answer("", [{"name": str(seed)} for seed in settings["seeds"]])


def source(settings: base.Settings) -> str:
    return "the seeds"


def form(settings: base.Settings, short_name: str, entry: base.Entry) -> str:
    return str(entry["name"])


def value(entry: base.Entry) -> str:
    return str(entry["name"])


def missing(
    settings: base.Settings, name: str, short_name: str, formed: base.Formed
) -> base.Reason:
    return "not_a_seed", name


def extra(entry: base.Entry, value: str) -> base.Reason:
    return "seed_of_nobody", value


def nameless(entry: base.Entry) -> str:
    return ""
