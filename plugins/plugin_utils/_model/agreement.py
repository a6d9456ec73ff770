# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Settings of a cluster, which all of its hosts have in common: one of two would be lost."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.shown import shown

# What the plan of a cluster takes from one of its hosts. Of the cookie, which each host has of its
# own, the doctor says where it differs; consent to lose data may be for one host alone.
COMMON = (
    "cluster_hosts",
    "cluster_name",
    "discovery_strategy",
    "dns_name",
    "dns_record_type",
    "etcd_servers",
    "etcd_prefix",
    "etcd_clean_keys",
    "k8s_apiserver",
    "k8s_service_name",
    "k8s_namespace",
    "k8s_address_type",
    "k8s_suffix",
    "proto_dist",
    "dist_tls",
    "rpc_tls",
    "tls_ca_dir",
    "new_cookie",
    "allow_full_restart",
    "plan_only",
    "new_hosts",
    "min_cores",
    "remove_hosts",
    "dead_host",
    "new_host",
    "rename_host",
    "old_node_name",
)


def findings(settings: t.Mapping[str, Settings]) -> t.Iterator[Finding]:
    """Yield the settings in which hosts differ; ``settings`` has those of the run by host."""
    for name in COMMON:
        by_value: dict[str, list[str]] = {}
        for host, own in settings.items():
            value = getattr(own, name)
            plain = sorted(value) if isinstance(value, tuple) else value
            by_value.setdefault(repr(plain), []).append(host)
        if len(by_value) > 1:
            yield _differs(name, settings, list(by_value.values()))


def _differs(name: str, settings: t.Mapping[str, Settings], parts: list[list[str]]) -> Finding:
    ranked = sorted(parts, key=len, reverse=True)
    words = []
    for hosts in ranked:
        value = getattr(settings[hosts[0]], name)
        plain = ", ".join(value) if isinstance(value, tuple) else value
        words.append(f"{shown(name, plain)} on {', '.join(hosts)}")
    return Finding(
        "differing_settings",
        "one value on all hosts of the cluster",
        "; ".join(words),
        "set it for the group of the cluster (group_vars), for no host of its own",
        hosts=tuple(host for hosts in ranked[1:] for host in hosts),
        subject=f"emqx_{name}",
    )
