# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A host's own addresses."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import Runner


def addresses(run: Runner, besides: t.Iterable[str] = ()) -> list[str]:
    """Return the host's own global addresses, IPv4 first, but for those in networks ``besides``."""
    _rc, stdout, _stderr = run(["ip", "-o", "address", "show", "scope", "global"])
    # A point-to-point link has "inet 10.8.0.1 peer 10.8.0.2/32".
    found = re.findall(r"\sinet6?\s+([0-9a-fA-F.:]+)(?:/|\s+peer\s)", stdout)
    inner = [ipaddress.ip_network(network) for network in besides]
    return [
        str(ip)
        for ip in sorted(map(ipaddress.ip_address, found), key=lambda ip: ip.version)
        if not any(ip in network for network in inner)
    ]
