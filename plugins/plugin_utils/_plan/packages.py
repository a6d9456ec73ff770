# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong with the package that is to be installed, before it is copied or installed.

A package is judged by its name, by its checksum and, once it was read, by its content. Findings
name the variable as their subject; the host is left to the caller.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import PackageFacts
from ansible_collections.mqttops.emqx.plugins.module_utils._package.formats import FORMATS
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import VERSION

_FILE_NAME = re.compile(
    rf"(?P<package>emqx(?:-enterprise)?)-(?P<version>{VERSION})"
    r"(?:-elixir)?(?:-otp[\d.-]+)?-(?P<token>[a-z]+[\d.]*)-(?P<arch>amd64|arm64)\.(?:deb|rpm|tar\.gz)$"
)
_PRODUCTS = ("emqx", "emqx-enterprise")
_PLACES = {"controller": "the control node", "host": "the host"}


def describe_file(path: str) -> dict[str, str]:
    """Return ``package``, ``version``, ``token`` and ``arch`` from a vendor file's name.

    Empty where the name is not of the vendor's form.
    """
    match = _FILE_NAME.match(path.rpartition("/")[2])
    return match.groupdict() if match else {}


def package_findings(
    settings: Settings,
    release: Release,
    host: HostState,
    package_stat: Record,
    opened: PackageFacts | None,
) -> list[Finding]:
    """Return what is wrong with emqx_package.

    ``package_stat`` is {exists, sha256, sidecar} of the file on the control node or the host, else
    {}; ``opened`` is what was read from it, None where it was not. What was asked for is wrong also
    where nothing is left to be installed.
    """
    found = [*_unset_findings(settings)]
    if settings.package_source == "download" and release.needed:
        found += _transfer_findings(settings, release)
    if not settings.package or settings.package_source == "repository":
        return found
    found += _name_findings(settings, release, host)
    if settings.package_source in _PLACES:
        found += _content_findings(settings, package_stat)
    if opened is not None and release.kind != "container":
        found += _opened_findings(settings, release, host, opened)
    # What the name promises and the content confirms is said once.
    once: dict[tuple[str, str], Finding] = {}
    for finding in found:
        once.setdefault((finding.code, finding.subject), finding)
    return list(once.values())


def _unset_findings(settings: Settings) -> t.Iterator[Finding]:
    if not settings.package and settings.package_source in _PLACES:
        yield Finding(
            "package_unset",
            f"a path, as emqx_package_source is {settings.package_source}",
            "none",
            "set emqx_package to the package's path",
            subject="emqx_package",
        )


def _transfer_findings(settings: Settings, release: Release) -> t.Iterator[Finding]:
    """A checksum that comes the same way as the package speaks for nothing."""
    if release.location.lower().startswith("http://") and not settings.package_sha256:
        yield Finding(
            "package_unverified",
            "the SHA-256 of a package that comes over plain http from elsewhere",
            f"{release.location}, and its checksum from there, which whoever changes the one on "
            "the way changes as well",
            "set emqx_package_sha256 to what the vendor publishes, or use https",
            subject="emqx_package_sha256",
        )


def _name_findings(settings: Settings, release: Release, host: HostState) -> t.Iterator[Finding]:
    yield from _format_findings(release, host)
    named = describe_file(release.file)
    if not named:
        return
    yield from _identity_findings(
        settings, release, host, PackageFacts("", named["package"], named["version"], named["arch"])
    )


def _format_findings(release: Release, host: HostState) -> t.Iterator[Finding]:
    system = host.platform
    expected = remedy = ""
    if release.kind == "container":
        if release.file.endswith((".deb", ".rpm")):
            expected = "the archive of an image, as emqx_deployment is container"
            remedy = (
                "give an archive that podman save or docker save wrote, or leave it empty to have "
                "the image pulled"
            )
    elif not release.format:
        expected = "a file name that ends in .deb, .rpm or .tar.gz"
        remedy = "give the vendor's file under its own name"
    elif release.kind == "package" and system and release.format != system["format"]:
        expected = f"a .{system['format']} for {system['name']} {system['version']}"
        remedy = "give the package of the host's own system, per host where they differ"
    if expected:
        yield Finding("package_format", expected, release.file, remedy, subject="emqx_package")


def _identity_findings(
    settings: Settings, release: Release, host: HostState, facts: PackageFacts
) -> t.Iterator[Finding]:
    """Compare product, version and architecture; what is not known ("") is not judged."""
    if facts.name and facts.name not in _PRODUCTS:
        yield Finding(
            "package_product",
            "a package of EMQX",
            f"{facts.name} {facts.version} in {release.file}",
            "give the vendor's package of EMQX",
            subject="emqx_package",
        )
        return
    if facts.version and facts.version != release.version:
        yield Finding(
            "package_version",
            f"a package of version {release.version}",
            _seen(release, f"version {facts.version}", facts),
            f"set emqx_version to {facts.version} or give the other package",
            subject="emqx_version",
        )
    elif facts.name and facts.name != release.package:
        yield Finding(
            "package_edition",
            f"the package {release.package}, as emqx_edition is {release.edition}",
            _seen(release, facts.name, facts),
            "set emqx_edition to the one of the package or give the other package",
            subject="emqx_edition",
        )
    arch = host.platform.get("arch", "")
    if facts.arch and arch and facts.arch != arch:
        yield Finding(
            "package_arch",
            f"a package for {arch}",
            _seen(release, facts.arch, facts),
            "give the package of the host's own architecture",
            subject="emqx_package",
        )


def _seen(release: Release, what: str, facts: PackageFacts) -> str:
    """Say what a file's name says, or what is in the file."""
    return f"{what} in {release.file}" if facts.format else release.file


def _content_findings(settings: Settings, package_stat: Record) -> t.Iterator[Finding]:
    where, path = _PLACES[settings.package_source], settings.package
    expected = settings.package_sha256.lower() or package_stat.get("sidecar", "")
    if not package_stat.get("exists"):
        yield Finding(
            "package_missing",
            f"the package on {where}",
            f"no file {path}",
            "correct the path or put the file there",
            subject="emqx_package",
        )
    elif not expected:
        yield Finding(
            "package_sha256",
            "a SHA-256 to compare the package with",
            f"neither emqx_package_sha256 nor {path}.sha256",
            "set emqx_package_sha256 or put the vendor's .sha256 beside the package",
            subject="emqx_package_sha256",
        )
    elif package_stat["sha256"] != expected:
        yield Finding(
            "package_sha256",
            f"SHA-256 {expected}",
            f"{package_stat['sha256']} of {path} on {where}",
            "get the package again, or correct emqx_package_sha256",
            subject="emqx_package_sha256",
        )


def _opened_findings(
    settings: Settings, release: Release, host: HostState, opened: PackageFacts
) -> t.Iterator[Finding]:
    if opened.problem:
        known = FORMATS.get(opened.format)
        yield Finding(
            "package_unreadable",
            f"a {known.suffix if known else 'package'} of EMQX in {release.file}",
            opened.problem,
            "get the package again from the vendor, and compare its SHA-256 with the published one",
            subject="emqx_package",
        )
    else:
        yield from _identity_findings(settings, release, host, opened)
