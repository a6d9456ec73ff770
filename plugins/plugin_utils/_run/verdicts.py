# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the playbooks preflight, doctor and status say, from all that was gathered."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import is_error
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import Diagnosis
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.verdict import (
    DOCTOR,
    PREFLIGHT,
    REFUSAL,
    explain_failure,
    verdict,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.discovered import (
    NOT_TO_BLAME,
    discovery_findings,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Cluster
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import seed_choice
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import changes, deployment, survey
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import INSPECT, RunInput
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.report import page
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show.status import status

PURPOSE = INSPECT
Result = Json


def preflight(run: RunInput) -> Result:
    """Return whether the cluster can form."""
    plan = deployment.plan(run)
    links = survey.judge(run, plan.cluster, {}, to_build=True).links
    found = verdict(plan.findings, links, PREFLIGHT)
    return {
        "passed": found.passed,
        "text": found.lines(),
        "data": found.as_dict(),
        "page": "",
        "settings": _outputs(run),
    }


def doctor(run: RunInput) -> Result:
    """Return what is wrong with the cluster, and how it is; ``causes`` is for a run that failed."""
    run = _as_last_seen(run)
    cluster = deployment.model(run)
    diagnosis = survey.judge(run, cluster, {}, to_build=False)
    found = verdict(diagnosis.findings, diagnosis.links, DOCTOR)
    shown = _status(run, cluster)
    return {
        "passed": found.passed,
        "text": [*shown["table"], *found.lines()],
        "causes": [*shown["table"], *_causes(run, cluster, diagnosis)],
        "data": {**found.as_dict(), "status": shown},
        "page": page(_title(run), _made(run), shown, found.as_dict()),
        "evidence": survey.evidence(run, cluster, {}),
        "settings": _outputs(run),
    }


def _causes(run: RunInput, cluster: Cluster, diagnosis: Diagnosis) -> list[str]:
    """Return why a run failed, with what EMQX discovers where a node is up but not with all."""
    apart = {
        host: run.hosts[host].discovery
        for host, view in survey.views(run, cluster).items()
        if view.state in ("ready", "booting") and set(view.running) != set(cluster.members)
    }
    discovered = discovery_findings({host: answer for host, answer in apart.items() if answer})
    causes = diagnosis.findings
    if not any(map(is_error, causes)) or any(f.code != NOT_TO_BLAME for f in discovered.causes):
        causes = (*causes, *discovered.causes)
    return [*explain_failure(replace(diagnosis, findings=causes)), *discovered.seen]


def _as_last_seen(run: RunInput) -> RunInput:
    """Return a run without what its nodes said, and its links were, before the survey: a run that
    failed has such answers of its own."""
    hosts = {h: replace(given, view={}, links_again={}) for h, given in run.hosts.items()}
    return replace(run, hosts=hosts)


def cluster_status(run: RunInput) -> Result:
    """Return how the cluster is, node by node."""
    shown = _status(run, deployment.model(run))
    return {
        "passed": shown["healthy"],
        "text": [*shown["table"], *shown["text"]],
        "data": shown,
        "page": page(_title(run), _made(run), shown, {}),
        "settings": _outputs(run),
    }


def before_start(run: RunInput) -> Result:
    """Return whether nodes may start with what their service of discovery says."""
    answers = {host: given.discovery for host, given in run.hosts.items() if given.discovery}
    found = verdict(discovery_findings(answers).before_start, purpose=REFUSAL)
    text = ["The nodes were left as they are:", *found.lines()]
    return {"passed": found.passed, "text": text, "data": found.as_dict(), "page": ""}


def seed(run: RunInput) -> Result:
    """Return which node the others may join."""
    cluster = deployment.model(run)
    names = {host: node.name for host, node in cluster.nodes.items()}
    choice = seed_choice(names, survey.views(run, cluster), changes.consent(run))
    found = verdict(choice.findings, purpose=REFUSAL)
    return {
        "passed": found.passed,
        "text": ["No node joined another one.", *found.lines()],
        "data": found.as_dict(),
        "page": "",
        "seed": choice.seed,
        "joiners": list(choice.joiners),
        "complete": choice.complete,
    }


def _status(run: RunInput, cluster: Cluster) -> Result:
    answers = {h: survey.view_of(h, run, cluster) for h in cluster.nodes if h in run.hosts}
    return status(cluster.nodes, answers, deployment.lead(run).tls_renew_days, run.now)


def _outputs(run: RunInput) -> Result:
    """Return the settings that say how a verdict is shown. It is logged, so they are all it has."""
    settings = deployment.lead(run)
    names = ("report", "status_format", "status_json", "status_strict")
    return {name: getattr(settings, name) for name in names}


def _made(run: RunInput) -> str:
    return run.now.strftime("%Y-%m-%d %H:%M UTC")


def _title(run: RunInput) -> str:
    return f"EMQX cluster {deployment.lead(run).cluster_name}"


ABOUT: t.Mapping[str, t.Callable[[RunInput], Result]] = {
    "preflight": preflight,
    "doctor": doctor,
    "status": cluster_status,
    "seed": seed,
    "before_start": before_start,
}
