# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Put findings of all sources together: whether they end a run, and how they are shown."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    Finding,
    in_order,
    is_error,
    text,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.case import Link
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import Diagnosis

PREFLIGHT, DOCTOR, REFUSAL = "preflight", "doctor", "refusal"
# Said of what was not looked at: with them no verdict speaks of all of a cluster.
_GAPS = frozenset({"not_examined", "unread", "unreachable", "discovery_unasked"})


@dataclass(frozen=True)
class Verdict:
    """Findings without repetitions, errors first, and connections that were tried."""

    findings: tuple[Finding, ...]
    links: tuple[Link, ...]
    purpose: str

    @property
    def passed(self) -> bool:
        """Whether nothing is an error."""
        return not any(map(is_error, self.findings))

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if is_error(finding)]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if not is_error(finding)]

    def lines(self) -> list[str]:
        """Return what people read: all findings, and one sentence at the end."""
        return [*text(self.findings), self.summary()]

    def summary(self) -> str:
        counts = f"{_count(self.errors, 'error')} and {_count(self.warnings, 'warning')}"
        if self.purpose == DOCTOR:
            if self.findings:
                return f"Found {counts}."
            return "No finding: the cluster is well."
        if self.errors:
            return f"Expected no error, found {counts}: mend the errors before a deployment."
        if self.purpose == REFUSAL:
            return f"Found {counts}."
        opened = sum(link.state == "open" for link in self.links)
        share = f"{opened} of {len(self.links)} connections are open"
        gaps = sorted({f.code for f in self.findings if f.code in _GAPS})
        if gaps:
            return f"Found {counts}: not all was looked at ({', '.join(gaps)}), {share}."
        return f"Found {counts}: the cluster can form, {share}."

    def as_dict(self) -> Json:
        """Return its JSON form; docs/schema/ describes it."""
        return {
            "healthy" if self.purpose == DOCTOR else "passed": self.passed,
            "findings": [finding.as_dict() for finding in self.findings],
            "links": [link.as_dict() for link in self.links],
        }


def verdict(
    findings: t.Iterable[Finding], links: t.Iterable[Link] = (), purpose: str = REFUSAL
) -> Verdict:
    """Return the verdict on findings of any source; ``purpose`` is preflight, doctor or refusal.

    A host that gives no answer is named once, by what was read first.
    """
    kept: list[Finding] = []
    lost: set[str] = set()
    for finding in findings:
        if finding.code == "unreachable":
            if finding.hosts and lost.issuperset(finding.hosts):
                continue
            lost.update(finding.hosts)
        kept.append(finding)
    return Verdict(tuple(in_order(kept)), tuple(links), purpose)


def explain_failure(diagnosis: Diagnosis) -> list[str]:
    """Return what a failed run prints at its end: the causes, in place of advice to look for them.

    Warnings are left out where there are errors.
    """
    errors = [finding for finding in diagnosis.findings if is_error(finding)]
    shown = errors or list(diagnosis.findings)
    if not shown:
        return [
            "This run failed, and nothing on its hosts shows why: see the message of the task that "
            "failed."
        ]
    if not errors:
        head = "This run failed. No cause of it shows on the hosts; what else was found there:"
    else:
        head = f"This run failed. {_count(errors, 'cause').capitalize()} found on its hosts:"
    return [head, *text(shown)]


def _count(findings: t.Sized, word: str) -> str:
    number = len(findings)
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
