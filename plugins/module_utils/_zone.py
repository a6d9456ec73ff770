# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The DNS zone of a cluster: its records out of the topology, its file, and its serial."""

from __future__ import annotations

import ipaddress
import re
import typing as t

Node = t.Mapping[str, t.Any]
Record = t.Dict[str, str]

_SERIAL = re.compile(r"^\s*([0-9]+) +; serial$", re.MULTILINE)
_MAX_SERIAL = 2**32 - 1

# Zones that the packages of Debian and Red Hat bring along.
_BUILT_IN = re.compile(
    r"\.|localhost(\.localdomain)?|(.+\.)?(0|127|255)\.in-addr\.arpa|.+\.ip6\.arpa"
)


def plan(nodes: t.Iterable[Node], wish: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the ``records`` of a cluster, and in ``errors`` what keeps them from being right.

    ``wish`` has ``zone``, ``name`` and ``record_type`` (what EMQX asks for), ``nameservers``
    (name -> address) and ``extra`` (records of the user's). Only cores have records, as they are
    what EMQX looks for; a core that is named by a FQDN of the zone has its addresses there, too.
    A record has ``name`` (absolute), ``type`` and ``value``.
    """
    zone, name = _absolute(wish["zone"]), _absolute(wish["name"])
    record_type = str(wish["record_type"]).upper()
    errors = list(_setting_errors(zone, name))
    records: list[Record] = []
    for server, address in wish["nameservers"].items():
        records.append(_record(zone, "NS", _absolute(server)))
        if _inside(_absolute(server), zone):
            records += _addresses(_absolute(server), [address])
    for node in nodes:
        if node["role"] != "core":
            continue
        host = _absolute(node["host"])
        if record_type == "SRV":
            records.append(_record(name, "SRV", f"0 0 {node['dist_port']} {host}"))
        else:
            found = [r for r in _addresses(name, [node["host"]]) if r["type"] == record_type]
            errors += [] if found else [_no_address(node, record_type)]
            records += found
        if not node["host_is_ip"] and _inside(host, zone):
            found = _addresses(host, node["addresses"])
            errors += [] if found else [_unknown_address(node)]
            records += found
    for given in wish["extra"]:
        records.append(_record(_absolute(given["name"]), given["type"].upper(), given["value"]))
    errors += [
        f"bind_extra_records has {record['name']}, expected names within {zone}: remove it."
        for record in records
        if not _inside(record["name"], zone) and record["name"] != name
    ]
    unique = [record for n, record in enumerate(records) if record not in records[:n]]
    return {"records": unique, "errors": errors}


def _setting_errors(zone: str, name: str) -> t.Iterator[str]:
    if name == ".":
        yield (
            "emqx_dns_name is empty, expected the name whose records list the nodes: set it for "
            "the hosts of the cluster."
        )
    elif zone == ".":
        yield (
            "bind_zone is empty, expected the zone that the records are in, such as "
            "mq.example.org: set it."
        )
    elif not _inside(name, zone):
        yield (
            f"emqx_dns_name is {name[:-1]}, expected a name within bind_zone {zone[:-1]}: "
            "correct one of them."
        )


def _no_address(node: Node, record_type: str) -> str:
    return (
        f"Host {node['inventory_host']}: the node is named {node['name']}, expected an address "
        f"after the @ with records of type {record_type}: set emqx_node_address to it, or "
        "emqx_dns_record_type to srv."
    )


def _unknown_address(node: Node) -> str:
    return (
        f"Host {node['inventory_host']}: no address is known of {node['host']}, expected one for "
        "its record: set emqx_node_addresses of that host."
    )


def _absolute(name: t.Any) -> str:
    return f"{str(name).rstrip('.')}."


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


def lines(records: t.Iterable[t.Mapping[str, str]], ttl: int) -> str:
    """Return records as lines of a zone file."""
    shown = (f"{r['name']} {ttl} IN {r['type']} {r['value']}\n" for r in records)
    return "".join(shown)


def settle(
    current: str, zone: str, records: t.Sequence[t.Mapping[str, str]], ttl: int, now: int
) -> tuple[str, int]:
    """Return the zone's file, and its serial: that of the current file where nothing else differs.

    A new serial is the time, or one more than the current one where that is not smaller.
    """
    found = _SERIAL.search(current)
    serial = int(found.group(1)) if found else 0
    same = _render(zone, records, ttl, serial)
    if same == current:
        return same, serial
    serial = max(now, serial % _MAX_SERIAL + 1)
    return _render(zone, records, ttl, serial), serial


def _render(zone: str, records: t.Sequence[t.Mapping[str, str]], ttl: int, serial: int) -> str:
    origin = _absolute(zone)
    server = next((r["value"] for r in records if r["type"] == "NS"), origin)
    return (
        "; Managed by Ansible (mqttops.emqx): changes made here are lost.\n"
        f"$TTL {ttl}\n"
        f"{origin} IN SOA {server} hostmaster.{origin} (\n"
        f"  {serial} ; serial\n"
        f"  3600 ; refresh\n"
        f"  60 ; retry\n"
        f"  604800 ; expire\n"
        # How long a name that is not there yet is taken for missing.
        f"  {ttl} ) ; negative TTL\n"
        f"{lines(records, ttl)}"
    )


def foreign_zones(shown: str, own: str) -> list[str]:
    """Return the zones of another purpose in what ``named-checkconf -p`` shows."""
    zones = re.findall(r'^\s*zone "([^"]+)"', shown, re.MULTILINE)
    return [z for z in zones if not _BUILT_IN.fullmatch(z) and _absolute(z) != _absolute(own)]
