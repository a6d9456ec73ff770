# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime as dt
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tls import plan


def tls_plan(wish: dict[str, t.Any], answer: dict[str, str]) -> dict[str, t.Any]:
    """Compare the certificates of a host with those that there shall be; see tls_plan.yml."""
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    try:
        return plan(wish, answer, _read, now)
    except OSError as error:
        raise AnsibleFilterError(f"tls_plan: {error}") from error


def _read(given: str) -> bytes | None:
    """Return a PEM text itself, or that of a file on the control node."""
    if "-----BEGIN " in given:
        return given.encode()
    try:
        with open(given, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_plan": tls_plan}
