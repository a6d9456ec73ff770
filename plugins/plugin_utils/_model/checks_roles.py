# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Check the roles of the nodes: cores and replicants, their number, strategy and version."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import versions
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table

Findings = t.Iterator[Finding]

ROLES = ("core", "replicant")
_SUBJECT = "emqx_node_role"
_MANY_CORES = 7


def hosts_of(nodes: t.Iterable[Node]) -> str:
    return ", ".join(node.inventory_host for node in nodes)


def roles(nodes: t.Sequence[Node], settings: Settings, edition: str) -> Findings:
    """Yield what is wrong with the roles."""
    for node in nodes:
        if node.role not in ROLES:
            yield Finding(
                "bad_role",
                "core or replicant",
                node.role,
                "correct it",
                (node.inventory_host,),
                _SUBJECT,
            )
    cores = [node for node in nodes if node.role == "core"]
    replicants = [node for node in nodes if node.role == "replicant"]
    if nodes and not cores:
        yield Finding(
            "no_core",
            "at least one core, three for a cluster that survives a loss",
            "none",
            "set it to core on three of the hosts",
            subject=_SUBJECT,
        )
    if replicants:
        yield from _replicants(replicants, cores, settings, edition)
    yield from _number_of_cores(len(cores))


def _replicants(
    replicants: t.Sequence[Node], cores: t.Sequence[Node], settings: Settings, edition: str
) -> Findings:
    strategy, version = settings.discovery_strategy, settings.version
    if not table.of(strategy).finds_peers:
        finders = [each.name for each in table.STRATEGIES.values() if each.finds_peers]
        yield Finding(
            "replicant_needs_discovery",
            f"{', '.join(finders[:-1])} or {finders[-1]}, by which replicants find the cores",
            f"{strategy} with replicants ({hosts_of(replicants)})",
            "set it to static, the seeds are filled in",
            subject="emqx_discovery_strategy",
        )
    if version and not versions.feature("replicants", version, edition):
        yield Finding(
            "replicant_needs_enterprise",
            f"only cores in the open source edition of EMQX {version}",
            f"replicant on {hosts_of(replicants)}",
            "set it to core there, or use the enterprise edition",
            subject=_SUBJECT,
        )
    if not version or not versions.feature("replicant_same_version", version):
        return
    found = sorted({node.version for node in cores})
    for node in replicants:
        if found and node.version not in found:
            yield Finding(
                "replicant_version",
                f"the version of a core ({' or '.join(found)}) on a replicant",
                node.version,
                "set it to that of a core, a replicant boots with a core of its own version only",
                (node.inventory_host,),
                "emqx_version",
            )


def _number_of_cores(cores: int) -> Findings:
    if cores == 1:
        yield _cores("single_core", cores, "losing this node stops the cluster")
    elif cores and cores % 2 == 0:
        yield _cores("even_cores", cores, "half of them do not make a majority")
    if cores > _MANY_CORES:
        yield _cores("many_cores", cores, "every write waits for all cores")


def _cores(code: str, cores: int, why: str) -> Finding:
    return Finding(
        code,
        "three, five or seven cores",
        f"core on {cores} {'host' if cores == 1 else 'hosts'}",
        f"change the number of cores, {why}",
        subject=_SUBJECT,
        severity=WARNING,
    )
