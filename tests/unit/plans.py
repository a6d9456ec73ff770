# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Builders of what the plans of a host are made from."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    HostState,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

DEBIAN = platforms.platform({"ID": "debian", "VERSION_ID": "12"}, "x86_64")
ROCKY = platforms.platform({"ID": "rocky", "VERSION_ID": "9.4"}, "aarch64")
NO_CONTAINER: dict[str, t.Any] = {
    "engine": False,
    "image": {"id": "", "names": []},
    "network": None,
    "version": "",
}


def settings(**given: t.Any) -> Settings:
    """Return settings of a plant's cluster, as they are once defaults are filled in."""
    resolved: dict[str, t.Any] = {
        "cluster_name": "plant",
        "cookie": "Qm7rT2xw9LkPz4aB",
        "container_name": f"emqx-{given['instance']}" if given.get("instance") else "emqx",
        "rpc_port_discovery": "manual" if given.get("deployment") == "container" else "stateless",
    }
    return Settings(**{**resolved, **given})


def node(name: str = "emqx@10.0.0.1", **given: t.Any) -> Node:
    short_name, _at, host = name.partition("@")
    offset = int(given.pop("offset", 0))
    named: dict[str, t.Any] = {
        "name": name,
        "short_name": short_name,
        "host": host,
        "inventory_host": "n1",
        "server": host,
        "role": "core",
        "offset": offset,
        "dist_port": 4370 + offset,
        "rpc_port": 5370 + offset,
        "rpc_port_stateless": 5370 + offset,
        "rpc_port_manual": 5369,
        "addresses": (host,),
        "host_is_ip": not any(letter in "ghijklmnopqrstuvwxyz" for letter in host),
        "ip_version": 4,
        "version": "5.8.9",
        "license": "default",
        "instance": offset,
        "listeners": (),
        "listener_ports": (1883, 8083, 8084, 8883),
        "dashboard_ports": (18083,),
    }
    return Node(**{**named, **given})


def cluster(*nodes: Node, **given: t.Any) -> Cluster:
    names = tuple(each.name for each in nodes)
    model: dict[str, t.Any] = {
        "nodes": {each.inventory_host: each for each in nodes},
        "members": names,
        "cores": names,
        "replicants": (),
        "seeds": names,
        "cluster_ports": (4370, 5370),
        "addresses": (),
        "ipv6": False,
        "rpc": {"port_discovery": "stateless"},
        "discovery": {"static": {"seeds": list(names)}},
    }
    return Cluster(**{**model, **given})


def host(platform: dict[str, t.Any] | None = None, **found: t.Any) -> HostState:
    """Return an empty Debian host with what was found there."""
    return HostState(platform=platform or DEBIAN, **{"container": NO_CONTAINER, **found})
