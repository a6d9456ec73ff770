# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether files on a host that its configuration will name are there and can be read by EMQX."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import environment_key
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import expand
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    HostState,
    Layout,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

# Keys of EMQX 5.0 to 6.3 whose values are paths on the node's host.
_NAMES = re.compile(r"(?:^|\.)(?:certfile|keyfile|cacertfile|bootstrap_file|init_file|path)$")
# Before a path, it makes EMQX take the value of a secret from a file (5.8 and newer).
_CONTENT = "file://"
_READ, _ENTER = 4, 1
_ETC = re.compile(r"^\$\{EMQX_ETC_DIR\}|^\$EMQX_ETC_DIR\b")


def named_paths(settings: Settings, layout: Layout) -> dict[str, tuple[str, str]]:
    """Return the absolute paths that a configuration names, with the variable and key of each.

    Texts in PEM in place of a path, paths that EMQX takes as relative, and what is no path are
    left out; so are containers, whose paths are their own.
    """
    found: dict[str, tuple[str, str]] = {}
    if settings.in_container:
        return found
    for variable, given in (
        ("emqx_base_config", settings.base_config),
        ("emqx_config", settings.config),
        (
            "emqx_environment",
            {environment_key(str(name)): value for name, value in settings.environment.items()},
        ),
        ("emqx_license", {"license.key": settings.license}),
    ):
        try:
            tree = expand(dict(given))
        except InputError:
            # That is a finding of its own.
            continue
        for key, value in _leaves(tree, ""):
            is_content = value.startswith(_CONTENT)
            path = value[len(_CONTENT) :] if is_content else value
            path = _ETC.sub(lambda _match: layout.etc, path)
            if (is_content or _NAMES.search(key)) and path.startswith("/") and "\n" not in path:
                found[path] = (variable, key)
    return found


def looked_at(settings: Settings, layout: Layout) -> tuple[str, ...]:
    """Return what a host is asked about for ``check_named_files``: those files and all folders
    above them."""
    paths = named_paths(settings, layout)
    return tuple(sorted({each for path in paths for each in (path, *_folders(path))}))


def _folders(path: str) -> list[str]:
    """Return the folders above a path, from the topmost on.

    >>> _folders("/etc/ssl/key.pem")
    ['/etc', '/etc/ssl']
    """
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: number + 1]) for number in range(len(parts))]


def _leaves(value: t.Any, key: str) -> t.Iterator[tuple[str, str]]:
    """Yield all texts below a value with their keys; the places in lists are no part of a key. What
    is switched off is left out, as EMQX does not open its files."""
    if isinstance(value, t.Mapping):
        if str(value.get("enable", True)).lower() == "false":
            return
        for name, item in value.items():
            # Any other path is part of a URL.
            if not (name == "path" and value.get("type") != "file"):
                yield from _leaves(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item, key)
    elif isinstance(value, str):
        yield key, value


def check_named_files(
    settings: Settings, layout: Layout, release: Release, host: HostState
) -> t.Iterator[Finding]:
    """Yield the files of ``named_paths`` that the host was asked about and that cannot be used."""
    for path, (variable, key) in named_paths(settings, layout).items():
        if path not in host.files or _is_brought(path, layout, release):
            continue
        closed = next((each for each in _folders(path) if not _opens(each, host, layout)), "")
        if not host.files[path].exists:
            found, remedy = f"no file {path}", "put it there, or correct the path"
        elif closed:
            found = f"{path} below {_described(closed, host)}"
            remedy = f"put it where the user {layout.user} may go, as {layout.etc}/certs"
        elif not _allows(host.files[path], layout.user, _READ):
            found = _described(path, host)
            remedy = f"let the user {layout.user} read it: chgrp {layout.user}; chmod g+r"
        else:
            continue
        yield Finding(
            "configured_file",
            f"a file for {key} that the user {layout.user} can read",
            found,
            remedy,
            subject=variable,
        )


def _is_brought(path: str, layout: Layout, release: Release) -> bool:
    """Tell whether the package or the deployment itself puts a file in its place."""
    if path in (*layout.watched, *layout.boot_files):
        return True
    folders = (layout.etc, layout.installed_etc, layout.installed_root)
    return release.needed and any(folder and path.startswith(f"{folder}/") for folder in folders)


def _opens(folder: str, host: HostState, layout: Layout) -> bool:
    """Tell whether EMQX may reach what lies in a folder, as far as that is known."""
    return folder not in host.files or _allows(host.files[folder], layout.user, _ENTER)


def _described(path: str, host: HostState) -> str:
    state = host.files[path]
    return f"{path} of {state.owner}:{state.group} with mode {state.mode}"


def _allows(state: FileState, user: str, right: int) -> bool:
    """Tell whether a mode gives a user a right. The user may be a member of any group but root's,
    and what is a link has no mode of its own: both count as allowed."""
    if not state.exists or not re.fullmatch(r"[0-7]{3,4}", state.mode):
        return True
    own, group, others = (int(digit) for digit in state.mode[-3:])
    if user in ("", "root", "0"):
        return True
    if user in (state.owner, state.uid):
        return bool(own & right)
    if state.gid != "0" and group & right:
        return True
    return bool(others & right)
