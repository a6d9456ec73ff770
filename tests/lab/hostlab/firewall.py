# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules that netavark (1.4) leaves on the machine when a network goes, or when it was killed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

FORWARD = "NETAVARK_FORWARD"
#: Chains that netavark makes for all networks together and never removes.
SHARED = (FORWARD, "NETAVARK-HOSTPORT-DNAT", "NETAVARK-HOSTPORT-MASQ", "NETAVARK-HOSTPORT-SETMARK")


def removal(save: str, subnets: Collection[str]) -> str:
    """Turn the output of iptables-save into input for iptables-restore --noflush.

    The result deletes the rules of the given subnets and, when no other network is left, the
    shared chains; it is empty when there is nothing to delete. Rules of others stay.
    """
    rules = [shlex.split(line) for line in save.splitlines() if line.startswith("-A ")]
    chains = {line[1:].split()[0] for line in save.splitlines() if line.startswith(":NETAVARK")}
    own = {
        _target(rule) for rule in rules if rule[1] == "POSTROUTING" and _names(rule, subnets)
    } & chains
    foreign = chains - own - set(SHARED)
    forwards = [rule for rule in rules if rule[1] == FORWARD and not _names(rule, subnets)]
    doomed = own if foreign or forwards else chains
    tables: list[str] = []
    for table in save.split("*")[1:]:
        lines = _table(table.splitlines(), doomed, subnets)
        if lines:
            tables += [f"*{table.splitlines()[0]}", *lines, "COMMIT"]
    return "".join(f"{line}\n" for line in tables)


def _table(lines: list[str], doomed: Collection[str], subnets: Collection[str]) -> list[str]:
    chains = [line[1:].split()[0] for line in lines if line.startswith(":")]
    rules = [line for line in lines if line.startswith("-A ")]
    gone = [chain for chain in chains if chain in doomed]
    delete = [
        f"-D {line[3:]}"
        for line in rules
        for rule in [shlex.split(line)]
        if rule[1] not in doomed
        and (_target(rule) in doomed or (rule[1] == FORWARD and _names(rule, subnets)))
    ]
    return [*delete, *(f"-F {chain}" for chain in gone), *(f"-X {chain}" for chain in gone)]


def _target(rule: list[str]) -> str:
    return rule[rule.index("-j") + 1] if "-j" in rule else ""


def _names(rule: list[str], subnets: Collection[str]) -> bool:
    return any(word in subnets for word in rule)
