# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter topology: the model of a cluster out of host variables."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding, is_error
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import topology as _topology
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Member, Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

_TEXTS = (
    *("discovery_strategy", "proto_dist", "rpc_port_discovery", "version"),
    *("dns_name", "dns_record_type", "etcd_prefix", "k8s_apiserver", "k8s_service_name"),
    *("k8s_namespace", "k8s_address_type", "k8s_suffix", "k8s_ca"),
)
_OTHERS = ("edition", "etcd_servers", "etcd_ssl", "k8s_token", "rpc_server_port", "rpc_tls")


def topology(hostvars: t.Any, hosts: t.Any, settings: Json | None = None) -> Json:
    """Return the model of the cluster of ``hosts``; see ``topology.yml``."""
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError(
            f"topology works on hostvars or a dictionary like it, found {type(hostvars).__name__}."
        )
    if isinstance(hosts, str) or not isinstance(hosts, Sequence):
        raise AnsibleFilterError(
            f"topology takes a list of inventory hosts, found {type(hosts).__name__}: "
            "set emqx_cluster_hosts to a list."
        )
    if settings is not None and not isinstance(settings, Mapping):
        raise AnsibleFilterError(
            f"topology takes settings as a dictionary, found {type(settings).__name__}."
        )
    given = {key: value for key, value in (settings or {}).items() if value not in (None, "")}
    members = [_member(hostvars[host], str(host)) for host in hosts if host in hostvars]
    model = _topology.build(members, _settings(given), edition=str(given.get("edition", "")))
    unknown = [_topology.unknown_host(str(host)) for host in hosts if host not in hostvars]
    # An empty list is no news when it is empty because of these.
    rest = [f for f in model.findings if not (unknown and f.code == "no_members")]
    return {
        "nodes": {host: _node(node) for host, node in model.nodes.items()},
        **{key: list(getattr(model, key)) for key in ("members", "cores", "replicants", "seeds")},
        "cluster_ports": list(model.cluster_ports),
        "addresses": list(model.addresses),
        "ipv6": model.ipv6,
        "rpc": dict(model.rpc),
        "discovery": dict(model.discovery),
        "errors": [_finding(finding) for finding in (*unknown, *rest) if is_error(finding)],
        "warnings": [_finding(finding) for finding in rest if not is_error(finding)],
    }


def _settings(given: Record) -> Settings:
    unknown = sorted(set(given) - {*_TEXTS, *_OTHERS})
    if unknown:
        raise AnsibleFilterError(
            f"Unknown topology settings: {', '.join(unknown)}; "
            f"expected some of {', '.join(sorted({*_TEXTS, *_OTHERS}))}."
        )
    texts: Json = {key: str(given[key]) for key in _TEXTS if key in given}
    files = given.get("etcd_ssl", {})
    return Settings(
        **{"discovery_strategy": "manual", "version": "", **texts},
        # Whoever names the transport has seen to its certificates.
        dist_tls=texts.get("proto_dist", "").endswith("_tls"),
        rpc_tls=bool(given.get("rpc_tls", False)),
        rpc_server_port=_number(given.get("rpc_server_port", Settings.rpc_server_port)),
        etcd_servers=tuple(text.strip() for text in _list(given.get("etcd_servers"))),
        etcd_ca=str(files.get("cacertfile") or ""),
        etcd_certificate=str(files.get("certfile") or ""),
        etcd_key=str(files.get("keyfile") or ""),
        k8s_token="given" if given.get("k8s_token") else "",
    )


def _member(variables: Record, host: str) -> Member:
    def text(name: str) -> str:
        return str(variables.get(name) or "")

    return Member(
        inventory_host=host,
        management=text("ansible_host"),
        node_name=text("emqx_node_name"),
        node_address=text("emqx_node_address"),
        node_addresses=tuple(_list(variables.get("emqx_node_addresses"))),
        node_role=text("emqx_node_role") or "core",
        server=text("emqx_server"),
        instance=_number(variables.get("emqx_instance") or 0),
        rpc_port_discovery=text("emqx_rpc_port_discovery"),
        rpc_server_port=_number(variables.get("emqx_rpc_server_port") or 0),
        version=text("emqx_version"),
        license=Settings(license=text("emqx_license")).license_kind,
        listener_ports=_numbers(variables.get("emqx_firewall_listener_ports")),
        dashboard_ports=_numbers(variables.get("emqx_firewall_dashboard_ports")),
    )


def _number(value: t.Any) -> int:
    """Return a number; -1 stands for what is none, which is a finding."""
    return int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else -1


def _numbers(value: t.Any) -> tuple[int, ...]:
    return tuple(_number(each) for each in _list(value))


def _list(value: t.Any) -> list[str]:
    listed = value.split(",") if isinstance(value, str) else value
    return [str(each) for each in listed or ()] if value else []


def _node(node: Node) -> Json:
    listeners = {
        "dashboard" if listener.kind == "dashboard" else listener.name.partition(":")[0]: (
            listener.port
        )
        for listener in node.listeners
    }
    lists = {key: list(getattr(node, key)) for key in ("addresses", "listener_ports")}
    dashboard_ports = list(node.dashboard_ports)
    return {**asdict(node), "listeners": listeners, **lists, "dashboard_ports": dashboard_ports}


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "host": ", ".join(finding.hosts),
        "variable": finding.subject,
        "expected": finding.expected,
        "found": finding.found,
        "remedy": finding.remedy,
        "message": finding.sentence(),
    }


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"topology": topology}
