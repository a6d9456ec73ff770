# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Put together what hosts, nodes and links answered, for the diagnosis."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.diagnose import (
    Diagnosis,
    diagnose,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Cluster
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    EMPTY,
    Answer,
    RunInput,
)

# The module that tells why a node does not run.
EVIDENCE = "evidence_info"
Evidence = t.Dict[str, Json]


def speaker(run: RunInput, cluster: Cluster) -> str:
    """Return the host whose node is asked for what all nodes say: each call of a command line
    boots a VM."""
    return next((host for host in cluster.nodes if host in run.hosts), "")


def views_by_speaker(run: RunInput, cluster: Cluster) -> Record:
    """Return the views of the other nodes, by name, that the speaker's node gave."""
    first = speaker(run, cluster)
    survey = run.hosts[first].survey if first else EMPTY
    return t.cast("Answer", (survey.get("cluster_info") or {}).get("others") or {})


def view_of(host: str, run: RunInput, cluster: Cluster) -> Answer:
    """Return the answer that has a host's view: of the speaker, of the survey, or its own."""
    given = run.hosts[host]
    if given.view:
        return given.view
    node = cluster.nodes.get(host)
    others = views_by_speaker(run, cluster)
    if node and node.name in others:
        return {"emqx": others[node.name]}
    survey = given.survey
    return t.cast("Answer", survey.get("cluster_info") or _whole(survey))


def _whole(survey: Answer) -> Answer:
    """A host that gave no answer at all gives the same one everywhere."""
    return survey if "unreachable" in survey or "failed" in survey else EMPTY


def answers(run: RunInput, cluster: Cluster) -> dict[str, Answer]:
    """Return by host the answers with views; {} where nobody was asked."""
    found = {host: view_of(host, run, cluster) for host in run.hosts}
    return found if any(found.values()) else {}


def views(run: RunInput, cluster: Cluster) -> dict[str, NodeView]:
    """Return by host the views; {} where nobody was asked."""
    return {host: NodeView.of(answer) for host, answer in answers(run, cluster).items()}


def examined(run: RunInput) -> bool:
    """Tell whether hosts were asked more than for their views."""
    return any(EVIDENCE in given.survey or _whole(given.survey) for given in run.hosts.values())


def evidence(run: RunInput, cluster: Cluster, plans: t.Mapping[str, Answer]) -> Evidence:
    """Return by host what the diagnosis takes; ``plans`` says what a deployment is about to do."""
    return {
        host: _of_host(host, run, cluster, plans.get(host, {}))
        for host, given in run.hosts.items()
        if given.survey and host in cluster.nodes
    }


def _of_host(host: str, run: RunInput, cluster: Cluster, plan: Answer) -> Json:
    given = run.hosts[host]
    survey = given.survey
    return {
        "view": view_of(host, run, cluster),
        "host": survey.get(EVIDENCE) or _whole(survey),
        "links": survey.get("cluster_probe") or _whole(survey),
        "links_again": given.links_again,
        "discovery": given.discovery,
        "stand_in": survey.get("stand_in") or {},
        "plan": plan,
    }


def without_view(host: str, run: RunInput, cluster: Cluster) -> bool:
    """Tell whether a host answered and nobody said anything of its node."""
    given = run.hosts[host]
    asked = EVIDENCE in given.survey
    return asked and host in cluster.nodes and not view_of(host, run, cluster)


def missed(run: RunInput) -> bool:
    """Tell whether hosts listened in place of nodes, and not all links were open at once."""
    surveys = [given.survey for given in run.hosts.values() if given.survey]
    listened = any("stand_in" in survey for survey in surveys)
    return listened and not all(survey.get("all_open") for survey in surveys)


def judge(
    run: RunInput, cluster: Cluster, plans: t.Mapping[str, Answer], to_build: bool
) -> Diagnosis:
    """Return the diagnosis of all that was gathered."""
    window = (run.began, run.now.replace(tzinfo=dt.timezone.utc).timestamp())
    nofile = {
        host: given.settings.tuning_nofile
        for host, given in run.hosts.items()
        if given.settings.tuning_enabled
    }
    return diagnose(cluster.nodes, evidence(run, cluster, plans), window, to_build, nofile)
