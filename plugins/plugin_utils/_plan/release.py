# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is to be installed on a host, from where, and where it will lie."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    ENTERPRISE,
    OPENSOURCE,
    edition_of,
    package_of,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._package.file_names import (
    package_file,
    package_format,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import container

VERSION = r"\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)[.\d]*)?"

# EMQX documentation 5.8, deploy/install.md; the vendor keeps one folder per version below.
_DOWNLOADS = {
    OPENSOURCE: "https://www.emqx.com/en/downloads/broker",
    ENTERPRISE: "https://www.emqx.com/en/downloads/enterprise",
}
_REPOSITORIES = {
    OPENSOURCE: "https://packagecloud.io/emqx/emqx",
    ENTERPRISE: "https://packagecloud.io/emqx/emqx-enterprise5",
}

Stat = t.Mapping[str, t.Any]


def kind_of(settings: Settings) -> str:
    """Return package, tarball or container: the form that the node's files come in."""
    if settings.in_container:
        return "container"
    if package_format(settings.package) == "tar.gz":
        return "tarball"
    return settings.package_type


def edition(settings: Settings) -> str:
    """Return opensource or enterprise: as given, else by the package's name and the version.

    Raises InputError for what is no version.
    """
    named = settings.package.rpartition("/")[2]
    return settings.edition or edition_of(named or "emqx", settings.version)


def release(settings: Settings, host: HostState, package_stat: Stat) -> Release:
    """Return what a host installs.

    ``package_stat`` is {exists, sha256, sidecar} of emqx_package where that is a file on the
    control node or the host, else {}; ``host`` is HostState() before it was read. Raises
    InputError for a version that is not written as the vendor's files have it.
    """
    version = settings.version
    if not re.fullmatch(VERSION, version):
        raise InputError(
            f"emqx_version cannot be used: expected three numbers such as 5.8.9, found {version!r}."
        )
    own_edition = edition(settings)
    package = package_of(own_edition, version)
    if kind_of(settings) == "container":
        return _image(settings, host, package_stat, own_edition, package)
    return _package(settings, host, own_edition, package)


def _package(settings: Settings, host: HostState, own_edition: str, package: str) -> Release:
    version, kind = settings.version, kind_of(settings)
    named = settings.package.rpartition("/")[2]
    system = {"format": "", "token": "", "arch": "", **host.platform}
    suffix = package_format(named)
    if not named:
        suffix = "tar.gz" if kind == "tarball" else system["format"]
    name = named or package_file(version, package, system["token"], system["arch"], suffix)
    location = settings.package
    if settings.package_source == "download" and not location:
        site = settings.download_url or _DOWNLOADS[own_edition]
        location = f"{site.rstrip('/')}/{version}/{name}"
    repository = settings.repository_url or _REPOSITORIES[own_edition]
    installed = host.release if kind == "tarball" else host.package_version
    installed_package = "" if kind == "tarball" else host.package_name
    return Release(
        edition=own_edition,
        package=package,
        version=version,
        kind=kind,
        format=suffix,
        file=name,
        source=settings.package_source,
        location=location,
        path=_path(settings, name, location),
        installed=installed,
        installed_package=installed_package,
        needed=installed != version or installed_package not in ("", package),
        repository_url=repository,
        repository_key=settings.repository_key or f"{repository}/gpgkey",
    )


def _path(settings: Settings, name: str, location: str) -> str:
    if settings.package_source == "repository" or not location:
        return ""
    return location if settings.package_source == "host" else f"{settings.download_dir}/{name}"


def _image(
    settings: Settings, host: HostState, package_stat: Stat, own_edition: str, package: str
) -> Release:
    image = container.image(settings.image, package, settings.version)
    found = {"image": {"id": "", "names": []}, "network": None, "version": "", **host.container}
    archive = settings.package
    checksum = settings.package_sha256 or package_stat.get("sha256", "")
    other = bool(archive and checksum) and container.mark(checksum) not in found["image"]["names"]
    image_needed = not found["image"]["id"] or other
    no_network = settings.container_network != "host" and found["network"] is None
    name = archive.rpartition("/")[2] or image
    return Release(
        edition=own_edition,
        package=package,
        version=settings.version,
        kind="container",
        format="image",
        file=name,
        source=settings.package_source,
        location=archive,
        path=_path(settings, name, archive),
        installed=found["version"],
        installed_package="",
        needed=image_needed or no_network,
        image=image,
        mark=container.MARK,
        image_needed=image_needed,
    )
