# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by DNS records, asked for as EMQX does: this host's name servers, never /etc/hosts.

An entry has ``address`` (a, aaaa) or ``target`` (srv).
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import base

try:
    import dns.exception
    import dns.name
    import dns.resolver
except ImportError:
    FOUND = False
else:
    FOUND = True

_PACKAGE = "dnspython (package python3-dnspython or python3-dns)"

REASONS: t.Mapping[str, base.Phrases] = {
    "needs_address": base.Phrases(
        "an IP address after the @, as EMQX makes names of addresses only from {source}",
        "{names}",
        "set emqx_node_address to the node's address, or emqx_dns_record_type to srv",
    ),
    "needs_fqdn": base.Phrases(
        "a FQDN after the @, as EMQX makes names of targets only from {source}",
        "{names}",
        "set emqx_node_address to the node's FQDN, or emqx_dns_record_type to a or aaaa",
    ),
    "short_names_differ": base.SHORT_NAMES_DIFFER,
    "address_form": base.Phrases(
        "{values}, as EMQX writes the address that it finds",
        "{names}",
        "set emqx_node_address to the address in this form",
    ),
    "no_record": base.lacking("add the record (the role bind does), with a low TTL"),
    "record_of_nobody": base.foreign(
        "remove the record, else EMQX never stops looking there and joins whoever answers"
    ),
    "target_not_fqdn": base.Phrases(
        "exactly the part after the @ of {names} as the target of an SRV record",
        "{values}",
        "write that as the target of the record, or set emqx_node_address to the target",
    ),
}
FAILURES: t.Mapping[str, base.Phrases] = {
    "no_such_name": base.Phrases(
        "{source}, one for each core",
        "no such name in DNS ({asked})",
        "create them (the role bind does), or correct emqx_dns_name",
    ),
    "no_records": base.Phrases(
        "{source}, one for each core",
        "no record of this type in DNS ({asked})",
        "create them (the role bind does), or correct emqx_dns_record_type",
    ),
    "dns_silent": base.Phrases(
        "an answer from DNS for {source}",
        "none from {asked} ({detail})",
        "start the DNS server and open its port 53, or correct the nameserver in /etc/resolv.conf",
    ),
    "no_resolver": base.Phrases(
        "a nameserver in /etc/resolv.conf, the only thing that EMQX reads (it ignores /etc/hosts)",
        "no DNS server to ask for {source} ({detail})",
        "add one",
    ),
}
IN_PLACE = frozenset({"target_not_fqdn", "short_names_differ", "address_form"})
PERMANENT: frozenset[str] = frozenset()
OTHER_ANSWER = "correct the nameserver in /etc/resolv.conf, or the records of that server"


def lacks() -> str:
    return "" if FOUND else str(missing_required_lib(_PACKAGE, reason="to ask DNS"))


def ask(settings: base.Settings, timeout: float, service_account: str = "") -> base.Answer:
    """Return the answer for ``settings``, the keys of cluster.dns.

    The servers are asked in turn until one knows, as Erlang's resolver does. Where a server said
    nothing, the no of one after it is no answer: the silent one is the one to be looked at.
    """
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        return base.answer("", failure="no_resolver", detail=error)
    servers = list(resolver.nameservers)
    resolver.lifetime = resolver.timeout = timeout / max(1, len(servers))
    silent: dict[str, str] = {}
    for server in servers:
        resolver.nameservers = [server]
        try:
            entries = _entries(resolver, settings)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            if silent:
                silent_detail = "; ".join([*silent.values(), f"{server} says: {error}"])
                return base.answer(", ".join(silent), failure="dns_silent", detail=silent_detail)
            known = isinstance(error, dns.resolver.NoAnswer)
            failure = "no_records" if known else "no_such_name"
            return base.answer(str(server), failure=failure, detail=error)
        except (dns.exception.DNSException, OSError) as error:
            silent[str(server)] = str(error)
        else:
            return base.answer(str(server), entries)
    return base.answer(", ".join(silent), failure="dns_silent", detail="; ".join(silent.values()))


def _entries(resolver: dns.resolver.Resolver, settings: base.Settings) -> list[base.Entry]:
    name = dns.name.from_text(settings["name"], dns.name.root)
    # dnspython 1 calls it query.
    query = getattr(resolver, "resolve", None) or resolver.query
    found = query(name, settings["record_type"].upper())
    if settings["record_type"] == "srv":
        entries = [{"target": record.target.to_text(omit_final_dot=True)} for record in found]
    else:
        entries = [{"address": record.address} for record in found]
    return [entry for position, entry in enumerate(entries) if entry not in entries[:position]]


def source(settings: base.Settings) -> str:
    return f"the {settings['record_type'].upper()} records of {settings['name']}"


def form(settings: base.Settings, short_name: str, entry: base.Entry) -> str:
    return f"{short_name}@{value(entry)}"


def value(entry: base.Entry) -> str:
    return str(entry.get("target") or entry["address"])


def missing(
    settings: base.Settings, name: str, short_name: str, formed: base.Formed
) -> base.Reason:
    host = name.partition("@")[2]
    same_host = base.other_short_name(name, short_name, formed)
    if same_host:
        return same_host[0]
    if settings["record_type"] == "srv":
        return _missing_target(host, formed)
    address = base.ip(host)
    if not address:
        return "needs_address", host
    for entry, found in formed:
        if base.ip(entry["address"]) == address:
            return "address_form", found
    return "no_record", host


def _missing_target(host: str, formed: base.Formed) -> base.Reason:
    if base.ip(host):
        return "needs_fqdn", host
    for entry, _name in formed:
        if _label(entry["target"]) == _label(host):
            return "target_not_fqdn", str(entry["target"])
    return "no_record", host


def _label(host: t.Any) -> str:
    return str(host).partition(".")[0].lower()


def extra(entry: base.Entry, value: str) -> base.Reason:
    return "record_of_nobody", value


def nameless(entry: base.Entry) -> str:
    return ""
