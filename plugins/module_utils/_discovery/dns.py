# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Ask DNS for the records of a cluster as EMQX does: this host's name servers, never /etc/hosts."""

from __future__ import annotations

import traceback
import typing as t

try:
    import dns.exception
    import dns.name
    import dns.resolver
except ImportError:
    MISSING: str | None = traceback.format_exc()
else:
    MISSING = None

PACKAGE = "dnspython (package python3-dnspython or python3-dns)"


def ask(settings: t.Mapping[str, t.Any], timeout: float) -> dict[str, t.Any]:
    """Return the answer for ``settings``, the keys of cluster.dns; see _discovery for its form.

    The servers are asked in turn until one knows, as Erlang's resolver does. Where a server said
    nothing, the no of one after it is no answer: the silent one is the one to be looked at.
    """
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        return _answer("no_resolver", "", error)
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
                return _answer("dns_silent", ", ".join(silent), silent_detail)
            known = isinstance(error, dns.resolver.NoAnswer)
            return _answer("no_records" if known else "no_such_name", str(server), error)
        except (dns.exception.DNSException, OSError) as error:
            silent[str(server)] = str(error)
        else:
            return {"entries": entries, "asked": str(server), "failure": "", "detail": ""}
    return _answer("dns_silent", ", ".join(silent), "; ".join(silent.values()))


def _entries(
    resolver: dns.resolver.Resolver, settings: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    name = dns.name.from_text(settings["name"], dns.name.root)
    # dnspython 1 calls it query.
    query = getattr(resolver, "resolve", None) or resolver.query
    found = query(name, settings["record_type"].upper())
    if settings["record_type"] == "srv":
        entries = [{"target": record.target.to_text(omit_final_dot=True)} for record in found]
    else:
        entries = [{"address": record.address} for record in found]
    return [entry for position, entry in enumerate(entries) if entry not in entries[:position]]


def _answer(failure: str, asked: str, detail: object) -> dict[str, t.Any]:
    return {"entries": [], "asked": asked, "failure": failure, "detail": str(detail)}
