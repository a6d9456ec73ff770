# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a discovery strategy says of itself to the cluster's model, the plan and the judgement.

Each file beside this one makes one ``Strategy``, and the table lists them. How a host asks its
service stands in the file of the same name below module_utils.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Layout,
    ManagedFile,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

Codes = t.FrozenSet[str]
Findings = t.Iterator[Finding]
Texts = t.Mapping[str, str]


def no_keys(settings: Settings, seeds: t.Sequence[str], layout: Layout | None) -> Tree:
    return {}


def no_check(nodes: t.Sequence[Node], settings: Settings) -> Findings:
    yield from ()


def no_text_check(settings: Settings, texts: Texts) -> Findings:
    yield from ()


def no_files(settings: Settings, layout: Layout, texts: Texts) -> t.Iterator[ManagedFile]:
    yield from ()


def no_service_account(settings: Settings, layout: Layout) -> str:
    return ""


@dataclass(frozen=True)
class Strategy:
    """``name`` is the value of cluster.discovery_strategy.

    ``variables``: keys of emqx.conf, and the variable that decides each.
    ``config``: settings, names of the seeds and layout -> the keys of EMQX below cluster. Without a
    layout the variables of files are taken for their paths.
    ``check``: what keeps nodes from finding one another, and what is not wise.
    ``check_texts``: the same of PEM texts and tokens by the variables that they come from.
    ``files``: what emqx.conf refers to, of the same texts.
    ``service_account``: the directory of what a node outside of Kubernetes shows to its API, "" for
    none; it is mounted where EMQX looks for it.

    The reasons and failures of module_utils/_discovery are sorted by who mends them:
    ``harmless`` lets a node boot, ``foreign`` leads it to nodes of others, ``brought`` are mended
    by a deployment, ``asked_by_files`` too where it replaces files, ``to_come`` by nodes that start
    or by the operator, later.
    """

    name: str
    variables: t.Mapping[str, str] = field(default_factory=dict)
    # Whether nodes find others by themselves, and if not, whether the role joins them.
    finds_peers: bool = True
    joins: bool = False
    # Whether EMQX asks a service, which has to be asked before a start where EMQX does not boot
    # without it, or joins whoever is found there.
    asks_service: bool = False
    asks_before_start: bool = False
    # Whether keys may stay there that no node keeps alive (module etcd_stale_keys).
    leaves_keys: bool = False
    # Whether all nodes have the same part before the @.
    same_short_names: bool = False
    # Whether a deployment itself writes what is found.
    mended: bool = False
    config: t.Callable[[Settings, t.Sequence[str], Layout | None], Tree] = no_keys
    check: t.Callable[[t.Sequence[Node], Settings], Findings] = no_check
    check_texts: t.Callable[[Settings, Texts], Findings] = no_text_check
    files: t.Callable[[Settings, Layout, Texts], t.Iterator[ManagedFile]] = no_files
    service_account: t.Callable[[Settings, Layout], str] = no_service_account
    harmless: Codes = frozenset()
    foreign: Codes = frozenset()
    brought: Codes = frozenset()
    asked_by_files: Codes = frozenset()
    to_come: Codes = frozenset()
