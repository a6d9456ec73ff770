# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a run as data of Ansible, for the tasks of the role."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Mapping

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error, text
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import strategies
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Cluster
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import survey
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.deployment import Deployment, lead
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import HostPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import RunInput

Data = t.Dict[str, t.Any]

# Of these, tasks are given what was made of them, if anything.
_SECRET = frozenset(
    {
        "cookie",
        "license",
        "k8s_token",
        "etcd_key",
        "tls_key",
        "config",
        "base_config",
        "environment",
    }
)


def data(value: t.Any) -> t.Any:
    """Return a record as dictionaries and lists."""
    if isinstance(value, Finding):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: data(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [data(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def settings_data(settings: Settings) -> Data:
    """Return the settings that tasks may see."""
    return {name: value for name, value in data(settings).items() if name not in _SECRET}


def as_result(run: RunInput, plan: Deployment) -> Data:
    """Return the result of the action cluster_plan. It holds secrets."""
    settings, cluster = lead(run), plan.cluster
    findings = list(plan.findings)
    absent = [node.name for host, node in cluster.nodes.items() if host not in run.hosts]
    return {
        "passed": plan.passed,
        "refusal": refusal(findings),
        "warnings": text(f for f in findings if not is_error(f)),
        "findings": [finding.as_dict() for finding in findings],
        "settings": settings_data(settings),
        "cluster": cluster_data(cluster),
        "in_run": [host for host in cluster.nodes if host in run.hosts],
        "absent": absent,
        "hosts": {host: _host_data(host, run, plan, plan.hosts.get(host)) for host in run.hosts},
        "restarts": data(plan.restarts),
        "change": data(plan.change),
        "rotation": data(plan.rotation),
        "look": plan.look,
        "again": plan.again,
        "missed": survey.missed(run),
        "cookie_missing": plan.cookie_missing,
        "speaker": survey.speaker(run, cluster),
        "began": run.began,
        "salt": run.salt,
        "packages": data(run.packages),
    }


def refusal(findings: t.Sequence[Finding]) -> list[str]:
    """Return what a run says that ends before it has changed anything."""
    errors = [finding for finding in findings if is_error(finding)]
    count = "1 finding is" if len(errors) == 1 else f"{len(errors)} findings are"
    return [f"Nothing was changed: {count} in the way.", *text(errors)]


def cluster_data(cluster: Cluster) -> Data:
    return {
        "nodes": data(cluster.nodes),
        "names": {host: node.name for host, node in cluster.nodes.items()},
        "members": list(cluster.members),
        "ipv6": cluster.ipv6,
        "etcd": data(cluster.discovery.get("etcd", {})),
    }


def _host_data(host: str, run: RunInput, plan: Deployment, one: HostPlan | None) -> Data:
    """Return what tasks need of a host. One that is out of reach, or goes, has the less of it."""
    given, cluster = run.hosts[host], plan.cluster
    strategy = strategies.of(given.settings)
    found: Data = {
        "settings": settings_data(given.settings),
        "stays": host in given.settings.cluster_hosts,
        "planned": one is not None,
        "joins": strategy.joins,
        "asks_service": strategy.asks_service,
        "asked_before_start": strategy.asked_before_start,
        "unheard": survey.unheard(host, run, cluster),
        "listens": "stand_in" in given.survey,
        "data": data(given.host) if given.host else {},
        "layout": data(run_layout(given.settings)),
    }
    if host in cluster.nodes:
        found["discovery"] = strategy.question(given.settings, cluster, cluster.nodes[host])
    if one:
        found.update(data(one))
        found["changes"], found["touches"] = one.changes, one.touches
        found["certificates"] = one.tls.certificates_role_vars()
    return found


def run_layout(settings: Settings) -> t.Any:
    from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout

    return layout(settings)
