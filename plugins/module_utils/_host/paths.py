# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Where a path that a node names lies on its host."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text

# The vendor's images, EMQX 5.0 to 6.3.
IMAGE_ROOT = "/opt/emqx"
IMAGE_ETC, IMAGE_DATA = f"{IMAGE_ROOT}/etc", f"{IMAGE_ROOT}/data"
_UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def unit_text(service: str) -> str:
    """Return the text of a unit's file, for an instance that of its template filled in."""
    prefix, _at, rest = service.partition("@")
    instance = rest.rpartition(".")[0]
    names = [service, f"{prefix}@.service"] if rest else [service]
    texts = (read_text(f"{folder}/{name}") for folder in _UNITS for name in names)
    return next((text for text in texts if text), "").replace("%i", instance)


def resolved(path: str, root: str, etc: str) -> str:
    """Return a path as EMQX takes it: relative to the root of its release, variables filled in."""
    path = path.replace("${EMQX_ETC_DIR}", etc).replace("$RUNNER_ROOT_DIR", root)
    return os.path.normpath(os.path.join(root, path)) if path else ""


def volumes(unit: str, target: str) -> list[str]:
    """Return the path on the host that a unit of ours mounts in its container."""
    return [source for source, inside in _mounts(unit) if inside == target]


def _mounts(unit: str) -> list[tuple[str, str]]:
    return re.findall(r"--volume=([^:\s\"]+):([^:\s\"]+)", unit)


def mounts(service: str) -> dict[str, str]:
    """Return by path in the container of a unit the path on the host, {} where it starts none."""
    return {inside: source for source, inside in _mounts(unit_text(service))}


def on_host(path: str, mounted: t.Mapping[str, str]) -> str:
    """Return where a path of a node lies on the host, "" for what is in its container alone."""
    if not mounted:
        return path if path.startswith("/") else ""
    for inside, source in mounted.items():
        if path == inside or path.startswith(f"{inside}/"):
            return source + path[len(inside) :]
    return ""
