# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The plan of a run as data of Ansible, for the tasks of the role."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Mapping

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error, text
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import environment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.discovered import question
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    HostState,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.shown import SECRETS
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import drain, gates, tuning
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import nftables
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.instance_files import (
    instance_files,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import (
    lifecycle,
    steps,
    survey,
    upgrade,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.deployment import lead
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import VERBS, Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import PREPARING, HostPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    MEMBER_CHANGES,
    RENAME,
    UPGRADE,
    RunInput,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._show import plan as show

Data = Json

# Of these, tasks are given what was made of them, if anything; containers start with their options.
_SECRET = SECRETS - {"container_options"}


def data(value: t.Any) -> t.Any:
    """Return a record as dictionaries and lists."""
    if isinstance(value, (str, int, float)) or value is None:
        return value
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
    strategy = table.of(settings.discovery_strategy)
    warnings = [finding for finding in plan.findings if not is_error(finding)]
    ordered = steps.of_run(run, plan)
    impact = steps.impact(plan)
    shown = () if plan.passed else plan.findings
    here = set(run.hosts) - set(lifecycle.left_alone(run, cluster))
    return {
        "passed": plan.passed,
        "refusal": refusal(plan.findings),
        "cautions": text([*warnings, *plan.foreseen]),
        "findings": [finding.as_dict() for finding in plan.findings],
        "text": show.lines(run.hosts, ordered, impact, shown),
        "data": show.as_dict(ordered, impact, plan.findings),
        "settings": settings_data(settings),
        "secrets": secrets_of(run),
        "cluster": cluster_data(cluster),
        "in_run": [host for host in cluster.nodes if host in run.hosts],
        "starting": [node.name for host, node in cluster.nodes.items() if host in here],
        "absent": [node.name for host, node in cluster.nodes.items() if host not in here],
        "hosts": {host: _host_data(host, run, plan, settings) for host in run.hosts},
        "restarts": {
            **data(plan.restarts.as_dict()),
            "one_by_one": [] if plan.restarts.full else list(plan.restarts.restart),
        },
        "change": data(plan.change.as_dict()) if plan.change else {},
        **{name: data(getattr(plan, name) or {}) for name in VERBS},
        "rotation": [
            {**data(step), "text": step.whole_text}
            for step in (plan.rotation.changes if plan.rotation else ())
        ],
        "ca_missing": any(one.tls.ca_missing for one in plan.hosts.values()),
        "cleans_keys": settings.etcd_clean_keys and strategy.leaves_keys,
        "look": plan.look,
        "learns": bool(plan.look) or any(tries(h, run, plan) for h in run.hosts),
        "again": plan.again,
        "applies": any(one.applies for one in plan.hosts.values()),
        "missed": survey.missed(run),
        "missing_secrets": list(run.missing_secrets),
        "speaker": survey.speaker(run, cluster),
        "began": run.began,
        "resume": lifecycle.resume(run),
        "salt": run.salt,
        "packages": data(run.packages),
    }


def refusal(findings: t.Sequence[Finding]) -> list[str]:
    """Return what a run says that ends before it has changed anything: what is in the way, and what
    else was found, as the run will not come to say it."""
    errors = [finding for finding in findings if is_error(finding)]
    others = [finding for finding in findings if not is_error(finding)]
    count = "1 finding is" if len(errors) == 1 else f"{len(errors)} findings are"
    return [f"Nothing was changed: {count} in the way.", *text(errors), *text(others)]


def secrets_of(run: RunInput) -> list[str]:
    """Return what must show in no bundle."""
    every = [
        (
            own.cookie,
            own.dashboard_password,
            own.license,
            own.k8s_token,
            own.tls_ca_passphrase,
            own.tls_key,
            own.etcd_key,
        )
        for own in (given.settings for given in run.hosts.values())
    ]
    return sorted({secret for several in every for secret in several if secret})


def cluster_data(cluster: Cluster) -> Data:
    return {
        "nodes": data(cluster.nodes),
        "names": {host: node.name for host, node in cluster.nodes.items()},
        "members": list(cluster.members),
        "ipv6": cluster.ipv6,
        "discovery": data(cluster.discovery),
    }


def tries(host: str, run: RunInput, plan: Deployment) -> bool:
    """Tell whether EMQX is to judge the new configuration of a host before anything is changed."""
    one = plan.hosts.get(host)
    unknown = run.hosts[host].trial.stale is None
    waits = bool(one and one.todo["configure"] and not one.release.needed and unknown)
    # An upgrade has the release judge that it brings.
    return waits and run.purpose != UPGRADE


def _host_data(host: str, run: RunInput, plan: Deployment, leading: Settings) -> Data:
    """Return what tasks need of a host. One that is out of reach, or goes, has the less of it."""
    given, cluster, one = run.hosts[host], plan.cluster, plan.hosts.get(host)
    settings, where = given.settings, layout(given.settings)
    strategy = table.of(leading.discovery_strategy)
    asks = strategy.asks_service and host in cluster.nodes
    found: Data = {
        "settings": settings_data(settings),
        "stays": host in settings.cluster_hosts,
        "joins": strategy.joins,
        "asks_service": asks,
        "asks_before_start": strategy.asks_before_start,
        "without_view": survey.without_view(host, run, cluster),
        "listens": "stand_in" in given.survey,
        "data": {name: data(getattr(given.host, name)) for name in _READ} if given.host else {},
        "layout": data(where),
        "todo": dict.fromkeys(_PHASES, False),
        "tries": tries(host, run, plan),
        "wipes": settings.wipe_data and host not in settings.cluster_hosts,
        "gate": _gate(host, plan, settings, leading),
    }
    aside = plan.change.aside.get(host, "") if plan.change else ""
    if plan.recovery and host in plan.recovery.losers:
        aside = plan.recovery.names[host]
    moment = run.now.strftime("%Y%m%dT%H%M%SZ")
    found["database_from"] = f"{where.data}/mnesia/{aside}"
    found["database_to"] = f"{where.data}/mnesia-aside-{aside}-{moment}"
    # It names all nodes: only where it is read.
    asked = question(leading, cluster, cluster.nodes[host], where) if asks else {}
    found["discovery"] = {"service_account": "", **asked}
    if one:
        found.update(_work(host, run, plan, one))
    if one and host in plan.ways:
        found["upgrade"] = _upgrade(host, plan, settings, one)
    return found


def _upgrade(host: str, plan: Deployment, settings: Settings, one: HostPlan) -> Data:
    """Return what tasks need of the way of a host to another version, and back."""
    way = plan.ways[host]
    shown = {name: value for name, value in data(way).items() if name != "settings"}
    return {
        **shown,
        "pending": bool(plan.upgrade and host in plan.upgrade.pending),
        "replaces": upgrade.replaced(way, one.release),
        "unpacked": upgrade.unpacked(settings),
        "packages": f"{settings.upgrade_dir}/packages",
        "evacuated": way.evacuates,
        "mounts": upgrade.mounts(settings, one),
    }


def _gate(host: str, plan: Deployment, settings: Settings, leading: Settings) -> Data:
    """Return what the tasks at a gate need, before and after the node of a host goes down."""
    members = list(plan.restarts.gates.get(host, plan.cluster.members))
    if plan.drain and not plan.drain.serves and plan.drain.state != drain.SERVING:
        members = list(plan.drain.others)
    serves = host not in plan.restarts.unready
    # The version before is the one that hands its clients over.
    before = plan.ways[host].settings if host in plan.ways else settings
    if plan.upgrade:
        members = list(plan.upgrade.whole.get(host, plan.upgrade.running))
        serves = plan.cluster.nodes[host].name in plan.upgrade.running
    # Alone, a node has nobody to hand its clients to.
    evacuates = serves and len(members) > 1 and gates.evacuates(before)
    return {
        "members": members,
        "serves": serves,
        "evacuates": plan.drain.evacuates if plan.drain else evacuates,
        "ends_evacuation": gates.evacuates(settings),
        "evacuation": gates.evacuation(settings),
        "clients_share": leading.gate_clients_share,
        "timeout": leading.gate_timeout,
        "boot_timeout": leading.ready_timeout + leading.gate_timeout,
    }


_PHASES = (*PREPARING, "service", "membership")
# What tasks see of that which was read on a host.
_READ = ("service", "platform", "container", "nft")
# The fields of a host's plan that tasks see as they are.
_AS_THEY_ARE = (
    "node",
    "release",
    "leads",
    "unit_away",
    "unit_at_boot",
    "lays_out",
    "files",
    "directories",
    "container",
)


def _work(host: str, run: RunInput, plan: Deployment, one: HostPlan) -> Data:
    """Return what tasks need of a host that something is planned for."""
    settings, what = run.hosts[host].settings, one.release
    fetched = f"{settings.download_dir}/{what.file}"
    renamed = run.purpose == RENAME and host == settings.rename_host
    found = run.hosts[host].host or HostState()
    return {
        **{name: data(getattr(one, name)) for name in _AS_THEY_ARE},
        "todo": _todo(host, run, plan, one),
        "firewall": {
            **data(one.firewall.as_dict()),
            "paths": [nftables.RULES_FILE, nftables.UNIT_FILE],
            "unit_exists": found.file(nftables.UNIT_FILE).exists,
        },
        "tuning": {**data(one.tuning.as_dict()), "sysctl_file": tuning.WATCHED[0]},
        "certificates": one.tls.certificates_role_vars(),
        "rotation": [
            one.tls.rotation_role_vars(step.trust, host in step.renew)
            for step in (plan.rotation.changes if plan.rotation else ())
        ],
        "bridged": settings.bridged,
        "foreign_code": foreign_code(one, run.hosts[host].host),
        "written_in_release": written_in_release(one),
        "environment": environment.values(settings),
        "instance_files": data(instance_files(one.layout)) if one.layout.instanced else [],
        "package_path": what.location if what.source == "host" else fetched,
        "starts_renamed": renamed and bool(plan.change and host in plan.change.stop),
        # Not yet where the image that would judge is still to come.
        "validates": settings.config_validate and not (settings.in_container and what.needed),
    }


def foreign_code(one: HostPlan, found: HostState | None) -> list[str]:
    """Return the directories of a release that belong to somebody else than root."""
    if found is None:
        return []
    there = [path for path in one.layout.code[1:] if found.file(path).exists]
    return [path for path in there if found.file(path).owner != "root"]


def written_in_release(one: HostPlan) -> list[str]:
    """Return the directories of an unpacked release that its node writes to, relative to it.

    An archive brings them with others in them, which are to be the node's as well.
    """
    root = f"{one.layout.installed_root}/"
    own = [each.path for each in one.directories if each.owner == one.layout.user]
    return [path[len(root) :] for path in own if one.layout.code and path.startswith(root)]


def _todo(host: str, run: RunInput, plan: Deployment, one: HostPlan) -> dict[str, bool]:
    """Return by phase whether it has something to do on a host in this run."""
    todo = dict(one.todo)
    if run.purpose in MEMBER_CHANGES and plan.change:
        # Members that stay get seeds and rules; they are neither installed nor restarted.
        new = host in plan.change.new
        # What check mode would see is the cluster before the change.
        early = run.check_mode and bool(plan.change.evict or plan.change.stop)
        todo["install"] = todo["install"] and new
        todo["service"] = todo["service"] and new
        todo["membership"] = todo["membership"] and not early
    return todo
