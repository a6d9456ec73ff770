# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Values of a host's variables that are right each by itself, but not together."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.shown import finding, shown


def contradictions(settings: Settings, host: str) -> t.Iterator[Finding]:
    """Yield what is wrong with values that are allowed each by itself."""
    yield from _directories(settings, host)
    yield from _package(settings, host)


# The first of each is not to be the second, nor to hold it.
_APART = (("data_dir", "root_dir"), ("data_dir", "download_dir"), ("root_dir", "download_dir"))
# What a tar.gz brings, and its logs: folders of the same names, below emqx_root_dir.
_RELEASE = re.compile(r"(bin|erts-[^/]*|etc|lib|log|plugins|releases)(/.*)?")


def _directories(settings: Settings, host: str) -> t.Iterator[Finding]:
    for outer, inner in _APART:
        directory, other = getattr(settings, outer), getattr(settings, inner)
        if directory and f"{other}/".startswith(f"{directory}/"):
            yield finding(
                "bad_value",
                outer,
                host,
                f"a directory that does not hold emqx_{inner} ({other})",
                shown(outer, directory),
                "choose another, such as one below it",
            )
    root, data = f"{settings.root_dir}/", settings.data_dir
    if data.startswith(root) and _RELEASE.fullmatch(data[len(root) :]):
        yield finding(
            "bad_value",
            "data_dir",
            host,
            "a directory that is no part of the release",
            shown("data_dir", data),
            f"choose another, such as {root}data",
        )


def _package(settings: Settings, host: str) -> t.Iterator[Finding]:
    source, location = settings.package_source, settings.package
    is_url = "://" in location
    if location and source == "download" and not is_url:
        yield finding(
            "bad_value",
            "package",
            host,
            "a URL, as emqx_package_source is download",
            shown("package", location),
            "set emqx_package_source to controller or host, wherever that file is",
        )
    if source in ("controller", "host") and is_url:
        yield finding(
            "bad_value",
            "package",
            host,
            f"a path, as emqx_package_source is {source}",
            shown("package", location),
            "set emqx_package_source to download",
        )
    if source == "repository" and settings.package_type == "tarball" and not settings.in_container:
        yield finding(
            "bad_value",
            "package_source",
            host,
            "download, controller or host, as emqx_package_type is tarball",
            "repository",
            "choose one of them, or set emqx_package_type to package",
        )
