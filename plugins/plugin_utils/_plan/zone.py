# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The DNS zone by which EMQX finds the cores of a cluster: its records, and what is wrong."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node

Record = t.Dict[str, str]

# RFC 1035, section 2.3.1, and names of services (RFC 2782).
_ZONE = re.compile(r"([0-9A-Za-z_]([0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?\.)+")

# Zones that the packages of Debian and Red Hat bring along.
_BUILT_IN = re.compile(
    r"\.|localhost(\.localdomain)?|(.+\.)?(0|127|255)\.in-addr\.arpa|.+\.ip6\.arpa"
)


@dataclass(frozen=True)
class ZoneSettings:
    """``name`` and ``record_type`` are what EMQX asks for; ``nameservers`` addresses by name;
    ``extra`` records of the user's, each with name, type and value."""

    zone: str
    name: str
    record_type: str
    nameservers: t.Mapping[str, str] = field(default_factory=dict)
    extra: tuple[t.Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Zone:
    """A record has ``name`` (absolute), ``type`` and ``value``."""

    records: tuple[Record, ...]
    findings: tuple[Finding, ...]


def plan(nodes: t.Iterable[Node], settings: ZoneSettings) -> Zone:
    """Return the records of a cluster.

    Only cores have records, as they are what EMQX looks for; a core that is named by a FQDN of the
    zone has its addresses there, too.
    """
    zone, name = _absolute(settings.zone), _absolute(settings.name)
    findings = list(_setting_findings(zone, name))
    records: list[Record] = []
    for server, address in settings.nameservers.items():
        records.append(_record(zone, "NS", _absolute(server)))
        if _inside(_absolute(server), zone):
            records += _addresses(_absolute(server), [address])
    for node in nodes:
        if node.role == "core":
            of_node, wrong = _of_node(node, zone, name, settings.record_type.upper())
            records += of_node
            findings += wrong
    for given in settings.extra:
        records.append(_record(_absolute(given["name"]), given["type"].upper(), given["value"]))
    findings += [
        Finding(
            "dns_records",
            f"names within {zone}",
            record["name"],
            "remove it",
            subject="bind_extra_records",
        )
        for record in records
        if not _inside(record["name"], zone) and record["name"] != name
    ]
    unique = tuple(record for n, record in enumerate(records) if record not in records[:n])
    return Zone(unique, tuple(findings))


def _of_node(
    node: Node, zone: str, name: str, record_type: str
) -> tuple[list[Record], list[Finding]]:
    host = _absolute(node.host)
    findings = []
    if record_type == "SRV":
        records = [_record(name, "SRV", f"0 0 {node.dist_port} {host}")]
    else:
        records = [r for r in _addresses(name, [node.host]) if r["type"] == record_type]
        findings += [] if records else [_no_address(node, record_type)]
    if not node.host_is_ip and _inside(host, zone):
        found = _addresses(host, node.addresses)
        findings += [] if found else [_unknown_address(node)]
        records += found
    return records, findings


def _setting_findings(zone: str, name: str) -> t.Iterator[Finding]:
    if name == ".":
        yield Finding(
            "dns_name",
            "the name whose records list the nodes",
            "none",
            "set it for the hosts of the cluster",
            subject="emqx_dns_name",
        )
    elif zone == ".":
        yield Finding(
            "dns_zone",
            "the zone that the records are in, such as mq.example.org",
            "none",
            "set it",
            subject="bind_zone",
        )
    elif not _ZONE.fullmatch(zone):
        yield Finding(
            "dns_zone",
            "the name of a zone, such as mq.example.org",
            repr(zone[:-1]),
            "correct it",
            subject="bind_zone",
        )
    elif not _inside(name, zone):
        yield Finding(
            "dns_name",
            f"a name within bind_zone {zone[:-1]}",
            name[:-1],
            "correct one of them",
            subject="emqx_dns_name",
        )


def _no_address(node: Node, record_type: str) -> Finding:
    return Finding(
        "dns_node_name",
        f"an address after the @ with records of type {record_type}",
        f"a node named {node.name}",
        "set emqx_node_address to it, or emqx_dns_record_type to srv",
        hosts=(node.inventory_host,),
        subject="emqx_node_address",
    )


def _unknown_address(node: Node) -> Finding:
    return Finding(
        "dns_address",
        f"an address of {node.host} for its record",
        "none",
        "set emqx_node_addresses of that host",
        hosts=(node.inventory_host,),
        subject="emqx_node_addresses",
    )


def foreign_zones(shown: str, own: str) -> list[str]:
    """Return the zones of another purpose in what ``named-checkconf -p`` shows."""
    zones = re.findall(r'^\s*zone "([^"]+)"', shown, re.MULTILINE)
    return [z for z in zones if not _BUILT_IN.fullmatch(z) and _absolute(z) != _absolute(own)]


def _absolute(name: str) -> str:
    return f"{name.rstrip('.')}."


def _inside(name: str, zone: str) -> bool:
    return name.lower() == zone.lower() or name.lower().endswith(f".{zone.lower()}")


def _record(name: str, kind: str, value: str) -> Record:
    return {"name": name, "type": kind, "value": value}


def _addresses(name: str, addresses: t.Iterable[str]) -> list[Record]:
    kinds = {4: "A", 6: "AAAA"}
    found = []
    for address in addresses:
        try:
            found.append(_record(name, kinds[ipaddress.ip_address(address).version], address))
        except ValueError:
            continue
    return found
