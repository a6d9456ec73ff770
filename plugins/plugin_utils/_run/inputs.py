# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a run knows so far: of each of its hosts, of the members that it leaves out, of itself."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.module_utils._package.facts import PackageFacts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

# What a run is for.
(
    DEPLOY,
    INSPECT,
    ADD,
    REMOVE,
    REPLACE,
    RENAME,
    ROTATE,
    RESTART,
    STOP,
    START,
    DRAIN,
    RECOVER,
    UPGRADE,
    BACKUP,
    RESTORE,
) = (
    "deploy",
    "inspect",
    "add",
    "remove",
    "replace",
    "rename",
    "rotate",
    "restart",
    "stop",
    "start",
    "drain",
    "recover",
    "upgrade",
    "backup",
    "restore",
)
# Those that take nodes as they are: no configuration is written, and no host judged.
LIFECYCLE = frozenset({RESTART, STOP, START, DRAIN, RECOVER, BACKUP, RESTORE})
PURPOSES = (DEPLOY, INSPECT, ADD, REMOVE, REPLACE, RENAME, ROTATE, UPGRADE, *sorted(LIFECYCLE))
# Those that change who the members are.
MEMBER_CHANGES = frozenset({ADD, REMOVE, REPLACE, RENAME})

Answer = Record
EMPTY: Answer = {}


@dataclass(frozen=True)
class Written:
    """What managed_files said of the configuration, be it written or tried out: ``stale`` are the
    keys and files that the running node does not know (None: nothing was said), ``changed`` the
    paths that differ or differed, ``keys`` the changed keys by path."""

    stale: tuple[str, ...] | None = None
    changed: tuple[str, ...] = ()
    keys: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Answer) -> Written:
        if "changed_files" not in answer:
            return cls()
        return cls(
            tuple(answer.get("stale", ())),
            tuple(answer["changed_files"]),
            answer.get("changed_keys", {}),
        )


@dataclass(frozen=True)
class HostInput:
    """A host. ``findings`` came up when its variables were read; ``texts`` are PEM
    texts by variable; ``host`` is None where the host was not read. The rest are the answers of
    modules as they were registered, empty where nothing was asked."""

    settings: Settings
    management: str
    findings: tuple[Finding, ...] = ()
    texts: t.Mapping[str, str] = field(default_factory=dict)
    host: HostState | None = None
    survey: Answer = field(default_factory=dict)
    links_again: Answer = field(default_factory=dict)
    discovery: Answer = field(default_factory=dict)
    view: Answer = field(default_factory=dict)
    trial: Written = Written()
    written: Written = Written()


@dataclass(frozen=True)
class RunInput:
    """A run: its ``hosts`` in the order of the play, the ``others`` of the cluster that it leaves
    out, as far as the inventory tells of them, and what it is asked to do.

    ``began`` is the time of the control node, in seconds, before hosts were first asked;
    ``packages`` has {exists, sha256, sidecar} of package files on the control node by path,
    and ``opened`` what stands in them;
    ``salt`` goes into hashes that hosts compare within this run; ``missing_secrets`` are
    the files of those that have still to be made: the settings hold others in their place;
    ``next_cookies`` are files with a cookie that a rotation left behind which was cut short.
    """

    purpose: str
    hosts: t.Mapping[str, HostInput]
    others: t.Mapping[str, HostInput]
    now: dt.datetime
    began: float
    check_mode: bool = False
    packages: t.Mapping[str, Answer] = field(default_factory=dict)
    opened: t.Mapping[str, PackageFacts] = field(default_factory=dict)
    salt: str = ""
    missing_secrets: tuple[str, ...] = ()
    next_cookies: tuple[str, ...] = ()

    def known(self, host: str) -> HostInput | None:
        return self.hosts.get(host) or self.others.get(host)
