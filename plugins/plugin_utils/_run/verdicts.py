# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks preflight, doctor and status say, from all that was gathered."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.verdict import verdict
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.tls import health
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import deployment, survey
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import INSPECT, RunInput
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.report import report
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import status

PURPOSE = INSPECT
Result = t.Dict[str, t.Any]


def preflight(run: RunInput) -> Result:
    """Return whether the cluster can form."""
    plan = deployment.plan(run)
    links = survey.judge(run, plan.cluster, {}, to_build=True).links
    found = verdict(plan.findings, links, "preflight")
    return {"passed": found.passed, "text": found.text(), "data": found.as_dict()}


def doctor(run: RunInput) -> Result:
    """Return what is wrong with the cluster, and how it is."""
    cluster = deployment.model(run)
    diagnosis = survey.judge(run, cluster, {}, to_build=False)
    found = verdict(diagnosis.findings, diagnosis.links, "doctor")
    shown = _status(run)
    title = _title(run)
    return {
        "passed": found.passed,
        "text": [*shown["table"], *found.text()],
        "data": {**found.as_dict(), "status": shown},
        "page": report(shown, title, found),
        "evidence": survey.evidence(run, cluster, {}),
    }


def cluster_status(run: RunInput) -> Result:
    """Return how the cluster is, node by node."""
    shown = _status(run)
    return {
        "passed": shown["healthy"],
        "text": [*shown["table"], *shown["problems"]],
        "data": shown,
        "page": report(shown, _title(run)),
    }


def _status(run: RunInput) -> Result:
    cluster, settings = deployment.model(run), deployment.lead(run)
    answers = {host: survey.view_of(host, run, cluster) for host in run.hosts}
    found = {host: answers.get(host, {}).get("tls") or {} for host in cluster.nodes}
    addresses = {host: node.host for host, node in cluster.nodes.items()}
    certificates = health(found, addresses, run.now, settings.tls_renew_days)
    return status(cluster.nodes, answers, certificates)


def _title(run: RunInput) -> str:
    return f"EMQX cluster {deployment.lead(run).cluster_name}"


ABOUT: t.Mapping[str, t.Callable[[RunInput], Result]] = {
    "preflight": preflight,
    "doctor": doctor,
    "status": cluster_status,
}
