# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The ports of a node, out of its name and the number of its instance.

The rules are those of ekka 0.13 to 0.23 and gen_rpc 2.8 to 3.5 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import re

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

DIST_BASE_PORT = 4370
RPC_BASE_PORT = 5370
RPC_SERVER_PORT = 5369
PORT_DISCOVERIES = ("stateless", "manual")

SUFFIX_MODULUS = 60000
_SUFFIX = re.compile(r"[0-9]+$")
# int() refuses thousands of digits; names of more than 255 characters are reported as invalid.
_MAX_DIGITS = 255


def suffix_of(name: str) -> int:
    """Return the number formed by all digits right before the ``@`` of a node name, or 0."""
    digits = _SUFFIX.search(name.partition("@")[0])
    return int(digits.group()[-_MAX_DIGITS:]) if digits else 0


def offset_of(name: str) -> int:
    """Return what a node name adds to the base of its distribution and stateless RPC port."""
    return suffix_of(name) % SUFFIX_MODULUS


def node_ports(
    name: str, port_discovery: str = "stateless", server_port: int = RPC_SERVER_PORT
) -> dict[str, int]:
    """Return ``offset``, ``distribution`` and ``rpc``: the TCP ports between cluster nodes.

    The offset is the trailing number of the short name, modulo 60000. The rpc port is
    5370 + offset with stateless port discovery and ``server_port`` with manual. Raises
    InputError for a port discovery other than these two.
    """
    if port_discovery not in PORT_DISCOVERIES:
        raise InputError(
            f"rpc port discovery is {port_discovery!r}, expected stateless or manual.",
            found=str(port_discovery),
        )
    offset = offset_of(name)
    return {
        "offset": offset,
        "distribution": DIST_BASE_PORT + offset,
        "rpc": RPC_BASE_PORT + offset if port_discovery == "stateless" else server_port,
    }
