# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by the records of one DNS name."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Layout, Node
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies.base import (
    Findings,
    Strategy,
)

# RFC 1035 with the underscores of SRV names; a last label of digits only would be an address.
_LABEL = r"[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\.?$){_LABEL}\.?")
_MAX_NAME = 253
_IP_VERSIONS = {"a": 4, "aaaa": 6, "srv": 0}


def _config(settings: Settings, _seeds: t.Sequence[str], _layout: Layout | None) -> Tree:
    return {"dns": {"name": settings.dns_name, "record_type": settings.dns_record_type}}


def _check(nodes: t.Sequence[Node], settings: Settings) -> Findings:
    name, record = settings.dns_name, settings.dns_record_type
    if name in ("", "localhost"):
        yield Finding(
            "no_dns_name",
            "the name whose records list the nodes",
            name or "none",
            "set it, EMQX would ask for localhost",
            subject="emqx_dns_name",
        )
    elif not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        yield Finding(
            "bad_dns_name",
            "a DNS name such as mq.example.org, of letters, digits, '-' and '_' between its dots",
            repr(name),
            "correct it",
            subject="emqx_dns_name",
        )
    version = _IP_VERSIONS.get(record)
    for node in nodes:
        if version is None or node.ip_version == version:
            continue
        part = f"an IPv{version} address" if version else "the FQDN of its SRV target"
        yield Finding(
            "dns_name_form",
            f"{part} after the @ with DNS records of type {record}",
            node.name,
            f"set emqx_node_address of {node.inventory_host} to it, or change emqx_dns_record_type",
            (node.inventory_host,),
            "emqx_node_name",
        )


STRATEGY = Strategy(
    "dns",
    variables={
        "cluster.dns.name": "emqx_dns_name",
        "cluster.dns.record_type": "emqx_dns_record_type",
    },
    asks_service=True,
    same_short_names=True,
    config=_config,
    check=_check,
    foreign=frozenset({"record_of_nobody"}),
    to_come=frozenset({"no_such_name", "no_records", "dns_silent", "no_resolver", "no_record"}),
)
