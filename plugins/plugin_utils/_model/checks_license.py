# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Check the licences of the nodes against version and edition, never seeing a key."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.checks_roles import hosts_of
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node

Findings = t.Iterator[Finding]

_SUBJECT = "emqx_license"


def licenses(nodes: t.Sequence[Node], version: str, edition: str) -> Findings:
    """Yield what is wrong with the licences; "" is a version that is not known."""
    evaluating = [node for node in nodes if node.license == "evaluation"]
    if version:
        yield from _by_version(nodes, evaluating, version, edition)
    if evaluating:
        yield Finding(
            "license_evaluation",
            "a licence for use in production",
            f"evaluation on {hosts_of(evaluating)}",
            "it takes 25 sessions, and each node 30 days at a time: set your key before that",
            subject=_SUBJECT,
            severity=WARNING,
        )


def _by_version(
    nodes: t.Sequence[Node], evaluating: t.Sequence[Node], version: str, edition: str
) -> Findings:
    without = [node for node in nodes if node.license == "default"]
    holders = [node for node in nodes if node.license != "default"]
    gated = versions.feature("license_gates_cluster", version)
    if gated and without and len(nodes) > 1:
        yield Finding(
            "license_needed",
            f"a licence on all nodes, as EMQX {version} clusters with one only",
            f"none or default, the community licence for a single node, on {hosts_of(without)}",
            "set it to your key, to file:///PATH on the hosts, or to evaluation (25 sessions, 30 "
            "days) for all nodes, or use EMQX 5.8, which clusters without",
            subject=_SUBJECT,
        )
    if holders and not gated and edition == versions.OPENSOURCE:
        yield Finding(
            "license_in_opensource",
            f"no licence with the open source edition of EMQX {version}",
            f"one on {hosts_of(holders)}",
            "remove it, or set emqx_edition to enterprise",
            subject=_SUBJECT,
        )
    elif evaluating and not versions.feature("license_evaluation", version):
        yield Finding(
            "license_not_in_version",
            f"a key, or file:///PATH with EMQX {version}",
            f"evaluation on {hosts_of(evaluating)}",
            "leave it out, the default is a trial licence; evaluation needs EMQX 5.9.0 or newer",
            subject=_SUBJECT,
        )
