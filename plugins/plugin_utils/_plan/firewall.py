# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Who may reach which port of a server: one list of rules, which each back end renders.

A rule is ``{port, protocol, sources, purpose}``: the sources may reach the port, all others may
not. What no rule names is left to the host's own rules.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import firewalld, ufw

Rule = t.Dict[str, t.Any]
Problem = t.Tuple[str, str, str, str, str, str]

# In the order in which "auto" takes what is at work on a host.
MANAGERS = ("firewalld", "ufw")


def backend(chosen: str, active: t.Sequence[str]) -> str:
    """Return nftables, firewalld, ufw or none for what was chosen and the managers at work."""
    if chosen != "auto":
        return chosen
    return next((name for name in MANAGERS if name in active), "nftables")


def rules(
    topology: t.Mapping[str, t.Any], host: str, wish: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    """Return the rules of the server of an inventory host, each port once.

    ``wish`` holds ``listener_networks`` and ``dashboard_networks``; ports without networks have
    no rule. Raises InputError for a source that is no IP address or network.
    """
    nodes = topology["nodes"]
    here = [node for node in nodes.values() if node["server"] == nodes[host]["server"]]
    members = networks(topology["addresses"])
    found: dict[int, Rule] = {}
    for node in here:
        for key, purpose in (("dist_port", "Erlang distribution"), ("rpc_port", "RPC")):
            _add(found, node[key], members, f"{purpose} of {node['name']}")
    for kind, purpose in (("listener", "clients"), ("dashboard", "dashboard and REST API")):
        sources = networks(wish[f"{kind}_networks"])
        ports = {int(port) for node in here for port in node[f"{kind}_ports"]}
        for port in sorted(ports) if sources else []:
            _add(found, port, sources, purpose)
    return list(found.values())


def _add(found: dict[int, Rule], port: int, sources: list[str], purpose: str) -> None:
    rule = {"port": port, "protocol": "tcp", "sources": sources, "purpose": purpose}
    found.setdefault(port, rule)


def networks(sources: t.Iterable[t.Any]) -> list[str]:
    """Return addresses and networks in the form that all back ends print, IPv4 first.

    One that lies within another of them is left out: nftables takes no overlaps.
    """
    parsed = {_network(source) for source in sources}
    lengths = {network.prefixlen for network in parsed}
    kept = [
        network
        for network in parsed
        if not any(
            network.supernet(new_prefix=length) in parsed
            for length in lengths
            if length < network.prefixlen
        )
    ]
    kept.sort(key=lambda network: (network.version, network.network_address, network.prefixlen))
    return [_shown(network) for network in kept]


def _network(source: t.Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    text = str(source).strip()
    try:
        # A zone such as %eth0 names an interface of this host only.
        return ipaddress.ip_network("" if "%" in text else text, strict=False)
    except ValueError:
        raise InputError(
            f"{source!r} cannot be the source of a firewall rule: expected an IP address or a "
            "network such as 10.0.0.0/8.",
            found=str(source),
        ) from None


def _shown(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address if alone else network)


def groups(wanted: t.Iterable[Rule]) -> list[tuple[str, list[int], list[str]]]:
    """Return protocol, ports and sources of the rules, those of the same sources as one."""
    found: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for rule in wanted:
        found.setdefault((rule["protocol"], tuple(rule["sources"])), []).append(rule["port"])
    return [(proto, sorted(ports), list(sources)) for (proto, sources), ports in found.items()]


def nftables(wanted: t.Iterable[Rule], first: t.Sequence[str] = ()) -> str:
    """Return the rules as the lines of a chain, after those that come ``first``."""
    lines = ['iifname "lo" accept', *first]
    for protocol, ports, sources in groups(wanted):
        port = f"{protocol} dport {{ {', '.join(map(str, ports))} }}"
        for family, members in (
            ("ip", [source for source in sources if ":" not in source]),
            ("ip6", [source for source in sources if ":" in source]),
        ):
            if members:
                lines.append(f"{port} {family} saddr {{ {', '.join(members)} }} accept")
        lines.append(f"{port} counter drop")
    return "".join(f"    {line}\n" for line in lines)


def plan(
    topology: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return what has to be done on a host, and the rules themselves.

    ``found`` is what host_info says of the host's firewall. Of ``firewalld`` and ``ufw`` the
    result holds the rules to ``add`` and to ``remove``, in this order; one that is not the back
    end loses all of ours. ``nftables`` is the text of our chain; ``published`` that of the one
    for what is forwarded to containers, "" where there are none on a network of their own.
    """
    name = backend(wish["backend"], found["active"])
    wanted = rules(topology, wish["host"], wish)
    together = groups(wanted)
    zones = wish["zones"] or [found["firewalld"]["default_zone"]]
    return {
        "backend": name,
        "rules": wanted,
        "nftables": nftables(wanted),
        "published": _published(wanted, wish["container_subnet"]),
        "firewalld": firewalld.plan(
            together if name == "firewalld" else [], zones, found["firewalld"]["zones"]
        ),
        "ufw": ufw.plan(together if name == "ufw" else [], found["ufw"]),
    }


def _published(wanted: t.Iterable[Rule], subnet: str) -> str:
    # A node reaches itself by its own published port, too.
    ours = ["fib daddr type != local accept", f"ip saddr {subnet} accept"]
    return nftables(wanted, ours) if subnet else ""


def problems(found: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any]) -> t.Iterator[Problem]:
    """Yield severity, code, variable, expected, found and remedy of what speaks against a run.

    Besides the keys of ``rules``, ``wish`` holds ``backend``, ``zones`` and ``members``
    (inventory host -> addresses).
    """
    active = list(found["active"])
    name = backend(wish["backend"], active)
    yield from _source_problems(wish)
    if name in MANAGERS and name not in active:
        yield (
            "error",
            "firewall_inactive",
            "emqx_firewall_backend",
            f"{name} at work, as emqx_firewall_backend is {name}",
            f"{' and '.join(active) or 'no firewall manager'} at work",
            f"enable {name} with SSH allowed, which this playbook leaves to you as it could cut "
            "you off, or set emqx_firewall_backend to auto",
        )
    others = [manager for manager in active if manager != name]
    if others and name != "none":
        yield (
            "warning",
            "other_firewall",
            "emqx_firewall_backend",
            f"{name} as the only packet filter in charge",
            f"{' and '.join(others)} at work, too",
            f"what it rejects stays closed: set emqx_firewall_backend to {others[0]}, or let the "
            "ports pass there yourself",
        )
    if name == "firewalld" and name in active:
        yield from _zone_problems(found["firewalld"], wish["zones"])
    if name == "ufw" and not found["ufw"]["ipv6"]:
        yield from _ipv6_problems(wish)


def _source_problems(wish: t.Mapping[str, t.Any]) -> t.Iterator[Problem]:
    sources = {
        "emqx_firewall_listener_networks": wish["listener_networks"],
        "emqx_firewall_dashboard_networks": wish["dashboard_networks"],
    }
    for host, addresses in wish["members"].items():
        sources[f"emqx_node_addresses of {host}"] = addresses
        if not addresses:
            yield (
                "error",
                "no_address",
                "emqx_node_addresses",
                f"an address of {host}, which the firewall rules let in",
                "none",
                f"set emqx_node_addresses of {host}, or have it take part in this run",
            )
    for variable, given in sources.items():
        try:
            networks(given)
        except InputError as error:
            yield (
                "error",
                "firewall_source",
                variable.split()[0],
                f"IP addresses or networks such as 10.0.0.0/8 in {variable}",
                error.details["found"],
                "correct it",
            )


def _zone_problems(found: t.Mapping[str, t.Any], zones: t.Iterable[str]) -> t.Iterator[Problem]:
    unknown = [zone for zone in zones if zone not in found["known_zones"]]
    if unknown:
        yield (
            "error",
            "unknown_zone",
            "emqx_firewall_zones",
            f"zones that firewalld has ({', '.join(found['known_zones'])})",
            ", ".join(unknown),
            "correct emqx_firewall_zones, or leave it empty for the default zone",
        )


def _ipv6_problems(wish: t.Mapping[str, t.Any]) -> t.Iterator[Problem]:
    given = [*wish["listener_networks"], *wish["dashboard_networks"]]
    given += [address for addresses in wish["members"].values() for address in addresses]
    seen = next((str(source) for source in given if ":" in str(source)), "")
    if seen:
        yield (
            "error",
            "ufw_without_ipv6",
            "emqx_firewall_backend",
            f"IPv6 in ufw, as {seen} is to be let in",
            "IPV6=no in /etc/default/ufw",
            "set IPV6=yes there and run ufw reload, or leave IPv6 addresses out",
        )
