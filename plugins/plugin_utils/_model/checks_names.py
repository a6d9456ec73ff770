# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Check the names of a cluster and its nodes, and the addresses that are behind them.

The rules are those of EMQX 5.0 to 6.3 (bin/emqx) and of Erlang's long node names.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import ports
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Member, Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

Findings = t.Iterator[Finding]

_MAX_NAME = 255
_DATE_LIKE_SUFFIX = 1000
_LARGE_SUFFIX = 50000

# As EMQX checks it, but that the command line takes what begins with a dash for an option.
_SHORT_NAME = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_-]*")
_LABEL = r"[0-9A-Za-z_](?:[0-9A-Za-z_-]*[0-9A-Za-z_])?"
# A last label of digits only would be a broken IPv4 address.
_FQDN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")
# A plain name of a directory, which no shell, URL or systemd unit reads otherwise.
_PLAIN = re.compile(r"[0-9A-Za-z_](?:\.?[0-9A-Za-z_-])*")
_OTHER_FAMILY = {
    "inet_tcp": "inet6_tcp",
    "inet_tls": "inet6_tls",
    "inet6_tcp": "inet_tcp",
    "inet6_tls": "inet_tls",
}


def ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return a text as an address, None where it is none or has a zone such as %eth0."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def cluster_name(name: str) -> Findings:
    """Yield what EMQX does not take as the name of a cluster (cluster.name, an atom of Erlang), and
    what cannot be a part of paths and of keys in etcd."""
    if not name or not name.isprintable() or len(name.encode("utf-8", "replace")) > _MAX_NAME:
        yield Finding(
            "bad_cluster_name",
            f"1 to {_MAX_NAME} printable characters",
            repr(name) if len(name) <= _MAX_NAME else f"{len(name)} characters",
            "choose another, emqxcl is EMQX's own",
            subject="emqx_cluster_name",
        )
    elif not _PLAIN.fullmatch(name):
        yield Finding(
            "unsafe_cluster_name",
            "letters, digits, '_', '-' and single dots, beginning with none of the last two, as "
            "directories on hosts and on the control node and keys in etcd have this name",
            repr(name),
            "choose another, such as mq-production",
            subject="emqx_cluster_name",
        )


def members(listed: t.Sequence[Node]) -> Findings:
    """Yield hosts that are listed twice, and nodes of the same name."""
    if not listed:
        yield Finding(
            "no_members",
            "at least one host",
            "none",
            "list the inventory hosts of the cluster, or put hosts into its group",
            subject="emqx_cluster_hosts",
        )
    seen: set[str] = set()
    names: dict[str, str] = {}
    for node in listed:
        host, name = node.inventory_host, node.name
        if host in seen:
            yield Finding(
                "host_listed_twice",
                "every host once",
                f"a list with {host} more than once",
                "remove the repeated entry",
                (host,),
                "emqx_cluster_hosts",
            )
        elif name in names:
            yield Finding(
                "duplicate_name",
                "a name of its own for every node",
                f"{name}, also the name of {names[name]}",
                f"set emqx_node_name or emqx_node_address of {host} or {names[name]}; a second "
                "node on a server takes an emqx_instance, which makes its name emqx1 and so on",
                (host,),
                "emqx_node_name",
            )
        seen.add(host)
        names.setdefault(name, host)


def _of_name(
    node: Node, code: str, expected: str, remedy: str, found: str = "", severity: str = "error"
) -> Finding:
    hosts = (node.inventory_host,)
    return Finding(code, expected, found or node.name, remedy, hosts, "emqx_node_name", severity)


def node_name(node: Node) -> Findings:
    """Yield what is wrong with the form of a name, and the part before the @."""
    name, short = node.name, node.short_name
    if name.count("@") != 1:
        yield _of_name(node, "bad_name", "name@host with exactly one @", "write emqx@ADDRESS")
    if not _SHORT_NAME.fullmatch(short):
        yield _of_name(
            node,
            "bad_short_name",
            "letters, digits, '_' and '-' before the @, not beginning with a dash",
            "rename the part before the @, emqx is the usual one",
        )
    if short.startswith("remsh"):
        yield _of_name(
            node,
            "remsh_name",
            "a name that does not start with remsh",
            "rename it, EMQX opens no distribution port for its remote shells",
        )
    if len(name) > _MAX_NAME:
        yield _of_name(
            node,
            "name_too_long",
            f"at most {_MAX_NAME} characters",
            "choose a shorter name",
            found=f"{len(name)} characters",
        )
    else:
        yield from _suffix(node)


