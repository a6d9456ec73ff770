# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The plan of one host: its files, rules, kernel values and certificates, and which phases of a
deployment have something to do there."""

from __future__ import annotations

import dataclasses
import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Directory,
    HostState,
    Layout,
    ManagedFile,
    Node,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    container,
    files,
    release,
    tls,
    tuning,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.cluster_files import cluster_files
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import ControlFiles
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import plan as firewall
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import reads
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    ROTATE,
    HostInput,
    RunInput,
)

# The phases of a deployment that change a host before nodes start.
PREPARING = ("install", "tuning", "firewall", "tls", "configure")


@dataclass(frozen=True)
class HostPlan:
    """What a host is to get.

    ``leads`` tells whether this host does the work that nodes of one server share (package,
    kernel, firewall). ``todo`` tells by phase whether there is something to do. ``unit_away`` means
    that the package's own unit is to be off, as all nodes of the server are instances, and
    ``unit_at_boot`` that it is not yet.
    ``lays_out`` means that the release of an instance is still to be linked together, ``replaces``
    that files change by which the node asks its service of discovery.
    """

    node: Node
    layout: Layout
    release: Release
    leads: bool
    unit_away: bool
    unit_at_boot: bool
    lays_out: bool
    replaces: bool
    files: tuple[ManagedFile, ...]
    directories: tuple[Directory, ...]
    tuning: tuning.TuningPlan
    firewall: firewall.FirewallPlan
    tls: tls.TlsPlan
    container: container.ContainerPlan | None
    reserved_ports: tuple[int, ...]
    todo: t.Mapping[str, bool]

    @property
    def touches(self) -> bool:
        """Whether anything is done here before the members meet. What the firewall phase only says,
        where rules are left to others, is nothing."""
        rules = self.todo["firewall"] and self.firewall.changes_host
        others = (*PREPARING, "service")
        return rules or any(self.todo[phase] for phase in others if phase != "firewall")

    @property
    def applies(self) -> bool:
        """Whether there is more to do here than to see that the members are together."""
        return any(found for phase, found in self.todo.items() if phase != "membership")

    def intends(self) -> dict[str, bool]:
        """Return what is about to be mended here, for the diagnosis before a deployment."""
        return {
            "opens_ports": self.firewall.opens_ports,
            "renews": self.tls.pending,
            "replaces": self.replaces,
        }


@dataclass(frozen=True)
class _Scene:
    """All that the plan of a host is made of."""

    name: str
    given: HostInput
    run: RunInput
    cluster: Cluster
    node: Node
    layout: Layout
    host: HostState

    @property
    def settings(self) -> Settings:
        return self.given.settings

    @functools.cached_property
    def server_nodes(self) -> list[Node]:
        return [node for node in self.cluster.nodes.values() if node.server == self.node.server]

    @property
    def leads(self) -> bool:
        mine = [n.inventory_host for n in self.server_nodes if n.inventory_host in self.run.hosts]
        return bool(mine) and mine[0] == self.name


def plan_host(name: str, run: RunInput, cluster: Cluster, where: Layout) -> HostPlan:
    """Return the plan of a host of the run whose node is in the model."""
    given = run.hosts[name]
    scene = _Scene(name, given, run, cluster, cluster.nodes[name], where, given.host or HostState())
    settings, host, node = scene.settings, scene.host, scene.node
    package = package_stat(settings, host, run)
    what = release.release(settings, host, package)
    rules = firewall.plan(cluster, settings, node, host)
    image = str((host.container.get("image") or {}).get("id") or what.image)
    certificates = tls.plan(
        settings, node, where, host, ControlFiles(), run.now, run.purpose == ROTATE
    )
    ports = _reserved_ports(scene)
    kernel = tuning.plan(settings, ports, host, where.user)
    managed = files.config_files(
        settings, cluster, node, where, what, given.texts, image, rules.unit
    )
    directories = files.directories(settings, where)
    away = what.kind == "package" and all(n.instance for n in scene.server_nodes)
    kept = bool(host.package_nodes)
    draft = HostPlan(
        node=node,
        layout=where,
        release=what,
        leads=scene.leads,
        unit_away=away and not kept,
        unit_at_boot=away and not kept and host.file(reads.PACKAGE_UNIT_AT_BOOT).exists,
        lays_out=where.instanced and not host.file(where.laid_out).exists,
        replaces=bool(files.pending(cluster_files(settings, where, given.texts), [], host)),
        files=tuple(managed),
        directories=tuple(directories),
        tuning=kernel,
        firewall=rules,
        tls=certificates,
        container=container.plan(settings, node, where, what, image)
        if settings.in_container
        else None,
        reserved_ports=ports,
        todo={},
    )
    return dataclasses.replace(draft, todo=_todo(draft, scene))


def _todo(plan: HostPlan, scene: _Scene) -> dict[str, bool]:
    """Return by phase whether it is to do something, which those not chosen are not."""
    settings, host = scene.settings, scene.host
    # Each container starts from an image whose ID its own host has read.
    installs = plan.leads or settings.in_container
    pending = files.pending(plan.files, plan.directories, host)
    todo = {
        "install": installs and (plan.release.needed or plan.unit_at_boot),
        "tuning": plan.leads and settings.tuning_enabled and plan.tuning.todo,
        "firewall": plan.leads and plan.firewall.todo,
        "tls": settings.tls and (plan.tls.pending or plan.tls.modes_todo),
        "configure": plan.lays_out or bool(pending),
        "service": not host.service.enabled or host.service.outdated,
        "membership": table.of(settings.discovery_strategy).joins
        or host.service.exists
        or not scene.run.check_mode,
    }
    return {phase: found and phase in settings.phases for phase, found in todo.items()}


def package_stat(settings: Settings, host: HostState, run: RunInput) -> Record:
    """Return what is known of a package that is a file, {} where it is none."""
    if settings.package_source == "controller":
        return run.packages.get(settings.package, {})
    return host.package_file if settings.package_source == "host" else {}


def unread(run: RunInput, cluster: Cluster) -> set[str]:
    """Return the members outside this run of which nobody says under which addresses others see
    them."""
    return {
        host
        for host, node in cluster.nodes.items()
        if host in run.others
        and not node.host_is_ip
        and not run.others[host].settings.node_addresses
    }


def _reserved_ports(scene: _Scene) -> tuple[int, ...]:
    """Return the ports that outgoing connections of the server must not take."""
    ports = {*scene.cluster.cluster_ports}
    for node in scene.server_nodes:
        ports.update([*node.listener_ports, *node.dashboard_ports])
        ports.update(each.port for each in node.listeners if each.enabled)
    return tuple(sorted(ports))
