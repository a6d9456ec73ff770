# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""How findings show the value of a public variable: never a secret, and nothing long."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding

# Of these no value is ever shown.
SECRETS = frozenset(
    {
        "cookie",
        "dashboard_password",
        "license",
        "k8s_token",
        "etcd_key",
        "tls_key",
        "tls_ca_passphrase",
        "config",
        "base_config",
        "environment",
        "container_options",
    }
)
# These may hold a password before an @ or behind a question mark.
_URLS = frozenset(
    {
        "package",
        "download_url",
        "repository_url",
        "repository_key",
        "etcd_servers",
        "k8s_apiserver",
    }
)


def kind_of(value: t.Any) -> str:
    """Return what a value is without showing it."""
    kinds: tuple[tuple[t.Any, str], ...] = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string"),
        (t.Mapping, "a dictionary"),
        ((list, tuple), "a list"),
    )
    if value is None:
        return "nothing (null)"
    return next(
        (name for types, name in kinds if isinstance(value, types)),
        f"a value of the type {type(value).__name__}",
    )


_LONGEST = 60


def shown(name: str, value: t.Any) -> str:
    """Return a value of a variable as findings show it, without a secret."""
    kind = kind_of(value)
    scalar = isinstance(value, (bool, int, float, str))
    if not scalar:
        return kind
    hidden = (
        name in SECRETS
        or (name in _URLS and isinstance(value, str) and re.search("[@?#]", value))
        or (isinstance(value, str) and "-----BEGIN" in value)
    )
    if hidden:
        return f"{kind} that is not shown"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST else value[:_LONGEST] + "...")
    return f"the number {value}" if abs(value) < 10**18 else "a number of more than 18 digits"


def finding(code: str, name: str, host: str, expected: str, found: str, remedy: str) -> Finding:
    """Return what is wrong with a variable of a host."""
    return Finding(code, expected, found, remedy, hosts=(host,), subject=f"emqx_{name}")
