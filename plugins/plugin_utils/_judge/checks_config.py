# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong with the configuration that variables of a host give, before it is written."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import environment_key
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import expand
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import flatten
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import (
    cookie_problem,
    feature,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.config_findings import (
    config_findings,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.environment import (
    environment_findings,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.schema import unknown_keys
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table

Findings = t.Iterator[Finding]

# Keys of emqx.conf that follow from the topology, and the variable that decides each.
_OWNED_KEYS = {
    "node.name": "emqx_node_name",
    "node.cookie": "emqx_cookie",
    "node.role": "emqx_node_role",
    "node.db_role": "emqx_node_role",
    "node.data_dir": "emqx_data_dir",
    "cluster.name": "emqx_cluster_name",
    "cluster.discovery_strategy": "emqx_discovery_strategy",
    "license.key": "emqx_license",
    "cluster.proto_dist": "emqx_proto_dist",
    "rpc.port_discovery": "emqx_rpc_port_discovery",
    "rpc.server_port": "emqx_rpc_server_port",
    "rpc.tcp_server_port": "emqx_rpc_server_port",
    "rpc.ssl_server_port": "emqx_rpc_server_port",
    "rpc.protocol": "emqx_rpc_tls",
    "rpc.driver": "emqx_rpc_tls",
    "rpc.certfile": "emqx_tls_certificate",
    "rpc.keyfile": "emqx_tls_key",
    "rpc.cacertfile": "emqx_tls_ca",
    "rpc.listen_address": "emqx_proto_dist",
    "rpc.ipv6_only": "emqx_proto_dist",
    **table.variables(),
}


def check_config(settings: Settings, edition: str) -> Findings:
    """Yield what is wrong with cookie, configuration and environment; hosts are not filled in.

    No finding quotes a value of a key: it may be a secret.
    """
    yield from _cookie(settings)
    for variable, given in (
        ("emqx_config", settings.config),
        ("emqx_base_config", settings.base_config),
    ):
        try:
            tree = expand(dict(given))
        except InputError as error:
            yield Finding(
                "config", "keys that can be rendered", str(error), "mend that key", subject=variable
            )
            continue
        keys = flatten(tree)
        yield from _owned("owned_key", variable, {key: key for key in keys})
        yield from _autoclean(variable, keys, settings.version)
        yield from unknown_keys(tree, settings.version, edition, variable)
    if settings.base_config and not feature("base_hocon", settings.version, edition):
        yield Finding(
            "base_hocon",
            "a version with etc/base.hocon (5.8.4 or newer)",
            f"emqx_version {settings.version}",
            "move these keys to emqx_config",
            subject="emqx_base_config",
        )
    names = {name: environment_key(str(name)) for name in settings.environment}
    yield from _owned("owned_environment", "emqx_environment", names)
    yield from config_findings(settings)
    yield from environment_findings(settings)


def _cookie(settings: Settings) -> Findings:
    problem = cookie_problem(settings.cookie)
    if problem:
        yield Finding(
            "cookie",
            "a cookie of this cluster's own",
            f"one that cannot be used: {problem}",
            "leave emqx_cookie unset to have one generated, or set it to 16 to 64 letters, "
            "digits, '_' and '-'",
            subject="emqx_cookie",
        )


def _autoclean(variable: str, keys: Record, version: str) -> Findings:
    after = keys.get("cluster.autoclean")
    if re.fullmatch(r"0+\s*[a-z]*", str(after)):
        yield Finding(
            "autoclean",
            "a time in cluster.autoclean that no restart takes, such as 24h",
            str(after),
            "set it to the longest time that a core may be down: after that the others remove it, "
            "and it comes back empty",
            subject=variable,
        )
    elif after is not None and not feature("autoclean", version):
        yield Finding(
            "autoclean",
            "EMQX 5.1.0 or newer for cluster.autoclean",
            f"emqx_version {version}, which ignores it",
            f"remove it from {variable}",
            subject=variable,
            severity=WARNING,
        )


def _owned(code: str, variable: str, keys: t.Mapping[t.Any, str]) -> Findings:
    """``keys`` maps what the user wrote to the key of EMQX that it sets."""
    for written, key in keys.items():
        owner = _OWNED_KEYS.get(key)
        if owner:
            yield Finding(
                code,
                f"{key} to be left to {owner}",
                f"{written} in {variable}",
                f"remove it from {variable} and set {owner}",
                subject=variable,
            )


def check_files(missing: t.Mapping[str, str]) -> Findings:
    """Yield the PEM files of the control node that are not there; ``missing`` has by variable
    what was given."""
    for variable, path in missing.items():
        yield Finding(
            "missing_file",
            f"a PEM file on the control node, or its text, as {variable}",
            # A text that is cut short may be a key.
            f"no file {path}" if "\n" not in path else "a text that is no PEM",
            "correct the path, or put the file there",
            subject=variable,
        )
