# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a host gets to serve the zone of a cluster with BIND 9."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils import _zone
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState, Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import zone
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.addresses import is_address
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.zone import ZoneSettings

Texts = t.Tuple[str, ...]
UNIT = "named.service"
PACKAGES = ("bind9", "bind")


@dataclass(frozen=True)
class Distribution:
    """Names and places of a distribution's packages: ``zones`` for those of a primary, ``copies``
    for what a secondary transfers."""

    packages: Texts
    config: str
    group: str
    zones: str
    copies: str


_DISTRIBUTIONS = {
    "deb": Distribution(
        ("bind9", "bind9-utils"),
        "/etc/bind/named.conf",
        "bind",
        "/var/lib/bind",
        "/var/cache/bind",
    ),
    "rpm": Distribution(
        ("bind", "bind-utils"), "/etc/named.conf", "named", "/var/named", "/var/named/slaves"
    ),
}


def records(nodes: t.Iterable[Node], settings: ZoneSettings, ttl: int) -> tuple[zone.Zone, str]:
    """Return the records for a DNS of the user's, and the same as lines of a zone file."""
    found = zone.plan(nodes, dataclasses.replace(settings, nameservers={}))
    return found, _zone.lines(found.records, ttl)


def plan(
    host: str,
    addresses: t.Mapping[str, str],
    nodes: t.Iterable[Node],
    settings: ZoneSettings,
    state: HostState,
    named_conf: str,
    ttl: int = 10,
) -> Json:
    """Return what the role does on a name server, and the findings about it.

    ``addresses`` are those of all name servers, the primary first; ``named_conf`` is what
    named-checkconf -p shows of one that is there.
    """
    servers = {f"ns{n}.{settings.zone}": each for n, each in enumerate(addresses.values(), 1)}
    found = zone.plan(nodes, dataclasses.replace(settings, nameservers=servers))
    family = str(state.platform.get("format", ""))
    layout = _DISTRIBUTIONS.get(family)
    findings = [
        *found.findings,
        *_ttl_findings(ttl),
        *_host_findings(
            host, addresses[host], state, layout, zone.foreign_zones(named_conf, settings.zone)
        ),
    ]
    return {
        "findings": findings,
        "install": "" if state.package_name else family,
        "starts": state.service.exists,
        "primary": host == next(iter(addresses), ""),
        "records": list(found.records),
        "layout": dataclasses.asdict(layout) if layout else {},
        "addresses": list(addresses.values()),
    }


def _ttl_findings(ttl: int) -> list[Finding]:
    # RFC 2181, section 8
    if 0 <= ttl < 2**31:
        return []
    expected = f"seconds from 0 to {2**31 - 1}"
    return [Finding("dns_ttl", expected, str(ttl), "correct it", subject="bind_ttl")]


def _host_findings(
    host: str,
    address: str,
    state: HostState,
    layout: Distribution | None,
    foreign: t.Sequence[str],
) -> t.Iterator[Finding]:
    if layout is None:
        yield Finding(
            "bind_platform",
            "Debian, Ubuntu, RHEL or a rebuild",
            str(state.platform.get("name", "another system")),
            "take another host as name server",
            hosts=(host,),
        )
    if not is_address(address):
        yield Finding(
            "bind_address",
            "the IP address of this name server, for the others and for its record",
            repr(address),
            "set it for this host",
            hosts=(host,),
            subject="bind_address",
        )
    if foreign:
        yield Finding(
            "bind_zones",
            "a name server for this role alone",
            f"one with the zones {', '.join(foreign)}",
            "take another host, or only the records (bind_records_file)",
            hosts=(host,),
            subject=UNIT,
        )
