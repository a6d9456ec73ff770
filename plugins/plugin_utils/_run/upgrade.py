# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A running cluster that gets another version of EMQX: the order, the way there and back of each
host, and what speaks against it."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    OPENSOURCE,
    compare,
    edition_of,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Directory,
    HostState,
    ManagedFile,
    Release,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    files,
    gates,
    release,
    saves,
    upgrade,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.seeds import UNASKED
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import HostPlan, plan_host
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import RunInput

HostPlans = t.Mapping[str, HostPlan]
Model = t.Callable[[RunInput], Cluster]

# Where the package of the version before is taken from.
KEPT, NOWHERE = "kept", ""


@dataclass(frozen=True)
class Way:
    """The way of a host to another version, and back.

    ``version``, ``package`` and ``settings`` are of the one before, "" where nothing is known of
    one; ``saves`` tells whether the node still is what it was then, and ``unfinished`` whether a
    copy was put back only in part. ``together`` are the hosts of its server. ``back_source`` is
    where the package of before comes from, "" where there is none, ``back_path`` where it lies on
    the host, and ``back_location`` where it is fetched from. ``waiting`` are the files that had
    to be written before, ``files`` and ``directories`` those of the version before.
    """

    settings: Settings
    version: str
    package: str
    saves: bool
    unfinished: bool
    place: str
    trees: Texts
    together: Texts = ()
    back_source: str = NOWHERE
    back_path: str = ""
    back_location: str = ""
    waiting: Texts = ()
    files: tuple[ManagedFile, ...] = ()
    directories: tuple[Directory, ...] = ()

    @property
    def evacuates(self) -> bool:
        return gates.evacuates(self.settings)


Ways = t.Mapping[str, Way]


def units(
    hosts: HostPlans, views: t.Mapping[str, NodeView], wanted: str
) -> dict[str, upgrade.Unit]:
    """Return the nodes of the hosts of a run that were read."""
    return {
        host: upgrade.Unit(
            name=one.node.name,
            server=one.node.server,
            role=one.node.role,
            installed=one.release.installed,
            runs=_same(views.get(host, UNASKED).version, wanted),
            ready=views.get(host, UNASKED).is_ready,
        )
        for host, one in hosts.items()
    }


def _same(version: str, wanted: str) -> str:
    """Return a version as the inventory writes it, where it is that one."""
    return wanted if version and compare(version, wanted) == 0 else version


def order(
    run: RunInput, settings: Settings, hosts: HostPlans, views: t.Mapping[str, NodeView]
) -> upgrade.Upgrade:
    consent = any(given.settings.allow_full_restart for given in run.hosts.values())
    wanted = settings.version
    found = units(hosts, views, wanted)
    return upgrade.plan(found, wanted, settings.upgrade_batch, consent)


def ways(run: RunInput, hosts: HostPlans, model: Model, what: upgrade.Upgrade) -> Ways:
    """Return by host how it gets there and back; ``model`` makes that of the cluster of a run."""
    found: dict[str, Way] = {}
    groups: dict[tuple[str, str], list[str]] = {}
    for host, one in hosts.items():
        groups.setdefault(_before(one, _state(run, host)), []).append(host)
    for (version, package), members in groups.items():
        earlier = _earlier(run, version, package)
        cluster = model(earlier)
        for host in members:
            own = earlier.hosts[host].settings
            prior = plan_host(host, earlier, cluster, layout(own)) if version else None
            way = _way(run, host, hosts[host], own, (version, package))
            batch = next((batch for batch in what.batches if host in batch), ())
            server = hosts[host].node.server
            found[host] = dataclasses.replace(
                way if prior is None else _with_way_back(run, host, way, prior),
                together=tuple(other for other in batch if hosts[other].node.server == server),
                waiting=_waiting(run, host, hosts[host], prior, host in what.done),
            )
    return found


def _state(run: RunInput, host: str) -> HostState:
    return run.hosts[host].host or HostState()


def _before(one: HostPlan, found: HostState) -> tuple[str, str]:
    """Return the version and the package that a host has, or had when its node was last saved."""
    version = one.release.installed
    if version and version != one.release.version:
        return version, one.release.installed_package
    saved = found.upgrade.get("saved") or {}
    return str(saved.get("version") or ""), str(saved.get("package") or "")


def _earlier(run: RunInput, version: str, package: str) -> RunInput:
    """Return a run with the settings that its hosts had with another version."""
    if not version:
        return run
    hosts = {
        host: dataclasses.replace(given, settings=_settings(given.settings, version, package))
        for host, given in run.hosts.items()
    }
    return dataclasses.replace(run, hosts=hosts)


def _settings(settings: Settings, version: str, package: str) -> Settings:
    """Return the settings of a host as they were with another version, whose package is not that
    of now. The open source edition knows no licence."""
    tarball = release.kind_of(settings) == "tarball"
    edition = edition_of(package or "emqx", version)
    return dataclasses.replace(
        settings,
        version=version,
        edition=edition,
        package=settings.rollback_package,
        package_sha256="",
        package_type="tarball" if tarball else "package",
        license="" if edition == OPENSOURCE else settings.license,
    )


def _way(run: RunInput, host: str, one: HostPlan, before: Settings, had: tuple[str, str]) -> Way:
    saved = _state(run, host).upgrade.get("saved") or {}
    version, package = had
    return Way(
        settings=before,
        version=version,
        package=package,
        saves=one.release.installed != one.release.version,
        unfinished=saved.get("state") == "restoring",
        place=saves.place(run.hosts[host].settings, one.layout),
        trees=saves.trees(one.layout),
    )


def _with_way_back(run: RunInput, host: str, way: Way, prior: HostPlan) -> Way:
    source, path, location = _back(run.hosts[host].settings, prior.release, _state(run, host))
    return dataclasses.replace(
        way,
        back_source=source,
        back_path=path,
        back_location=location,
        files=prior.files,
        directories=prior.directories,
    )


def _waiting(run: RunInput, host: str, one: HostPlan, prior: HostPlan | None, done: bool) -> Texts:
    """Return the files that had to be written before a version changes; one whose upgrade was cut
    short gets its files with the rest of it."""
    if one.release.installed == one.release.version:
        prior = one if done else None
    if prior is None:
        return ()
    return tuple(files.pending(prior.files, prior.directories, _state(run, host)))


def _back(settings: Settings, what: Release, found: HostState) -> tuple[str, str, str]:
    """Return whence the package of the version before comes, where it lies on the host once it is
    there, and what it is fetched from."""
    kept = found.upgrade.get("kept") or ()
    if settings.rollback_package:
        return settings.package_source, what.path, what.location
    if what.file in kept:
        return KEPT, f"{settings.download_dir}/{what.file}", ""
    if settings.package_source == "download" and not settings.package:
        return "download", what.path, what.location
    if settings.package_source == "repository":
        return "repository", "", ""
    return NOWHERE, "", ""


def replaced(way: Way, what: Release) -> str:
    """Return the package that has to go so that the one of another edition can come."""
    return way.package if way.package not in ("", what.package) else ""


def unpacked(settings: Settings) -> str:
    """Return where a host unpacks a release that is not installed yet."""
    return f"{settings.upgrade_dir}/release"


def mounts(settings: Settings, one: HostPlan) -> list[dict[str, str]]:
    """Return what is mounted over what for a release that is not installed to judge."""
    root = one.layout.installed_root
    return [{"source": f"{unpacked(settings)}{root}", "target": root}]
