# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What an address is, and under which one others reach the hosts of a service."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record


def addresses(
    hosts: t.Iterable[str], variables: t.Mapping[str, Record], variable: str
) -> dict[str, str]:
    """Return by host the address that ``variable`` gives, else ansible_host, else its name."""
    found = {}
    for host in hosts:
        given = variables.get(host, {})
        found[host] = str(given.get(variable) or given.get("ansible_host") or host)
    return found


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
