# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Nodes and clusters as the model has them, with what a test does not care about filled in."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Listener,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import NodeView


def node(host: str, address: str, suffix: int = 0, **more: t.Any) -> Node:
    """Return the node emqxSUFFIX@ADDRESS of a host, on a server of its own."""
    short = f"emqx{suffix or ''}"
    values: dict[str, t.Any] = {
        "name": f"{short}@{address}",
        "short_name": short,
        "host": address,
        "inventory_host": host,
        "server": address,
        "role": "core",
        "offset": suffix,
        "dist_port": 4370 + suffix,
        "rpc_port": 5370 + suffix,
        "rpc_port_stateless": 5370 + suffix,
        "rpc_port_manual": 5369,
        "addresses": (address,),
        "host_is_ip": True,
        "ip_version": 4,
        "version": "5.8.9",
        "license": "default",
        "instance": suffix,
        "listeners": (),
        "listener_ports": (1883, 8083, 8084, 8883),
        "dashboard_ports": (18083,),
    }
    return Node(**{**values, **more})


def cluster(*nodes: Node) -> Cluster:
    """Return the cluster of these nodes, all of them seeds that are cores."""
    names = tuple(one.name for one in nodes)
    return Cluster(
        nodes={one.inventory_host: one for one in nodes},
        members=names,
        cores=tuple(one.name for one in nodes if one.role == "core"),
        replicants=tuple(one.name for one in nodes if one.role == "replicant"),
        seeds=names,
        cluster_ports=tuple(port for one in nodes for port in (one.dist_port, one.rpc_port)),
        addresses=tuple(address for one in nodes for address in one.addresses),
        ipv6=False,
        rpc={},
        discovery={},
    )


def listener(name: str, port: int, **more: t.Any) -> Listener:
    """Return a listener; its kind follows from its name, as in ``dashboard:http``."""
    kinds = {"dashboard": "dashboard", "stomp": "gateway", "coap": "gateway"}
    kind = kinds.get(name.partition(":")[0], "mqtt")
    return Listener(**{"name": name, "kind": kind, "port": port, **more})


# What nodes say that are not ready, and hosts that say nothing.
ABSENT = NodeView("down", "no such user", installed=False)
DOWN = NodeView("down", "not responding to pings", installed=True)
BOOTING = NodeView("booting", "starting", installed=True, node="x")
GONE = NodeView("unreachable", "Connection timed out")


def view(name: str, *running: str, stopped: t.Iterable[str] = (), **more: t.Any) -> NodeView:
    """Return the view of a node that is ready, and sees itself and these others running."""
    values: dict[str, t.Any] = {
        "state": "ready",
        "installed": True,
        "node": name,
        "role": "core",
        "running": tuple(sorted({name, *running})),
        "stopped": tuple(sorted(stopped)),
        "data": {"dashboard_users": 1, "retained_messages": 0},
    }
    return NodeView(**{**values, **more})
