# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

# Private to this collection: it may change in any release.

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

PACKAGE = "dnspython"


def ask(settings: t.Mapping[str, t.Any], timeout: float) -> dict[str, t.Any]:
    """Return the answer for ``settings``, the keys of cluster.dns; see _discovery for its form."""
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        return _answer([], "", "no_resolver", error)
    resolver.lifetime = timeout
    # A server that is down must not take the time of the next one.
    resolver.timeout = timeout / max(1, len(resolver.nameservers))
    asked = ", ".join(str(server) for server in resolver.nameservers)
    name = dns.name.from_text(settings["name"], dns.name.root)
    # dnspython 1 calls it query.
    query = getattr(resolver, "resolve", None) or resolver.query
    try:
        found = query(name, settings["record_type"].upper())
    except dns.resolver.NXDOMAIN as error:
        return _answer([], asked, "no_such_name", error)
    except dns.resolver.NoAnswer as error:
        return _answer([], asked, "no_records", error)
    except (dns.exception.DNSException, OSError) as error:
        return _answer([], asked, "dns_silent", error)
    if settings["record_type"] == "srv":
        entries = [{"target": record.target.to_text(omit_final_dot=True)} for record in found]
    else:
        entries = [{"address": record.address} for record in found]
    return _answer(entries, asked)


def _answer(
    entries: list[dict[str, t.Any]], asked: str, failure: str = "", error: object = ""
) -> dict[str, t.Any]:
    unique = [entry for position, entry in enumerate(entries) if entry not in entries[:position]]
    return {"entries": unique, "asked": asked, "failure": failure, "detail": str(error)}
