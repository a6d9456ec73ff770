# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a container engine says of the parts of a node: its image, its network, its unit."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record

# A container of ours has this label with its EMQX version.
LABEL = "mqttops.emqx.version"


def unit_version(text: str) -> str:
    """Return the EMQX version that a unit of ours starts in a container, "" for another unit."""
    found = re.search(rf"--label={re.escape(LABEL)}=([0-9A-Za-z.-]+)", text)
    return found.group(1) if found else ""


def parse_image(stdout: str) -> Json:
    """Return ``id`` and ``names`` from `image inspect`, empty where there is no such image."""
    found = _first(stdout)
    return {"id": str(found.get("Id", "")), "names": list(found.get("RepoTags") or [])}


def parse_network(stdout: str) -> list[str] | None:
    """Return the subnets from `network inspect`, None where there is no such network."""
    found = _first(stdout)
    if not found:
        return None
    # Podman with netavark, Podman with CNI, Docker.
    plugins = found.get("plugins") or []
    ranges = [item for plugin in plugins for group in _ranges(plugin) for item in group]
    entries = [
        *(found.get("subnets") or []),
        *ranges,
        *((found.get("IPAM") or {}).get("Config") or []),
    ]
    return [str(entry.get("subnet") or entry.get("Subnet")) for entry in entries]


def _ranges(plugin: Record) -> t.Any:
    return (plugin.get("ipam") or {}).get("ranges") or []


def _first(stdout: str) -> Json:
    try:
        shown = json.loads(stdout)
    except ValueError:
        return {}
    found = shown[0] if isinstance(shown, list) and shown else shown
    return found if isinstance(found, dict) else {}
