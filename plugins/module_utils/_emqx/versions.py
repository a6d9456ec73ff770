# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What differs between EMQX versions, as data.

Read from the EMQX sources of the tags 5.0.0 to 6.3.0-beta.2 (emqx_conf_schema.erl and the
changes files). A ``since`` may name several versions: a change that was carried to more than
one release line holds from each of them on, and in all lines after the newest.
"""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

OPENSOURCE = "opensource"
ENTERPRISE = "enterprise"

Version = t.Tuple[int, int, int, int, str]
Finding = t.Dict[str, t.Any]

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


def _since(*versions: str) -> Span:
    return Span(since=versions)


# Below a key with this entry anything goes: EMQX checks it itself.
_OPEN = "*"

_CLUSTER: dict[str, Span] = {
    "name": ALWAYS,
    "description": _since("6.0.0"),
    "discovery_strategy": ALWAYS,
    "core_nodes": Span(until="5.8.0", hint="replicants find their cores by discovery"),
    "autoclean": ALWAYS,
    "autoheal": ALWAYS,
    "proto_dist": ALWAYS,
    "static.seeds": ALWAYS,
    "mcast.*": Span(until="5.4.0", hint="use another discovery strategy"),
    "dns.name": ALWAYS,
    "dns.record_type": ALWAYS,
    "etcd.server": ALWAYS,
    "etcd.prefix": ALWAYS,
    "etcd.node_ttl": ALWAYS,
    "etcd.ssl.*": ALWAYS,
    "etcd.ssl_options.*": _since("5.0.26"),
    "k8s.apiserver": ALWAYS,
    "k8s.service_name": ALWAYS,
    "k8s.address_type": ALWAYS,
    "k8s.namespace": ALWAYS,
    "k8s.suffix": ALWAYS,
    "prevent_overlapping_partitions": _since("5.3.0"),
    "quic_lb_mode": _since("5.8.0"),
    "links": Span(since=("5.8.0",), edition=ENTERPRISE),
    "heartbeat_interval": _since("6.0.0"),
    "missed_heartbeats": _since("6.0.0"),
    "durable_timers.*": _since("6.0.0"),
}

_DIST_OPTIONS = _since("5.10.4", "6.0.3", "6.1.2", "6.2.1")

_NODE: dict[str, Span] = {
    **dict.fromkeys(
        (
            "name",
            "cookie",
            "data_dir",
            "process_limit",
            "max_ports",
            "dist_buffer_size",
            "max_ets_tables",
            "config_files",
            "global_gc_interval",
            "crash_dump_file",
            "crash_dump_seconds",
            "crash_dump_bytes",
            "dist_net_ticktime",
            "backtrace_depth",
            "applications",
            "etc_dir",
            "cluster_call.retry_interval",
            "cluster_call.max_history",
            "cluster_call.cleanup_interval",
            "db_backend",
            "db_role",
            "rpc_module",
            "tlog_push_mode",
            "default_shard_transport",
            "shard_transports.*",
            "default_bootstrap_batch_size",
            "broker_pool_size",
            "generic_pool_size",
            "channel_cleanup_batch_size",
        ),
        ALWAYS,
    ),
    "role": Span(since=("5.0.26",), hint="the older name is node.db_role"),
    "dist_bind_address": _since("6.2.0"),
    "dist_listen_options": _DIST_OPTIONS,
    "dist_connect_options": _DIST_OPTIONS,
    "schedulers": _since("6.3.0"),
}

_RPC: dict[str, Span] = {
    **dict.fromkeys(
        (
            "mode",
            "driver",
            "async_batch_size",
            "port_discovery",
            "tcp_server_port",
            "ssl_server_port",
            "tcp_client_num",
            "connect_timeout",
            "send_timeout",
            "authentication_timeout",
            "call_receive_timeout",
            "certfile",
            "keyfile",
            "cacertfile",
            "socket_keepalive_idle",
            "socket_keepalive_interval",
            "socket_keepalive_count",
            "socket_sndbuf",
            "socket_recbuf",
            "socket_buffer",
        ),
        ALWAYS,
    ),
    "protocol": Span(since=("5.0.26",), hint="the older name is rpc.driver"),
    "server_port": Span(
        since=("5.8.0",), hint="the older names are rpc.tcp_server_port and rpc.ssl_server_port"
    ),
    "client_num": Span(since=("5.8.0",), hint="the older name is rpc.tcp_client_num"),
    "listen_address": _since("5.4.0"),
    "ipv6_only": _since("5.4.0"),
    "ciphers": _since("5.4.0"),
    "tls_versions": _since("5.4.0"),
    "insecure_fallback": _since("5.0.26"),
}

# All keys of these roots are known for the versions before this one.
_LISTED_UNTIL = "5.9.0"
_KEYS: dict[str, dict[str, Span]] = {"cluster": _CLUSTER, "node": _NODE, "rpc": _RPC}

# Keys people know from elsewhere that never were in the schema.
_NEVER = {
    "rpc.verify": "TLS between nodes over rpc always verifies both sides",
    "rpc.fail_if_no_peer_cert": "TLS between nodes over rpc always verifies both sides",
    "cluster.driver": "the transport of rpc is rpc.protocol",
}

_ROOTS: dict[str, Span] = {
    **dict.fromkeys(
        (
            "alarm",
            "api_key",
            "authentication",
            "authorization",
            "auto_subscribe",
            "bridges",
            "broker",
            "cluster",
            "conn_congestion",
            "dashboard",
            "delayed",
            "exhook",
            "flapping_detect",
            "force_gc",
            "force_shutdown",
            "gateway",
            "limiter",
            "listeners",
            "log",
            "mqtt",
            "node",
            "overload_protection",
            "plugins",
            "prometheus",
            "psk_authentication",
            "retainer",
            "rewrite",
            "rpc",
            "rule_engine",
            "slow_subs",
            "stats",
            "sys_topics",
            "sysmon",
            "topic_metrics",
            "trace",
            "zones",
        ),
        ALWAYS,
    ),
    "statsd": Span(until="5.2.0"),
    "event_message": Span(until="5.1.0"),
    "persistent_session_store": Span(until="5.7.0", hint="see durable_sessions"),
    "telemetry": Span(until="5.9.0", edition=OPENSOURCE),
    "license": Span(edition=ENTERPRISE),
    "schema_registry": Span(edition=ENTERPRISE),
    "file_transfer": Span(edition=ENTERPRISE),
    "crl_cache": _since("5.0.22"),
    "actions": _since("5.3.2"),
    "connectors": _since("5.3.2"),
    "sources": _since("5.4.1"),
    "opentelemetry": _since("5.2.0"),
    "banned": _since("5.7.0"),
    "durable_sessions": _since("5.7.0"),
    "durable_storage": _since("5.7.0"),
    "schema_validation": Span(since=("5.7.0",), edition=ENTERPRISE),
    "message_transformation": Span(since=("5.8.0",), edition=ENTERPRISE),
    "durable_queues": Span(since=("5.8.0",), edition=ENTERPRISE),
    "multi_tenancy": _since("5.9.0"),
}

_STRATEGIES: dict[str, Span] = {
    "manual": ALWAYS,
    "static": ALWAYS,
    "dns": ALWAYS,
    "etcd": ALWAYS,
    "k8s": ALWAYS,
    "mcast": Span(until="5.4.0"),
    "singleton": _since("5.8.0"),
}

_PROTO_DISTS: dict[str, Span] = {
    "inet_tcp": ALWAYS,
    "inet6_tcp": ALWAYS,
    "inet_tls": ALWAYS,
    "inet6_tls": _since("5.4.0"),
}

_DNS_RECORD_TYPES: dict[str, Span] = {"a": ALWAYS, "srv": ALWAYS, "aaaa": _since("5.6.0")}

_K8S_ADDRESS_TYPES: dict[str, Span] = {"ip": ALWAYS, "dns": ALWAYS, "hostname": ALWAYS}

CHOICES: dict[str, dict[str, Span]] = {
    "discovery_strategy": _STRATEGIES,
    "proto_dist": _PROTO_DISTS,
    "dns_record_type": _DNS_RECORD_TYPES,
    "k8s_address_type": _K8S_ADDRESS_TYPES,
}

_FEATURES: dict[str, Span] = {
    # ctl cluster status --json
    "status_json": _since("5.0.1"),
    # a packaged etc/base.hocon, the lowest layer of the configuration
    "base_hocon": _since("5.8.4"),
    # check_config also reads base.hocon, cluster.hocon and the environment
    "check_config_all_layers": _since("5.8.9"),
    # replicants: all of enterprise, open source up to 5.7
    "replicant_opensource": Span(until="5.8.0", edition=OPENSOURCE),
    "replicant_enterprise": Span(edition=ENTERPRISE),
    # a node without licence key runs alone and refuses joins
    "license_gates_cluster": _since("5.9.0"),
    # the value `evaluation` of license.key
    "license_evaluation": _since("5.9.0"),
    # the value file:///PATH of license.key, which is read again every two minutes
    "license_file": Span(since=("5.4.0",), edition=ENTERPRISE),
    # a failed join or leave ends with exit code 1
    "join_exit_code": _since("5.9.0"),
    # leave switches discovery off, `cluster discovery enable` switches it on again
    "discovery_enable": _since("5.6.1"),
    # leave is refused while the node owns replicas of durable storage
    "leave_checks_ds": _since("5.9.0"),
    # a replicant only connects to a core of exactly its own version
    "replicant_same_version": _since("5.6.0"),
    # rpc.server_port in place of tcp_server_port and ssl_server_port
    "rpc_server_port": _since("5.8.0"),
    # rpc.protocol in place of rpc.driver
    "rpc_protocol": _since("5.0.26"),
    "rpc_listen_address": _since("5.4.0"),
    "autoclean": _since("5.1.0"),
    # cluster.etcd.ssl_options, cluster.etcd.ssl before
    "etcd_ssl_options": _since("5.0.26"),
    # two clusters may share an etcd prefix range without meeting each other
    "etcd_prefix_safe": _since("5.8.9", "5.10.1", "6.0.0"),
    "cookie_checked": _since("6.0.3", "6.1.1"),
    # a join that reaches a core still booting no longer takes it down
    "join_while_booting": _since("6.1.4"),
    "evacuation": Span(edition=ENTERPRISE),
}


class Hurdle(t.NamedTuple):
    """What stands against an upgrade, for versions older than ``below`` that go to ``since`` or
    newer, and older than ``until`` where that is set."""

    below: str
    since: str
    until: str
    refused: bool
    text: str


# EMQX's notes on rolling upgrades, and its changes #15712, #16047 and #16614.
_HURDLES: tuple[Hurdle, ...] = (
    Hurdle("5.0.0", "5.0.0", "", True, "there is no way from 4.x but a new cluster and an import"),
    Hurdle(
        "5.4.0",
        "5.9.0",
        "",
        True,
        "routes are lost: go to 5.8.9 first and restart all nodes at the same time, which changes "
        "the schema of the routes",
    ),
    Hurdle(
        "5.9.0",
        "5.9.0",
        "5.10.1",
        True,
        "a node may not boot as its configuration is not taken over: go to 5.10.1 or newer",
    ),
    Hurdle("5.8.0", "6.0.0", "", True, "only 5.8.0 and newer can: go to 5.10.4 first"),
    Hurdle("6.0.0", "6.0.0", "6.0.1", True, "only 6.0.1 and newer take over 5.x: go there"),
    Hurdle("6.0.0", "6.0.1", "", False, "the state of durable sessions is lost"),
    Hurdle(
        "6.1.1",
        "6.1.1",
        "",
        False,
        "durable storage pauses until more than half of the nodes are upgraded, and there is no "
        "way back",
    ),
)

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


def _holds(span: Span, version: str, edition: str) -> bool:
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
    return _holds(_FEATURES[name], version, edition)


def hurdles(current: str, wanted: str) -> list[Hurdle]:
    """Return what stands against an upgrade of a running cluster from one version to another."""
    old, new = parse(current), parse(wanted)
    return [
        hurdle
        for hurdle in _HURDLES
        if old < parse(hurdle.below)
        and parse(hurdle.since) <= new
        and not (hurdle.until and parse(hurdle.until) <= new)
    ]


def choices(setting: str, version: str = "", edition: str = "") -> list[str]:
    """Return what a setting named in CHOICES may be.

    An unknown version ("") gives all values of all versions.
    """
    return [v for v, span in CHOICES[setting].items() if _holds(span, version, edition)]


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


def known_roots(version: str, edition: str = "") -> list[str]:
    """Return the names that may stand at the top of a configuration file."""
    return sorted(name for name, span in _ROOTS.items() if _holds(span, version, edition))


def known_keys(root: str, version: str, edition: str = "") -> list[str]:
    """Return the dotted keys below ``cluster``, ``node`` or ``rpc``; ``x.*`` is open below x."""
    table = _KEYS.get(root)
    if table is None:
        raise InputError(
            f"The keys below {root!r} are not listed here, only those of {', '.join(_KEYS)}."
        )
    return sorted(key for key, span in table.items() if _holds(span, version, edition))


def unknown_keys(config: dict[str, t.Any], version: str, edition: str = "") -> list[Finding]:
    """Report the keys of ``config`` (nested dictionaries) this EMQX does not know.

    Only ``cluster``, ``node`` and ``rpc`` are looked into. EMQX refuses to boot with an unknown
    key below a root it knows: an error, but a warning where this table may lack a key (5.9 and
    newer, nothing like it known). It takes an unknown root without a word: an error when that
    looks like a slip of the pen, else a warning. Each finding has ``severity`` (``error`` or
    ``warning``), ``code``, ``key``, ``expected``, ``found``, ``remedy`` and ``message``.
    """
    findings: list[Finding] = []
    for root, value in config.items():
        span = _ROOTS.get(root)
        if span is None or not _holds(span, version, edition):
            findings.append(_root_finding(str(root), version, edition))
        elif root in _KEYS and isinstance(value, dict):
            for key in _leaves(value, "", _KEYS[root]):
                finding = _key_finding(root, key, version, edition)
                if finding:
                    findings.append(finding)
    return findings


def _leaves(value: dict[str, t.Any], path: str, table: dict[str, Span]) -> t.Iterator[str]:
    """Yield the dotted paths of ``value``, not descending below a known or open key."""
    for key, item in value.items():
        here = f"{path}.{key}" if path else str(key)
        known = here in table or f"{here}.{_OPEN}" in table
        section = any(other.startswith(f"{here}.") for other in table)
        if isinstance(item, dict) and not known and (item or section):
            yield from _leaves(item, here, table)
        else:
            yield here


def _key_finding(root: str, key: str, version: str, edition: str) -> Finding | None:
    table = _KEYS[root]
    span = table.get(key) or table.get(f"{key}.{_OPEN}")
    full = f"{root}.{key}"
    if span is not None:
        if _holds(span, version, edition):
            return None
        return _misplaced("error", full, span, version, edition)
    names = [n[:-2] if n.endswith(".*") else n for n in known_keys(root, version, edition)]
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.7)
    hint = _NEVER.get(full) or (f"did you mean {root}.{near[0]}?" if near else "remove it")
    sure = near or full in _NEVER or parse(version) < parse(_LISTED_UNTIL)
    severity = "error" if sure else "warning"
    return _finding(severity, "unknown_key", full, f"a key of EMQX {version}", hint)


def _root_finding(root: str, version: str, edition: str) -> Finding:
    span = _ROOTS.get(root)
    if span is not None:
        return _misplaced("warning", root, span, version, edition)
    near = difflib.get_close_matches(root, known_roots(version, edition), n=1, cutoff=0.75)
    if near:
        hint = f"did you mean {near[0]}? EMQX ignores what it does not know here"
        return _finding("error", "unknown_root", root, f"a root key of EMQX {version}", hint)
    hint = "EMQX ignores an unknown root key silently, check that it takes effect"
    return _finding("warning", "unknown_root", root, f"a root key of EMQX {version}", hint)


def _misplaced(severity: str, key: str, span: Span, version: str, edition: str) -> Finding:
    remedy = span.hint or f"remove {key} or change the version or edition of EMQX"
    expected = describe(span)
    found = f"EMQX {version}" + (f" ({edition})" if edition else "")
    return {
        "severity": severity,
        "code": "key_not_in_version",
        "key": key,
        "expected": expected,
        "found": found,
        "remedy": remedy,
        "message": f"The key {key} needs {expected}, the target is {found}: {remedy}.",
    }


def _finding(severity: str, code: str, key: str, expected: str, remedy: str) -> Finding:
    return {
        "severity": severity,
        "code": code,
        "key": key,
        "expected": expected,
        "found": key,
        "remedy": remedy,
        "message": f"The key {key} is not {expected}: {remedy}{'' if remedy[-1] == '?' else '.'}",
    }


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
