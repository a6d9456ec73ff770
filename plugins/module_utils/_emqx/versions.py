# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What differs between EMQX versions, as data; the keys of its configuration stand in schema.

Read from the EMQX sources of the tags 5.0.0 to 6.3.0-beta.2 (emqx_conf_schema.erl and the
changes files). A ``since`` may name several versions: a change that was carried to more than
one release line holds from each of them on, and in all lines after the newest.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

OPENSOURCE = "opensource"
ENTERPRISE = "enterprise"

Version = t.Tuple[int, int, int, int, str]

VENDOR_COOKIES: tuple[str, ...] = ("emqxsecretcookie",)
# Before 6.0.3 and 6.1.1 a cookie ended at '#'; quotes, blanks and backslashes never worked.
COOKIE_PATTERN = r"[A-Za-z0-9_-]{16,64}"


class Span(t.NamedTuple):
    """When something exists: from ``since`` (any of) up to but not in ``until``."""

    since: tuple[str, ...] = ()
    until: str = ""
    edition: str = ""
    hint: str = ""


ALWAYS = Span()


def since(*versions: str) -> Span:
    """Return the span that begins with each of some versions."""
    return Span(since=versions)


_STRATEGIES: dict[str, Span] = {
    "manual": ALWAYS,
    "static": ALWAYS,
    "dns": ALWAYS,
    "etcd": ALWAYS,
    "k8s": ALWAYS,
    "mcast": Span(until="5.4.0"),
    "singleton": since("5.8.0"),
}

_PROTO_DISTS: dict[str, Span] = {
    "inet_tcp": ALWAYS,
    "inet6_tcp": ALWAYS,
    "inet_tls": ALWAYS,
    "inet6_tls": since("5.4.0"),
}

_DNS_RECORD_TYPES: dict[str, Span] = {"a": ALWAYS, "srv": ALWAYS, "aaaa": since("5.6.0")}

_K8S_ADDRESS_TYPES: dict[str, Span] = {"ip": ALWAYS, "dns": ALWAYS, "hostname": ALWAYS}

CHOICES: dict[str, dict[str, Span]] = {
    "discovery_strategy": _STRATEGIES,
    "proto_dist": _PROTO_DISTS,
    "dns_record_type": _DNS_RECORD_TYPES,
    "k8s_address_type": _K8S_ADDRESS_TYPES,
}

_FEATURES: dict[str, Span] = {
    # ctl cluster status --json
    "status_json": since("5.0.1"),
    # a packaged etc/base.hocon, the lowest layer of the configuration
    "base_hocon": since("5.8.4"),
    # check_config also reads base.hocon, cluster.hocon and the environment
    "check_config_all_layers": since("5.8.9"),
    # replicants: all of enterprise, open source up to 5.7
    "replicant_opensource": Span(until="5.8.0", edition=OPENSOURCE),
    "replicant_enterprise": Span(edition=ENTERPRISE),
    # a node without licence key runs alone and refuses joins
    "license_gates_cluster": since("5.9.0"),
    # the value `evaluation` of license.key
    "license_evaluation": since("5.9.0"),
    # the value file:///PATH of license.key, which is read again every two minutes
    "license_file": Span(since=("5.4.0",), edition=ENTERPRISE),
    # a failed join or leave ends with exit code 1
    "join_exit_code": since("5.9.0"),
    # leave switches discovery off, `cluster discovery enable` switches it on again
    "discovery_enable": since("5.6.1"),
    # leave is refused while the node owns replicas of durable storage
    "leave_checks_ds": since("5.9.0"),
    # a replicant only connects to a core of exactly its own version
    "replicant_same_version": since("5.6.0"),
    # rpc.server_port in place of tcp_server_port and ssl_server_port
    "rpc_server_port": since("5.8.0"),
    # rpc.protocol in place of rpc.driver
    "rpc_protocol": since("5.0.26"),
    "rpc_listen_address": since("5.4.0"),
    "autoclean": since("5.1.0"),
    # cluster.etcd.ssl_options, cluster.etcd.ssl before
    "etcd_ssl_options": since("5.0.26"),
    # two clusters may share an etcd prefix range without meeting each other
    "etcd_prefix_safe": since("5.8.9", "5.10.1", "6.0.0"),
    "cookie_checked": since("6.0.3", "6.1.1"),
    # a join that reaches a core still booting no longer takes it down
    "join_while_booting": since("6.1.4"),
    "evacuation": Span(edition=ENTERPRISE),
}


