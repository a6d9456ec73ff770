# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""From which version of EMQX a cluster can be upgraded to which, node by node, as data.

VENDOR is EMQX's matrix of rolling upgrades (documentation of 6.2, deploy/rolling-upgrades); a
number is that of a change in EMQX's list of changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import parse

VENDOR = "EMQX documentation, rolling upgrades"
# Where no rule holds, the upgrade is allowed and nothing is lost.
LOSSY, REFUSED = "lossy", "refused"

# The lines of releases that the rules were read for.
LINES = (
    *("5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "5.8", "5.9", "5.10"),
    *("6.0", "6.1", "6.2"),
)


@dataclass(frozen=True)
class Rule:
    """What prevents an upgrade, or what it costs, for versions older than ``below`` that go to
    ``since`` or newer, and older than ``until`` where that is set.

    ``text`` says why not, or what is lost. ``via`` is the version to go to first, "" for no way,
    ``there`` what is to be done with it before the next hop.
    """

    below: str
    since: str
    outcome: str
    text: str
    source: str
    until: str = ""
    via: str = ""
    there: str = ""

    def holds(self, current: str, wanted: str) -> bool:
        old, new = parse(current), parse(wanted)
        early = not self.until or new < parse(self.until)
        return old < parse(self.below) and parse(self.since) <= new and early


RULES: tuple[Rule, ...] = (
    Rule(
        "5.0.0",
        "5.0.0",
        REFUSED,
        "there is no way from 4.x but a new cluster and an import",
        "EMQX documentation, upgrade from 4.4 to 5.1",
    ),
    Rule(
        "5.4.0",
        "5.9.0",
        REFUSED,
        "the routes of versions before 5.4 are deleted",
        f"{VENDOR}, note 2",
        via="5.8.9",
        there="stop and start all nodes together, which changes the schema of the routes",
    ),
    Rule(
        "5.9.0",
        "5.9.0",
        REFUSED,
        "a node may not boot, as it does not take over the configuration of an older one",
        "#15712",
        until="5.10.1",
        via="5.10.4",
    ),
    Rule(
        "5.8.0",
        "6.0.0",
        REFUSED,
        "only 5.8.0 and newer can be upgraded to 6.x",
        f"{VENDOR}; #16047",
        via="5.10.4",
    ),
    Rule(
        "6.0.0",
        "6.0.0",
        REFUSED,
        "6.0.0 does not take over bridges of 5.x",
        "#16047",
        until="6.0.1",
        via="6.0.3",
    ),
    Rule(
        "5.6.0",
        "5.6.0",
        LOSSY,
        "EMQX lists the way from 5.4 and 5.5 to 5.6 as one with limits: prefer 5.7 or 5.8",
        VENDOR,
        until="5.7.0",
    ),
    Rule(
        "6.0.0",
        "6.0.1",
        LOSSY,
        "the state of durable sessions is lost: they begin anew",
        f"{VENDOR}, note 4",
    ),
    Rule(
        "6.1.1",
        "6.1.1",
        LOSSY,
        "durable storage pauses until more than half of the nodes are upgraded, and there is no "
        "way back from then on",
        "#16614",
    ),
)


@dataclass(frozen=True)
class Path:
    """The way from a version to another: what is in the way (``refused``), what is ``lost``, and
    the versions to go through (``hops``), the last one included; none where there is no way."""

    refused: tuple[Rule, ...] = ()
    lost: tuple[Rule, ...] = ()
    hops: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """Return which way to take instead, "" where there is none."""
        there = {rule.via: f", {rule.there} there" for rule in self.refused if rule.there}
        first = self.hops[0] if self.hops else ""
        rest = [f"then to {hop}" for hop in self.hops[1:]]
        return ", ".join([f"go to {first} first{there.get(first, '')}", *rest]) if first else ""


def path(current: str, wanted: str) -> Path:
    """Return whether a running cluster can be upgraded to a newer version. Raises InputError for
    what is no version."""
    found = [rule for rule in RULES if rule.holds(current, wanted)]
    return Path(
        refused=tuple(rule for rule in found if rule.outcome == REFUSED),
        lost=tuple(rule for rule in found if rule.outcome == LOSSY),
        hops=_hops(current, wanted),
    )


def _hops(current: str, wanted: str) -> tuple[str, ...]:
    rule = next((r for r in RULES if r.outcome == REFUSED and r.holds(current, wanted)), None)
    if rule is None:
        return (wanted,)
    if not rule.via:
        return ()
    if parse(rule.via) >= parse(wanted):
        return _hops(current, rule.via)
    first, rest = _hops(current, rule.via), _hops(rule.via, wanted)
    return (*first, *rest) if first and rest else ()
