# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The keys of EMQX's configuration by version, to find slips of the pen before EMQX is asked.

Read from emqx_conf_schema.erl and the changes files of the tags 5.0.0 to 6.3.0-beta.2. The schema
is open (each version adds to it) and EMQX itself decides, by check_config.
"""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    ALWAYS,
    ENTERPRISE,
    OPENSOURCE,
    Span,
    describe,
    holds,
    parse,
    since,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import (
    ERROR,
    WARNING,
    Finding,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree

# Below a key with this entry anything goes: EMQX checks it itself.
_OPEN = "*"

_CLUSTER: dict[str, Span] = {
    "name": ALWAYS,
    "description": since("6.0.0"),
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
    "etcd.ssl_options.*": since("5.0.26"),
    "k8s.apiserver": ALWAYS,
    "k8s.service_name": ALWAYS,
    "k8s.address_type": ALWAYS,
    "k8s.namespace": ALWAYS,
    "k8s.suffix": ALWAYS,
    "prevent_overlapping_partitions": since("5.3.0"),
    "quic_lb_mode": since("5.8.0"),
    "links": Span(since=("5.8.0",), edition=ENTERPRISE),
    "heartbeat_interval": since("6.0.0"),
    "missed_heartbeats": since("6.0.0"),
    "durable_timers.*": since("6.0.0"),
}

_DIST_OPTIONS = since("5.10.4", "6.0.3", "6.1.2", "6.2.1")

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
    "dist_bind_address": since("6.2.0"),
    "dist_listen_options": _DIST_OPTIONS,
    "dist_connect_options": _DIST_OPTIONS,
    "schedulers": since("6.3.0"),
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
    "listen_address": since("5.4.0"),
    "ipv6_only": since("5.4.0"),
    "ciphers": since("5.4.0"),
    "tls_versions": since("5.4.0"),
    "insecure_fallback": since("5.0.26"),
}

# The tables hold all roots, and all keys of these roots, for the versions before this one only:
# for newer ones they are good for hints.
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
    "crl_cache": since("5.0.22"),
    "actions": since("5.3.2"),
    "connectors": since("5.3.2"),
    "sources": since("5.4.1"),
    "opentelemetry": since("5.2.0"),
    "banned": since("5.7.0"),
    "durable_sessions": since("5.7.0"),
    "durable_storage": since("5.7.0"),
    "schema_validation": Span(since=("5.7.0",), edition=ENTERPRISE),
    "message_transformation": Span(since=("5.8.0",), edition=ENTERPRISE),
    "durable_queues": Span(since=("5.8.0",), edition=ENTERPRISE),
    "multi_tenancy": since("5.9.0"),
    "authentication_settings": since("5.9.0"),
    "ai": since("5.10.0"),
    "mq": since("6.0.0"),
    "streams": since("6.1.0"),
}


def known_roots(version: str, edition: str = "") -> list[str]:
    """Return the names that may stand at the top of a configuration file."""
    return sorted(name for name, span in _ROOTS.items() if holds(span, version, edition))


def known_keys(root: str, version: str, edition: str = "") -> list[str]:
    """Return the dotted keys below ``cluster``, ``node`` or ``rpc``; ``x.*`` is open below x."""
    table = _KEYS.get(root)
    if table is None:
        raise InputError(
            f"The keys below {root!r} are not listed here, only those of {', '.join(_KEYS)}."
        )
    return sorted(key for key, span in table.items() if holds(span, version, edition))


def nearest_root(root: str, version: str, edition: str = "") -> str:
    """Return the root that a word is probably a misspelling of, "" for none."""
    # Longer words may be roots of their own: authentication_settings is one.
    near = difflib.get_close_matches(root, known_roots(version, edition), n=1, cutoff=0.85)
    return near[0] if near and abs(len(near[0]) - len(root)) <= 2 else ""


def unknown_keys(
    config: t.Mapping[t.Any, t.Any], version: str, edition: str = "", variable: str = "emqx_config"
) -> list[Finding]:
    """Return findings on the keys of ``config`` (nested dictionaries) that EMQX may not know.

    Only ``cluster``, ``node`` and ``rpc`` are looked into. EMQX refuses to boot with an unknown
    key below these: an error for versions whose keys are all listed here (before 5.9), else a
    warning. It takes an unknown root without a word: a warning, from 5.9 on only for what looks
    like a slip of the pen. The subject of each is ``variable``.
    """
    findings: list[Finding | None] = []
    for root, value in config.items():
        span = _ROOTS.get(root)
        if span is None or not holds(span, version, edition):
            findings.append(_root_finding(str(root), version, edition, variable))
        elif root in _KEYS and isinstance(value, dict):
            for key in _leaves(value, "", _KEYS[root]):
                findings.append(_key_finding(root, key, version, edition, variable))
    return [finding for finding in findings if finding is not None]


def _leaves(value: Tree, path: str, table: dict[str, Span]) -> t.Iterator[str]:
    """Yield the dotted paths of ``value``, not descending below a known or open key."""
    for key, item in value.items():
        here = f"{path}.{key}" if path else str(key)
        known = here in table or f"{here}.{_OPEN}" in table
        section = any(other.startswith(f"{here}.") for other in table)
        if isinstance(item, dict) and not known and (item or section):
            yield from _leaves(item, here, table)
        else:
            yield here


def _is_listed(version: str) -> bool:
    return parse(version) < parse(_LISTED_UNTIL)


def _key_finding(root: str, key: str, version: str, edition: str, variable: str) -> Finding | None:
    table = _KEYS[root]
    span = table.get(key) or table.get(f"{key}.{_OPEN}")
    full = f"{root}.{key}"
    severity = ERROR if _is_listed(version) else WARNING
    if span is not None:
        if holds(span, version, edition):
            return None
        return _misplaced(severity, full, span, version, edition, variable)
    names = [n[:-2] if n.endswith(".*") else n for n in known_keys(root, version, edition)]
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.7)
    hint = _NEVER.get(full) or (f"did you mean {root}.{near[0]}?" if near else "remove it")
    expected = f"a key of EMQX {version}"
    return Finding("unknown_key", expected, full, hint, subject=variable, severity=severity)


def _root_finding(root: str, version: str, edition: str, variable: str) -> Finding | None:
    span = _ROOTS.get(root)
    if span is not None:
        return _misplaced(WARNING, root, span, version, edition, variable)
    near = nearest_root(root, version, edition)
    if near:
        hint = f"did you mean {near}? EMQX ignores what it does not know here"
    elif _is_listed(version):
        hint = "EMQX ignores an unknown root key silently, check that it takes effect"
    else:
        return None
    expected = f"a root key of EMQX {version}"
    return Finding("unknown_root", expected, root, hint, subject=variable, severity=WARNING)


def _misplaced(
    severity: str, key: str, span: Span, version: str, edition: str, variable: str
) -> Finding:
    return Finding(
        "key_not_in_version",
        f"{describe(span)} for {key}",
        f"EMQX {version}" + (f" ({edition})" if edition else ""),
        span.hint or f"remove {key} or change the version or edition of EMQX",
        subject=variable,
        severity=severity,
    )
