# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Say how the certificates are that hosts have, for status and doctor.

EMQX itself does not: with a certificate that its peers refuse a node boots, is not reachable
by its own command line and logs no word about TLS (seen with 5.8.9).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.x509 import (
    Problem,
    authorities,
    ends,
    ends_within,
    fingerprints,
    problems,
)

# What a node talks TLS with, as host_info returns it.
PARTS = ("certificate", "public_key", "ca")

# The warnings of emqx_tls_renew_days come before that.
_ENDS_SOON = dt.timedelta(days=14)


def judge(found: t.Mapping[str, str], host: str, now: dt.datetime) -> list[Problem]:
    """Return ``problems`` of what host_info or cluster_info found on a host."""
    certificate, public_key, ca = _pems(found)
    return problems(certificate, public_key, ca, [host], now)


def _pems(found: Record) -> list[bytes]:
    """Return the parts as bytes; what a host says may be of any type."""
    return [str(found.get(part) or "").encode("utf-8", "replace") for part in PARTS]


def health(
    found: t.Mapping[str, t.Mapping[str, str]],
    addresses: t.Mapping[str, str],
    now: dt.datetime,
    renew_days: int = 0,
    wanted: t.Collection[bytes] = (),
) -> dict[str, dict[str, str]]:
    """Return by host on which day its certificate ``ends``, and the ``problem`` with it in words.

    ``found`` has of each host what host_info or cluster_info read there, ``addresses`` the host
    part of its node's name. A CA counts that most of the hosts trust, as it is the peers who
    let a node in or do not, and where as many trust another one, that is ``wanted`` (DER). Hosts
    without certificates are left out.
    """
    given = {
        host: {part: pem.decode() for part, pem in zip(PARTS, _pems(files))}
        for host, files in found.items()
        if isinstance(files, t.Mapping) and any(files.get(part) for part in PARTS)
    }
    trusts = [frozenset(authorities(files["ca"]).items()) for files in given.values()]
    most = max(
        trusts,
        key=lambda trust: (trusts.count(trust), any(der in wanted for der, _pem in trust)),
        default=frozenset(),
    )
    common = "".join(sorted(pem for _der, pem in most))
    result = {}
    for host, files in given.items():
        certificate = files["certificate"]
        judged = judge({**files, "ca": common}, addresses[host], now)
        problem = "; ".join(f"expected {item.expected}, found {item.found}" for item in judged)
        if not problem and ends_within(certificate.encode(), renew_days, now):
            problem = f"it ends on {ends(certificate)}"
        result[host] = {"ends": ends(certificate), "problem": problem}
    return result


def review(pems: t.Sequence[Record], host: str, now: dt.datetime) -> Json:
    """Judge what evidence_info found of the certificates of the node named ``...@host``.

    The result has ``problems``, those that are there now, and ``ending``, those that time brings
    soon, as dictionaries with ``use``, ``path``, ``code``, ``expected``, ``found`` and ``remedy``;
    and ``ca``, fingerprints of the CAs that the node trusts.
    """
    result: Json = {"problems": [], "ending": [], "ca": ""}
    for pem in pems:
        if not isinstance(pem, t.Mapping):
            continue
        paths = pem.get("paths")
        path = str(paths.get("certificate", "")) if isinstance(paths, t.Mapping) else ""
        cert, key, ca = _pems(pem)
        current = problems(cert, key, ca, [host], now)
        soon = [] if current else problems(cert, key, ca, [host], now + _ENDS_SOON)
        for kind, found in (("problems", current), ("ending", soon)):
            result[kind] += [
                {
                    "use": str(pem.get("use", "")),
                    "path": path,
                    **dataclasses.asdict(problem),
                }
                for problem in found
            ]
        result["ca"] = result["ca"] or fingerprints(ca)
    return result
