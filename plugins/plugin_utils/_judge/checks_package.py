# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether what is installed on a host lets a release in; its file is judged elsewhere."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.platforms import SUPPORTED
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    edition_of,
    parse,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState, Release
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.upgrade_paths import path

Findings = t.Iterator[Finding]


def check_package(settings: Settings, release: Release, host: HostState) -> Findings:
    """Yield what keeps the release from being installed on a host; hosts are not filled in."""
    if release.kind == "container":
        yield from _container(release, host)
        return
    running = str(host.container.get("version") or "")
    if running:
        yield Finding(
            "other_kind",
            f"EMQX {release.version} from a {release.kind}, or an empty host",
            f"EMQX {running} in a container",
            "set emqx_deployment to container, or stop and remove the unit of the container first",
            subject="emqx_deployment",
        )
    if not release.needed:
        return
    platform = host.platform
    if not platform.get("supported") and (release.kind == "package" or not settings.package):
        yield Finding(
            "platform",
            f"one of {SUPPORTED}, on amd64 or arm64",
            f"{platform.get('name')} {platform.get('version')} on {platform.get('machine')}",
            "give a vendor tar.gz that runs there as emqx_package",
            subject="emqx_package_type",
        )
    yield from _installed(release, host)


def _installed(release: Release, host: HostState) -> Findings:
    version, found = release.version, release.installed
    if found and found != version:
        yield Finding(
            "other_version",
            f"EMQX {version} or an empty host",
            f"EMQX {found} installed",
            _other_version(found, version),
            subject="emqx_version",
        )
        yield from check_path(found, version)
    elif found:
        yield Finding(
            "other_edition",
            f"the package {release.package} or an empty host",
            f"the package {release.installed_package} {found} installed",
            f"set emqx_edition to {edition_of(release.installed_package, version)}, or change the "
            "edition of the node first: this playbook does not",
            subject="emqx_edition",
        )
    elif host.release if release.kind == "package" else host.package_version:
        kept = "package" if release.kind == "tarball" else "tarball"
        what = "release of a tar.gz"
        if host.package_version:
            what = f"package {host.package_name}"
        yield Finding(
            "other_kind",
            f"EMQX {version} from a {release.kind}, or an empty host",
            f"the {what} {host.package_version or host.release} installed",
            f"set emqx_package_type to {kept} (or give such a file as emqx_package), or remove it "
            "first: a second installation would start beside it without its data",
            subject="emqx_package_type",
        )


def _other_version(found: str, version: str) -> str:
    if parse(found) < parse(version):
        return (
            f"run the playbook upgrade, which takes the nodes to {version} one after the other, or "
            f"set emqx_version to {found}"
        )
    return f"set emqx_version to {found} or newer, as EMQX does not read the data of a newer one"


def check_path(found: str, version: str) -> Findings:
    """Yield why a cluster of one version cannot be upgraded to another, or what it costs."""
    way = path(found, version)
    for rule in way.refused:
        yield Finding(
            "upgrade_path",
            "a version that a cluster can be upgraded to node by node",
            f"{found} to {version}: {rule.text}",
            way.remedy or "build a new cluster, and import the data there",
            subject="emqx_version",
        )
    for rule in way.lost:
        yield Finding(
            "upgrade_path",
            "a version that a cluster can be upgraded to node by node without loss",
            f"{found} to {version}: {rule.text}",
            "go on if that is acceptable",
            subject="emqx_version",
            severity=WARNING,
        )


def _container(release: Release, host: HostState) -> Findings:
    version, found = release.version, release.installed
    if found and parse(found) > parse(version):
        yield Finding(
            "downgrade",
            f"EMQX {found} or newer, which the data was written by",
            version,
            f"set emqx_version to {found} or newer, as EMQX does not read the data of a newer one",
            subject="emqx_version",
        )
    elif found:
        yield from check_path(found, version)
    if host.package_version:
        yield Finding(
            "other_kind",
            f"a host without EMQX for a container with EMQX {version}",
            f"the package {host.package_name} {host.package_version} installed",
            "set emqx_deployment to package, or remove the package first: both would use the same "
            "ports and directories",
            subject="emqx_deployment",
        )
