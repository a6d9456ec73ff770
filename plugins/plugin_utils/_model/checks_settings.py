# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Check what holds for a whole cluster: the version, values that it has, TLS of its transport."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

Findings = t.Iterator[Finding]


def version(value: str) -> Findings:
    """Yield what is wrong with a version; "" is one that is not known."""
    try:
        versions.parse(value or "0.0.0")
    except InputError:
        yield Finding(
            "bad_version",
            "three numbers such as 5.8.9",
            value,
            "write the full version",
            subject="emqx_version",
        )


def choices(settings: Settings, edition: str) -> Findings:
    """Yield the settings whose value this version of EMQX does not have."""
    for setting in versions.CHOICES:
        # Where emqx_dist_tls makes another transport of it, that one counts.
        value = settings.transport if setting == "proto_dist" else str(getattr(settings, setting))
        yield from _choice(setting, value, settings.version, edition)


def _choice(setting: str, value: str, known: str, edition: str) -> Findings:
    allowed = versions.choices(setting, known, edition)
    if value in allowed:
        return
    one_of = "one of " + ", ".join(allowed)
    subject = f"emqx_{setting}"
    span = versions.CHOICES[setting].get(value)
    if span is None:
        yield Finding(
            f"unknown_{setting}", one_of, value or "none", "correct its spelling", subject=subject
        )
    else:
        yield Finding(
            f"{setting}_not_in_version",
            f"{one_of} in EMQX {known}",
            value,
            f"{value} needs {versions.describe(span)}, choose another or change emqx_version",
            subject=subject,
        )


def transport(settings: Settings) -> Findings:
    """Yield where nodes would talk TLS by the vendor's certificates, which verify nobody."""
    if settings.proto_dist.endswith("_tls") and not settings.dist_tls:
        plain = settings.proto_dist.replace("_tls", "_tcp")
        yield Finding(
            "tls_without_certificates",
            "emqx_dist_tls true, which gives the nodes certificates and has both ends verified",
            f"{settings.proto_dist} without it, where EMQX takes the vendor's certificates, whose "
            "key everybody has",
            f"set emqx_dist_tls to true, or emqx_proto_dist to {plain}",
            subject="emqx_proto_dist",
        )
