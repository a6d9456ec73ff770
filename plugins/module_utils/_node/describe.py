# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A view as cluster_info returns it."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.ports import (
    RPC_SERVER_PORT,
    node_ports,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View, members


def describe(view: View) -> Json:
    """Return a view as the result of cluster_info."""
    ports = None
    if view.node:
        discovery = view.rpc_port_discovery or "stateless"
        found = node_ports(view.node, discovery, view.rpc_server_port or RPC_SERVER_PORT)
        ports = {key: found[key] for key in ("distribution", "rpc")}
    return {
        **members(view),
        "node": view.node,
        "version": view.version,
        "edition": view.edition,
        "role": view.role,
        "upstream_nodes": sorted(view.upstream),
        "copying_tables": list(view.copying_tables),
        "waiting_for_tables": list(view.waiting_for_tables),
        "waiting_for_nodes": list(view.waiting_for_nodes),
        "state": view.state,
        "reason": view.reason,
        "installed": view.installed,
        "uptime_seconds": None if view.uptime_ms is None else view.uptime_ms // 1000,
        "ports": ports,
        "proto_dist": view.proto_dist,
        "rpc_protocol": view.rpc_protocol,
        "rpc_port_discovery": view.rpc_port_discovery,
        "discovery_strategy": view.discovery,
        "data_dir": view.data_dir,
        "config_sync": {"tnx_ids": view.sync, "in_sync": in_sync(view)},
        "config_changed": None if view.config is None else sorted(view.config),
        "cookie_fingerprint": view.cookie_fingerprint,
        "default_login": view.default_login,
        "data": dict(view.data),
        "peers": {
            name: {"reachable": peer.reachable, "ready": peer.ready, **members(peer)}
            for name, peer in view.peers.items()
        },
    }


def in_sync(view: View) -> bool | None:
    """Return whether all running nodes applied the same configuration changes; None: unknown.

    EMQX lists no node at all before the first change of the configuration at run time.
    """
    if view.sync is None:
        return None
    return not view.sync or len({view.sync.get(name) for name in view.running}) == 1
