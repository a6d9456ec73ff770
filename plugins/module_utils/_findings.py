# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A finding: one thing that is wrong, the same for all that can be.

Preflight, doctor, status and every refusal print and write findings in the forms of this file;
docs/schema/ describes the JSON form.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

Fact = t.Tuple[str, ...]
Facts = t.FrozenSet[Fact]

NO_FACTS: Facts = frozenset()
ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """What was expected, what was found, and what to do about it.

    ``hosts`` are inventory hosts, empty where it is about the cluster; ``subject`` is the variable
    or thing that it is about, "" for none; ``evidence`` are lines that speak for it.

    The diagnosis uses the rest: ``explains`` are the facts that follow from it. ``about`` are those
    that it only puts into words: where others before it explain all of them, it is left out.
    ``mended`` is what a deployment mends by itself: before one, it is a warning.
    """

    code: str
    expected: str
    found: str
    remedy: str
    hosts: tuple[str, ...] = ()
    subject: str = ""
    severity: str = ERROR
    evidence: tuple[str, ...] = ()
    explains: Facts = NO_FACTS
    about: Facts = NO_FACTS
    mended: bool = False

    @property
    def where(self) -> str:
        """Who and what it is about, as its texts begin."""
        hosts = f"Host{'' if len(self.hosts) == 1 else 's'} {', '.join(self.hosts)}"
        return ", ".join(
            word for word in (hosts if self.hosts else "Cluster", self.subject) if word
        )

    def sentence(self) -> str:
        """Return it as one sentence.

        >>> Finding("disk", "1024 MB free", "7 MB", "make room", hosts=("n1",)).sentence()
        'Host n1: expected 1024 MB free, found 7 MB: make room.'
        """
        end = "" if self.remedy.endswith(("?", ".")) else "."
        return f"{self.where}: expected {self.expected}, found {self.found}: {self.remedy}{end}"

    def lines(self) -> list[str]:
        """Return it as the lines that playbooks print."""
        return [
            f"{self.severity.upper()} [{self.code}] {self.where}",
            f"   expected: {self.expected}",
            f"   found: {self.found}",
            *(f"   seen: {line}" for line in self.evidence),
            f"   remedy: {self.remedy}",
        ]

    def as_dict(self) -> Json:
        """Return its JSON form."""
        return {
            "code": self.code,
            "severity": self.severity,
            "hosts": list(self.hosts),
            "subject": self.subject,
            "expected": self.expected,
            "found": self.found,
            "remedy": self.remedy,
            "evidence": list(self.evidence),
        }


def is_error(finding: Finding) -> bool:
    return finding.severity == ERROR


def in_order(findings: t.Iterable[Finding]) -> list[Finding]:
    """Return findings without repetitions, errors before warnings."""
    return sorted(dict.fromkeys(findings), key=lambda finding: not is_error(finding))


def text(findings: t.Iterable[Finding]) -> list[str]:
    """Return the lines of all findings, errors before warnings."""
    return [line for finding in in_order(findings) for line in finding.lines()]