_VERSION = re.compile(r"[ve]?([0-9]+)\.([0-9]+)\.([0-9]+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")
_PRERELEASE = re.compile(r"(alpha|beta|rc)[.-]?[0-9]*")


def parse(version: str) -> Version:
    """Return a version as a tuple that compares: ``5.8.9``, ``e5.10.4``, ``v6.0.0-rc.1``.

    A pre-release sorts before its release; any other suffix (a build number) counts as the
    release. Raises InputError when ``version`` is not a version.
    """
    match = _VERSION.fullmatch(str(version).strip())
    if match is None:
        raise InputError(
            f"{version!r} is not an EMQX version: expected three numbers such as 5.8.9.",
            found=str(version),
        )
    suffix = match.group(4) or ""
    before = bool(_PRERELEASE.match(suffix))
    natural = re.sub(r"\d+", lambda n: n.group().zfill(6), suffix) if before else ""
    return (
        int(match.group(1)),
        int(match.group(2)),
        int(match.group(3)),
        0 if before else 1,
        natural,
    )


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as ``left`` is older than, the same as or newer than ``right``."""
    a, b = parse(left), parse(right)
    return (a > b) - (a < b)


def edition_of(package: str, version: str) -> str:
    """Return the edition of a package (``emqx`` or ``emqx-enterprise``) in a version.

    From 5.9 on there is one edition, whatever the package is called.
    """
    if package.startswith("emqx-enterprise") or parse(version)[:2] >= (5, 9):
        return ENTERPRISE
    return OPENSOURCE


def package_of(edition: str, version: str) -> str:
    """Return the package that brings this edition of this version."""
    wanted = ENTERPRISE if parse(version)[:2] >= (5, 9) else edition
    return "emqx-enterprise" if wanted == ENTERPRISE else "emqx"


def _reached(version: Version, since: t.Sequence[str]) -> bool:
    points = sorted(parse(point) for point in since)
    if not points or version >= points[-1]:
        return True
    return any(version[:2] == point[:2] and version >= point for point in points)


def holds(span: Span, version: str, edition: str) -> bool:
    """Tell whether what has this span is there; what is not known ("") counts for it."""
    if version:
        at = parse(version)
        if not _reached(at, span.since) or (span.until and at >= parse(span.until)):
            return False
        edition = ENTERPRISE if at[:2] >= (5, 9) else edition
    return not (span.edition and edition and span.edition != edition)


def feature(name: str, version: str, edition: str = "") -> bool:
    """Tell whether this EMQX does what ``name`` stands for (see ``_FEATURES``).

    ``replicants`` is one more name: whether nodes may be replicants. An unknown edition ("")
    counts as the one that has it. Raises InputError for an unknown feature or a bad version.
    """
    if name == "replicants":
        return any(feature(f"replicant_{e}", version, edition) for e in (OPENSOURCE, ENTERPRISE))
    if name not in _FEATURES:
        raise InputError(f"{name!r} is not the name of an EMQX feature.", known=sorted(_FEATURES))
    return holds(_FEATURES[name], version, edition)


def choices(setting: str, version: str = "", edition: str = "") -> list[str]:
    """Return what a setting named in CHOICES may be.

    An unknown version ("") gives all values of all versions.
    """
    return [v for v, span in CHOICES[setting].items() if holds(span, version, edition)]


def describe(span: Span, edition: str = "") -> str:
    """Say in words when something exists, for example ``EMQX 5.8.0 or newer``."""
    words = []
    if span.since:
        words.append(f"EMQX {' / '.join(span.since)} or newer")
    if span.until:
        words.append(f"EMQX older than {span.until}")
    if span.edition and span.edition != edition:
        words.append(f"the {span.edition} edition")
    return " and ".join(words)


def cookie_problem(cookie: str) -> str:
    """Return why a cookie is not safe to use ("" when it is); never quotes the cookie."""
    if cookie in VENDOR_COOKIES:
        return "it is the default EMQX ships, known to everyone"
    if not re.fullmatch(COOKIE_PATTERN, cookie):
        return (
            f"it has {len(cookie)} characters; safe with all EMQX versions are 16 to 64 characters "
            "out of A-Z, a-z, 0-9, '_' and '-'"
        )
    return ""
