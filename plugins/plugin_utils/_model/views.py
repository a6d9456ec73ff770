# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A node's own view of its cluster, as the control node reads it from the answers of hosts."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import json_values as values

Texts = t.Tuple[str, ...]
Sight = t.Tuple[Texts, Texts]


@dataclass(frozen=True)
class NodeView:
    """What a node says of itself and its cluster; the module cluster_info documents the fields.

    ``state`` is ready, booting or down, or unreachable or unknown where nobody could ask. What an
    EMQX version does not say is empty or None. ``changes`` maps nodes to the last change of
    the configuration that they followed. ``copying`` are tables that are being copied from others
    after a join, ``waiting_tables`` those that wait for one of ``waiting_nodes``. ``data`` counts
    the records that the node holds by kind; ``config_changed`` are the root keys that it got at run
    time (cluster.hocon). ``certificates`` are the PEM texts certificate, public_key and ca.
    """

    state: str
    reason: str = ""
    installed: bool | None = None
    node: str = ""
    version: str = ""
    edition: str = ""
    role: str = ""
    running: Texts = ()
    stopped: Texts = ()
    upstream: Texts = ()
    uptime_seconds: int | None = None
    discovery_strategy: str = ""
    proto_dist: str = ""
    rpc_protocol: str = ""
    rpc_port_discovery: str = ""
    cookie_fingerprint: str = ""
    default_login: bool = False
    in_sync: bool | None = None
    changes: t.Mapping[str, int] = field(default_factory=dict)
    copying: Texts = ()
    waiting_tables: Texts = ()
    waiting_nodes: Texts = ()
    data: t.Mapping[str, int] = field(default_factory=dict)
    config_changed: Texts = ()
    certificates: t.Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: t.Any) -> NodeView:
        """Return the view in an answer of cluster_info; of any JSON, nothing is raised."""
        given = values.record(answer)
        view = values.record(given.get("emqx"))
        certificates = _certificates(given.get("tls") or view.get("tls"))
        if not view:
            return cls(
                state="unreachable" if given.get("unreachable") else "unknown",
                reason=values.text(given.get("msg")) or "left out of this run",
                certificates=certificates,
            )
        sync = values.record(view.get("config_sync"))
        uptime = view.get("uptime_seconds")
        return cls(
            state=values.text(view.get("state")) or "unknown",
            reason=values.text(view.get("reason"), 2 * values.WIDTH),
            installed=values.flag(view.get("installed")),
            **{key: values.text(view.get(key)) for key in _TEXTS},
            running=values.texts(view.get("running_nodes")),
            stopped=values.texts(view.get("stopped_nodes")),
            upstream=values.texts(view.get("upstream_nodes")),
            uptime_seconds=None if values.decimal(uptime) is None else values.number(uptime),
            default_login=values.flag(view.get("default_login")) is True,
            in_sync=values.flag(sync.get("in_sync")),
            changes={n: values.number(i) for n, i in values.record(sync.get("tnx_ids")).items()},
            copying=values.texts(view.get("copying_tables")),
            waiting_tables=values.texts(view.get("waiting_for_tables")),
            waiting_nodes=values.texts(view.get("waiting_for_nodes")),
            data={kind: values.number(n) for kind, n in values.record(view.get("data")).items()},
            config_changed=values.texts(view.get("config_changed")),
            certificates=certificates,
        )

    @property
    def is_ready(self) -> bool:
        return self.state == "ready"

    @property
    def listed(self) -> Texts:
        """All members that the node has, running or stopped."""
        return self.running + self.stopped

    @property
    def sight(self) -> Sight:
        """The running and the stopped members in a form that compares."""
        return tuple(sorted(self.running)), tuple(sorted(self.stopped))


_TEXTS = (
    "node",
    "version",
    "edition",
    "role",
    "discovery_strategy",
    "proto_dist",
    "rpc_protocol",
    "rpc_port_discovery",
    "cookie_fingerprint",
)
_PEM_LIMIT = 1 << 18


def _certificates(value: t.Any) -> t.Mapping[str, str]:
    given = values.record(value)
    return {name: pem(given.get(name)) for name in ("certificate", "public_key", "ca")}


def pem(value: t.Any) -> str:
    """Return a text in PEM as it is, "" for what can be none."""
    if not isinstance(value, str) or len(value) > _PEM_LIMIT or not value.isascii():
        return ""
    return value


def common_sight(views: t.Iterable[NodeView]) -> Sight:
    """Return what most of the ready nodes see, of equals what the first one sees."""
    counted = collections.Counter(view.sight for view in views if view.is_ready)
    return max(counted, key=lambda key: counted[key]) if counted else ((), ())
