# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a run is going to do on each host, in words, from the plan that it carries out."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import files
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.steps import Step
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import HostPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    LIFECYCLE,
    HostInput,
    RunInput,
)


def of_run(run: RunInput, plan: Deployment) -> list[Step]:
    """Return the steps of all hosts in the order in which they are done."""
    steps = list(plan.change.steps) if plan.change else []
    if run.purpose in LIFECYCLE or plan.upgrade:
        return list((plan.verb or plan.restarts).steps)
    for host, one in plan.hosts.items():
        steps += _preparing(host, one, run.hosts[host])
    if plan.rotation:
        return [*steps, *plan.rotation.steps]
    return [*steps, *(step for step in plan.restarts.steps if _starts(step.host, plan))]


def impact(plan: Deployment) -> list[str]:
    """Return what clients notice of a run."""
    if plan.verb:
        return list(plan.verb.impact)
    restarts = plan.restarts.impact if any(_starts(host, plan) for host in plan.hosts) else ()
    return [*(plan.change.impact if plan.change else ()), *restarts]


def _starts(host: str, plan: Deployment) -> bool:
    """Tell whether nodes start at all in this run, which may be one of other phases."""
    return plan.hosts[host].todo["service"]


def _preparing(host: str, one: HostPlan, given: HostInput) -> t.Iterator[Step]:
    """Yield what is done before any node starts."""
    if one.todo["install"]:
        yield from _install(host, one)
    if one.todo["tuning"]:
        count = len(one.tuning.pending)
        values = f"set {count} kernel value{'' if count == 1 else 's'}" if count else ""
        yield Step(host, "tuning", values or "write the files of kernel values and limits")
    if one.todo["firewall"] and one.firewall.changes_host:
        rules = f"bring the rules to what they are to be ({one.firewall.backend})"
        yield Step(host, "firewall", rules)
    if one.todo["tls"]:
        yield from _certificate(host, one)
    if one.todo["configure"]:
        yield from _files(host, one, given)


def _install(host: str, one: HostPlan) -> t.Iterator[Step]:
    what = one.release
    if what.needed:
        found = f"EMQX {what.installed} is there" if what.installed else "there is none"
        yield Step(host, "install", f"install EMQX {what.version} ({what.file})", found)
    if one.unit_at_boot:
        yield Step(host, "install", "switch emqx.service off", "all nodes here are instances")


def _certificate(host: str, one: HostPlan) -> t.Iterator[Step]:
    if one.tls.pending:
        why = "the one there is not the desired one" if one.tls.complete else "there is none"
        yield Step(host, "tls", "get a certificate", why)
    else:
        yield Step(host, "tls", "set owner and mode of the certificate's files")


def _files(host: str, one: HostPlan, given: HostInput) -> t.Iterator[Step]:
    keys = given.trial.keys
    found = given.host or HostState()
    for path in files.pending(one.files, one.directories, found):
        count = len(keys.get(path, ()))
        what = f": {count} key{'' if count == 1 else 's'}" if count else ""
        made = "write" if found.file(path).exists else "create"
        yield Step(host, "configure", f"{made} {path}{what}", _named(keys.get(path, ())))


def _named(keys: t.Sequence[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + more