def _suffix(node: Node) -> Findings:
    suffix = ports.suffix_of(node.name)
    small = "a small number or none before the @"
    if suffix >= ports.SUFFIX_MODULUS:
        yield _of_name(
            node,
            "suffix_too_large",
            f"a number below {ports.SUFFIX_MODULUS} before the @, as EMQX adds it to its ports and "
            "begins at 0 again there",
            "end the name in a letter if the number is a date or a version, or make it small",
        )
    elif suffix >= _DATE_LIKE_SUFFIX:
        yield _of_name(
            node,
            "large_suffix" if suffix > _LARGE_SUFFIX else "number_like_suffix",
            small,
            "end the name in a letter if the number is a date or a version, or make it small",
            found=f"{node.name}, which moves its ports to {node.dist_port} and "
            f"{node.rpc_port_stateless}",
            severity=WARNING,
        )


def node_host(node: Node, settings: Settings) -> Findings:
    """Yield what is wrong with the part of a name after the @."""
    if node.name.count("@") != 1:
        return
    address = ip(node.host)
    remedy = (
        f"set emqx_node_address of {node.inventory_host} to the IP address or FQDN its peers use"
    )
    lowered = node.host.lower().rstrip(".")
    if address and address.is_unspecified:
        yield _of_name(node, "unspecified_host", "an address", remedy)
    elif (address and address.is_loopback) or lowered.split(".")[0] == "localhost":
        yield _of_name(node, "loopback_host", "an address other hosts can reach", remedy)
    elif address is None and not _FQDN.fullmatch(node.host):
        expected = "an IP address or a FQDN (with a dot) after the @"
        yield _of_name(node, "bad_host", expected, remedy)
    other = _OTHER_FAMILY.get(settings.transport)
    number = family(settings)
    if address and address.version != number and other:
        yield _of_name(
            node,
            "address_family",
            f"an IPv{number} address with emqx_proto_dist {settings.transport}",
            f"set emqx_proto_dist to {other}, or use IPv{number} addresses or FQDNs in the names",
        )


def family(settings: Settings) -> int:
    """Return the version of IP by which nodes talk to one another."""
    return 6 if "6" in settings.proto_dist else 4


def node_addresses(member: Member) -> Findings:
    """Yield addresses from which no connection to another host comes."""
    for address in member.node_addresses:
        if not _can_be_source(address):
            yield Finding(
                "bad_node_address",
                "IP addresses from which the other members see this node's connections",
                repr(address),
                "write those, or leave it out, which makes it the address in the node's name or "
                "all of the host's own",
                (member.inventory_host,),
                "emqx_node_addresses",
            )


def _can_be_source(text: str) -> bool:
    try:
        network = ipaddress.ip_network("" if "%" in text else text, strict=False)
    except ValueError:
        return False
    first = network.network_address
    return not (first.is_unspecified or first.is_loopback or first.is_multicast)


def families(nodes: t.Sequence[Node]) -> Findings:
    """Yield where names mix addresses of both families, or addresses and FQDNs."""
    example = {node.ip_version: node.name for node in nodes}
    if 4 in example and 6 in example:
        yield Finding(
            "mixed_address_families",
            "names of one address family",
            f"{example[4]} here and {example[6]} there",
            "use only IPv4 or only IPv6 addresses, or FQDNs",
            subject="emqx_node_name",
        )
    styles = {node.host_is_ip: node.name for node in nodes}
    if len(styles) > 1:
        yield Finding(
            "mixed_name_styles",
            "IP addresses or FQDNs, one style for all",
            f"{styles[True]} here and {styles[False]} there",
            "use FQDNs everywhere, they survive a change of address",
            subject="emqx_node_name",
            severity=WARNING,
        )


def short_names(nodes: t.Sequence[Node], strategy: str) -> Findings:
    """Yield where names differ before the @, which discovery by addresses does not allow."""
    found = sorted({node.short_name for node in nodes})
    if len(found) > 1:
        yield Finding(
            "short_names_differ",
            f"the same part before the @ on all nodes with discovery strategy {strategy}",
            " and ".join(found),
            "use emqx on all of them, each node looks for its own short name at every address "
            "found; several nodes on one server need the static or etcd strategy",
            subject="emqx_node_name",
        )
