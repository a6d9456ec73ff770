# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the modules answer of a cluster, healthy at first, to be made ill in tests."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node

KINDS = {"distribution": 4370, "rpc": 5370}
PINGS = "Node 'emqx@10.0.0.3' not responding to pings."


def node(name: str, inventory_host: str, **changes: t.Any) -> Node:
    """Return a node as the model of a cluster has it."""
    short_name, _at, host = name.partition("@")
    given: dict[str, t.Any] = {
        "name": name,
        "short_name": short_name,
        "host": host,
        "inventory_host": inventory_host,
        "server": host,
        "role": "core",
        "offset": 0,
        "dist_port": KINDS["distribution"],
        "rpc_port": KINDS["rpc"],
        "rpc_port_stateless": KINDS["rpc"],
        "rpc_port_manual": 5369,
        "addresses": (host,),
        "host_is_ip": True,
        "ip_version": 4,
        "version": "5.8.9",
        "license": "default",
        "instance": 0,
        "listeners": (),
        "listener_ports": (1883, 8083, 8084, 8883),
        "dashboard_ports": (18083,),
    }
    return Node(**{**given, **changes})


class Scene:
    """A cluster of hosts n1..nN with the nodes emqx@10.0.0.1..N."""

    def __init__(self, size: int = 3, version: str = "5.8.9", replicants: t.Sequence[str] = ()):
        self.hosts = [f"n{number + 1}" for number in range(size)]
        self.names = {host: f"emqx@10.0.0.{host[1:]}" for host in self.hosts}
        self.nodes = {
            host: node(name, host, role="replicant" if host in replicants else "core")
            for host, name in self.names.items()
        }
        self.evidence: dict[str, dict[str, t.Any]] = {
            host: {
                "view": {"emqx": self._view(host, version)},
                "host": {"evidence": self._host(host, version)},
                "links": {"probe": self._probe(host)},
            }
            for host in self.hosts
        }

    def _view(self, host: str, version: str) -> dict[str, t.Any]:
        return {
            "state": "ready",
            "reason": "",
            "installed": True,
            "node": self.names[host],
            "version": version,
            "role": self.nodes[host].role,
            "running_nodes": list(self.names.values()),
            "stopped_nodes": [],
            "uptime_seconds": 60,
            "proto_dist": "inet_tcp",
            "rpc_protocol": "tcp",
            "rpc_port_discovery": "stateless",
            "discovery_strategy": "static",
            "cookie_fingerprint": "c00c1e",
            "config_sync": {"tnx_ids": {}, "in_sync": True},
            "peers": {},
        }

    def _host(self, host: str, version: str) -> dict[str, t.Any]:
        name = self.names[host]
        process = {"node": name, "pid": 100, "cookie_fingerprint": "c00c1e"}
        emqx = {"process": "beam.smp", "pid": 100, "unit": "emqx.service"}
        unit = {"active": "active", "sub": "running", "result": "success", "restarts": 0}
        return {
            "time": 1000.0,
            "addresses": [self.nodes[host].host],
            "version": version,
            "unit": {"name": "emqx.service", "exists": True, "enabled": True, **unit},
            "processes": [{**process, "open_files": 50, "open_files_limit": 1048576}],
            "config": {
                "error": "",
                "settings": {
                    "node.name": name,
                    "cluster.discovery_strategy": "static",
                    "cluster.static.seeds": list(self.names.values()),
                },
                "license": "none",
                "cookie_fingerprint": "c00c1e",
                "keys": {"node.name": name, "mqtt.max_packet_size": "aa"},
                "runtime_keys": {},
                "overridden": [],
            },
            "stale": [],
            "data_nodes": [name],
            "disks": {"/var/lib/emqx": self.space(5000)},
            "listening": {"4370": dict(emqx), "5370": dict(emqx), "1883": dict(emqx)},
            "certificates": [],
            "unusable": [],
            "log": [],
        }

    @staticmethod
    def space(free: int, size: int = 10000) -> dict[str, t.Any]:
        """Return a file system, in MiB."""
        count = {"free_entries": 1000, "entries": 2000}
        return {"free": free << 20, "size": size << 20, **count, "read_only": False}

    def _probe(self, host: str) -> dict[str, t.Any]:
        links = [
            {"to": name, "kind": kind, "port": port, "address": name[5:], "state": "open"}
            for name in self.names.values()
            for kind, port in KINDS.items()
        ]
        resolved = {node.host: [node.host] for node in self.nodes.values()}
        return {"links": links, "resolved": resolved, "own_address_local": True, "listening": {}}

    # -- what may happen to it ---------------------------------------------------------------

    def view(self, host: str, **changes: t.Any) -> None:
        self.evidence[host]["view"]["emqx"].update(changes)

    def on_host(self, host: str, **changes: t.Any) -> None:
        self.evidence[host]["host"]["evidence"].update(changes)

    def unit(self, host: str, **changes: t.Any) -> None:
        self.evidence[host]["host"]["evidence"]["unit"].update(changes)

    def config(self, host: str, **changes: t.Any) -> None:
        self.evidence[host]["host"]["evidence"]["config"].update(changes)

    def setting(self, host: str, key: str, value: t.Any) -> None:
        self.evidence[host]["host"]["evidence"]["config"]["settings"][key] = value

    def log(self, host: str, sign: str, line: str) -> None:
        lines = self.evidence[host]["host"]["evidence"]["log"]
        lines.append({"sign": sign, "source": "emqx.log.1", "line": line})

    def link(self, source: str, target: str, state: str, *kinds: str) -> None:
        # A host that is lost tried no link.
        probe = self.evidence[source]["links"].get("probe", {"links": []})
        for link in probe["links"]:
            if link["to"] == self.names[target] and link["kind"] in (kinds or KINDS):
                link["state"] = state

    def resolve(self, source: str, target: str, *addresses: str) -> None:
        self.evidence[source]["links"]["probe"]["resolved"][self.nodes[target].host] = [*addresses]

    def sees(self, host: str, running: str, stopped: str = "") -> None:
        """Set what a node sees, hosts with blanks between them."""
        self.view(
            host,
            running_nodes=[self.names.get(h, h) for h in running.split()],
            stopped_nodes=[self.names.get(h, h) for h in stopped.split()],
        )

    def down(self, host: str, active: str = "failed", sub: str = "failed", **more: t.Any) -> None:
        """End a node; the others see it stopped, and nobody listens on its ports."""
        blank = dict.fromkeys(
            ("node", "version", "cookie_fingerprint", "proto_dist", "rpc_protocol")
        )
        unseen: dict[str, t.Any] = {"running_nodes": [], "stopped_nodes": [], "config_sync": {}}
        self.view(host, **{**blank, **unseen, "state": "down", "reason": PINGS, **more})
        self.unit(host, active=active, sub=sub)
        self.on_host(host, processes=[], listening={}, stale=[])
        for other in self.hosts:
            self.link(other, host, "refused")
            seen = self.evidence[other]["view"].get("emqx", {"running_nodes": []})
            if self.names[host] in seen["running_nodes"]:
                seen["running_nodes"].remove(self.names[host])
                seen["stopped_nodes"].append(self.names[host])

    def waits(self, host: str, *others: str) -> None:
        source = ", ".join(self.names[other] for other in others)
        reason = f"still waiting for table(s) emqx_admin from {source}: nodes that stopped later"
        unseen: dict[str, t.Any] = {"running_nodes": [self.names[host]], "stopped_nodes": []}
        self.view(host, state="booting", reason=reason, **unseen)

    def unreachable(self, host: str) -> None:
        answer = {"unreachable": True, "msg": "Failed to connect to the host via ssh: timed out"}
        self.evidence[host] = {
            "view": answer,
            "host": {"skipped": True},
            "links": {"skipped": True},
        }

    def lost(self, host: str) -> None:
        """Have a host vanish with its node."""
        self.down(host)
        for other in self.hosts:
            self.link(other, host, "filtered")
        self.unreachable(host)

    def alone(self, host: str) -> None:
        """Have a node run without the others, which do not know it."""
        self.sees(host, host)
        for other in self.hosts:
            if other != host:
                self.sees(other, " ".join(h for h in self.hosts if h != host))

    def split(self, *parts: str) -> None:
        for part in parts:
            rest = " ".join(other for other in self.hosts if other not in part.split())
            for host in part.split():
                self.sees(host, part, rest)

    def cut(self, one: str, other: str, state: str = "filtered") -> None:
        self.link(one, other, state)
        self.link(other, one, state)
