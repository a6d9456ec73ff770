# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes and hosts as the planning of certificates takes them."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    FileState,
    HostState,
    Layout,
    Node,
    ServiceState,
)
from ansible_collections.mqttops.emqx.tests.support.certificates import Files

PATHS = {part: f"/etc/mqttops-emqx/tls/{part}.pem" for part in ("certificate", "key", "ca")}
_EMPTY: dict[str, t.Any] = {"str": "", "int": 0, "bool": False, "Texts": (), "Numbers": ()}


def blank(record: t.Any, **given: t.Any) -> t.Any:
    """Return a record with empty values where none are given."""
    fields = {each.name: _EMPTY.get(str(each.type), ()) for each in dataclasses.fields(record)}
    return record(**{**fields, **given})


def node(host: str, inventory_host: str = "n1", role: str = "core", **more: t.Any) -> Node:
    """Return the node that is named emqx@host."""
    short_name = more.pop("short_name", "emqx")
    fixed = {"name": f"{short_name}@{host}", "short_name": short_name, "dist_port": 4370}
    found = blank(Node, host=host, inventory_host=inventory_host, role=role, **fixed, **more)
    assert isinstance(found, Node)
    return found


def layout(user: str = "emqx") -> Layout:
    """Return a layout with the paths of certificates."""
    found = blank(Layout, certificates=PATHS, user=user)
    assert isinstance(found, Layout)
    return found


def host(observed: t.Mapping[str, str], active: bool = False, **file: str) -> HostState:
    """Return a host with these certificates, in files of the right mode and group."""
    state = FileState(exists=True, **{"mode": "0640", "group": "emqx", "gid": "989", **file})
    return HostState(
        files=dict.fromkeys(PATHS.values(), state) if observed else {},
        service=ServiceState(active=active),
        certificates=observed,
    )


def public(files: Files) -> bytes:
    """Return the public key of a private one, as PEM."""
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def observed(files: Files, *trusted: Path) -> dict[str, str]:
    """Return what host_info reads of these files; ``trusted`` are CAs other than their own."""
    return {
        "certificate": files.cert.read_text(encoding="utf-8"),
        "ca": "".join(path.read_text(encoding="utf-8") for path in trusted or (files.ca,)),
        "public_key": public(files).decode(),
    }
