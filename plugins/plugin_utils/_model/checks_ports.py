# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Check the ports of the nodes, and the instances that they follow from.

The rules are those of ekka 0.13 to 0.23 and gen_rpc 2.8 to 3.5 (EMQX 5.0 to 6.3).
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import ports
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import default_ports
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Member, Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

Findings = t.Iterator[Finding]

_MAX_PORT = 65535
_OTHER_SERVER = "set emqx_server where hosts with one ansible_host are different servers"


class _Socket(t.NamedTuple):
    """What a node listens on: by which variable, and in words."""

    node: Node
    protocol: str
    port: int
    address: str
    variable: str
    name: str
    value: str
    remedy: str


def settings(given: Settings) -> Findings:
    """Yield what is wrong with the ports of RPC."""
    if given.rpc_port_discovery not in ("", *ports.PORT_DISCOVERIES):
        yield Finding(
            "bad_port_discovery",
            "stateless or manual",
            given.rpc_port_discovery,
            "set it to stateless, or to manual where all nodes share one rpc port",
            subject="emqx_rpc_port_discovery",
        )
    if not 0 < given.rpc_server_port <= _MAX_PORT:
        yield Finding(
            "bad_port",
            f"a port from 1 to {_MAX_PORT}",
            str(given.rpc_server_port),
            f"set it to a free port, the default is {ports.RPC_SERVER_PORT}",
            subject="emqx_rpc_server_port",
        )


def instances(nodes: t.Sequence[Node]) -> Findings:
    """Yield numbers of instances that are none, taken, or not those of their names."""
    subject = "emqx_instance"
    taken: dict[tuple[str, int], str] = {}
    for node in nodes:
        host, number = node.inventory_host, node.instance
        if not 0 <= number <= default_ports.MAX_INSTANCE:
            yield Finding(
                "bad_instance",
                f"a number from 1 to {default_ports.MAX_INSTANCE}, or 0 for the package's own node",
                str(number),
                "choose another",
                (host,),
                subject,
            )
            continue
        if number and ports.suffix_of(node.name) != number:
            yield Finding(
                "instance_name",
                f"a name with {number} before the @, as emqx_instance is {number}",
                node.name,
                "leave it unset, or end the part before the @ in the number of the instance",
                (host,),
                "emqx_node_name",
            )
        other = taken.setdefault((node.server, number), host)
        if other != host:
            yield Finding(
                "instance_collision",
                f"a number of its own on server {node.server}",
                f"{number}, also that of {other}",
                f"set emqx_instance of {host} to a number from 1 to {default_ports.MAX_INSTANCE} "
                "that no other host of the server has, or emqx_server where hosts with one "
                "ansible_host are different servers",
                (host,),
                subject,
            )


def listeners(nodes: t.Sequence[Node]) -> Findings:
    """Yield listeners on what is no port."""
    for node in nodes:
        for listener in node.listeners:
            if listener.enabled and not 0 < listener.port <= _MAX_PORT:
                yield Finding(
                    "bad_listener_port",
                    f"a port from 1 to {_MAX_PORT} for the listener {listener.name}",
                    str(listener.port),
                    f"correct bind of {listener.name} in emqx_config",
                    (node.inventory_host,),
                    "emqx_config",
                )


def collisions(nodes: t.Sequence[Node], given: Settings) -> Findings:
    """Yield where two sockets of one server would be the same, as EMQX then does not start."""
    manual = given.rpc_port_discovery == "manual"
    taken: dict[tuple[str, str, int], dict[str, _Socket]] = {}
    for node in nodes:
        for socket in (*_cluster_sockets(node, manual), *_listener_sockets(node)):
            place = taken.setdefault((node.server, socket.protocol, socket.port), {})
            other = _same(place, socket)
            place.setdefault(socket.address, socket)
            if other is None:
                continue
            own = other.node is node
            # Two nodes of the same number are one finding, which is made elsewhere.
            if own or other.node.instance != node.instance:
                whose = "this very node" if own else other.node.name
                yield Finding(
                    "port_collision",
                    f"ports of its own on server {node.server}",
                    f"{socket.value}, also the {other.name} of {whose}",
                    socket.remedy,
                    (node.inventory_host,),
                    socket.variable,
                )


def _same(place: t.Mapping[str, _Socket], socket: _Socket) -> _Socket | None:
    """Return what listens on the same address and port; "" is all addresses."""
    if not socket.address:
        return next(iter(place.values()), None)
    return place.get("") or place.get(socket.address)


def _cluster_sockets(node: Node, manual: bool) -> t.Iterator[_Socket]:
    for kind, port in (("distribution", node.dist_port), ("rpc", node.rpc_port)):
        name = f"{kind} port"
        if manual and kind == "rpc":
            remedy = (
                "set emqx_rpc_port_discovery to stateless or emqx_rpc_server_port to a free port"
            )
            variable, value = "emqx_rpc_server_port", f"{port}"
        else:
            remedy = f"change the number before the @ of {node.name}, or {_OTHER_SERVER}"
            variable, value = "emqx_node_name", node.name
        value = f"{value} with {name} {port}"
        yield _Socket(node, "tcp", port, "", variable, name, value, remedy)


def _listener_sockets(node: Node) -> t.Iterator[_Socket]:
    for each in node.listeners:
        if each.enabled and each.port:
            name = f"listener {each.name}"
            where = f"{each.address}:{each.port}" if each.address else str(each.port)
            value = f"{name} on {each.protocol} port {where}"
            remedy = f"set another port for one of them (bind), or {_OTHER_SERVER}"
            yield _Socket(
                node, each.protocol, each.port, each.address, "emqx_config", name, value, remedy
            )


def rpc(members: t.Sequence[Member]) -> Findings:
    """Yield where hosts differ: each node derives the RPC port of a peer from its own settings."""
    server_ports = [
        (str(member.rpc_server_port or ""), member)
        for member in members
        if member.rpc_port_discovery == "manual"
    ]
    discoveries = [
        (member.rpc_port_discovery, member)
        for member in members
        if member.rpc_port_discovery in ports.PORT_DISCOVERIES
    ]
    for subject, values in (
        ("emqx_rpc_port_discovery", discoveries),
        ("emqx_rpc_server_port", server_ports),
    ):
        hosts: dict[str, list[str]] = {}
        for value, member in values:
            if value:
                hosts.setdefault(value, []).append(member.inventory_host)
        if len(hosts) > 1:
            found = " and ".join(f"{value} on {', '.join(on)}" for value, on in hosts.items())
            yield Finding(
                "mixed_rpc_ports",
                "the same on all hosts, as a node takes its peers to have the RPC ports that its "
                "own setting gives",
                found,
                f"set {subject} for the whole cluster; containers have manual port discovery "
                "unless set otherwise, packages stateless",
                subject=subject,
            )
