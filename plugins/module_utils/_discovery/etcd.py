# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by etcd v3, asked with what EMQX is given, over the HTTP gateway.

EMQX keeps one key per node, ``<prefix>/ekkacl/nodes/<node>`` with the node's name as its value,
on a lease of 5 seconds that the node keeps alive; who looks for others holds a lock below
``<prefix>/ekkacl/lock/`` on the same lease. An entry has ``key``, ``value`` and ``leased``
(whether a node that runs keeps it alive).
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import base, https
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record

Settings = base.Settings
Ask = t.Callable[[str, t.Dict[str, t.Any]], t.Dict[str, t.Any]]

# 3.4 and newer, 3.3.
_APIS = ("/v3", "/v3beta")
_JSON = {"Content-Type": "application/json"}
# Where its members cannot agree, etcd says so after 5 to 7 seconds.
_ANSWER_SECONDS = 10.0

_OTHERS = "stop that node, or set an emqx_etcd_prefix that no other cluster has"
_DELETE = "run the playbook site with emqx_etcd_clean_keys, or delete {what} by etcdctl del KEY"

REASONS: t.Mapping[str, base.Phrases] = {
    "no_key": base.Phrases(
        "{source} to include those of {names}, as each core keeps its own there while it runs",
        "{listed}",
        "start the node, or restart it where it runs (EMQX before 6.2.4 does not write its key "
        "again once etcd was away), else see in its log why it cannot write to etcd",
    ),
    "key_of_nobody": base.foreign(_OTHERS),
    "stale_key": base.Phrases(
        "{source} to include only those that a node keeps alive",
        "{values}, which no node does",
        _DELETE.format(what="each"),
    ),
}
FAILURES: t.Mapping[str, base.Phrases] = {
    **https.failures(
        "etcd",
        https.Service(
            "an etcd",
            "etcd",
            "etcd on that host (journalctl -u etcd tells why it is down)",
            "emqx_etcd_servers",
            "emqx_etcd_ca",
        ),
    ),
    "etcd_no_certificate": base.Phrases(
        "a client certificate that {asked} takes",
        "none on this host ({detail})",
        "set emqx_etcd_certificate and emqx_etcd_key",
    ),
    "etcd_certificate_refused": base.Phrases(
        "a client certificate that is valid, and signed by the CA that {asked} trusts",
        "one that it refuses ({detail})",
        "set emqx_etcd_certificate and emqx_etcd_key to such a one",
    ),
    "etcd_file": base.Phrases(
        "PEM files on this host to talk TLS with {asked}",
        "one that cannot be used ({detail})",
        "correct emqx_etcd_ca, emqx_etcd_certificate or emqx_etcd_key, and run the playbook site",
    ),
    "etcd_no_leader": base.Phrases(
        "more than half of the members of etcd running",
        "{asked} without a leader ({detail})",
        "start the others, and open the peer port between them",
    ),
    "etcd_user": base.Phrases(
        "an etcd without its own authentication, as EMQX has no way to give a user name",
        "{asked}, which asks for one ({detail})",
        "switch it off in etcd and use client certificates",
    ),
    "etcd_locked": base.Phrases(
        "only locks that a node keeps alive",
        "one that no node keeps alive, for which all of them wait ({detail})",
        _DELETE.format(what="it"),
    ),
    "etcd_other": base.Phrases(
        "an etcd of 3.3 or newer at {asked}",
        "something else ({detail})",
        "write the client URLs of etcd in emqx_etcd_servers, port 2379 as a rule",
    ),
}
IN_PLACE: frozenset[str] = frozenset()
PERMANENT = frozenset({"stale_key"})
OTHER_ANSWER = "have all hosts ask the same etcd"


class EtcdError(EmqxError):
    """A server cannot be used; ``failure`` is a key of FAILURES."""

    code = "etcd"

    def __init__(self, server: str, failure: str, detail: object) -> None:
        words = {"asked": server, "detail": str(detail), "source": "the keys"}
        expected, found, remedy = (text.format(**words) for text in FAILURES[failure])
        super().__init__(f"Expected {expected}, found {found}: {remedy}.", server=server)
        self.server, self.failure, self.detail = server, failure, str(detail)


@dataclass(frozen=True)
class Key:
    """A key, and whether a node that runs keeps it alive."""

    key: str
    value: str
    leased: bool


def lacks() -> str:
    return ""


def ask(settings: Settings, timeout: float, service_account: str = "") -> base.Answer:
    """Return the answer for ``settings``, the keys of cluster.etcd."""
    try:
        nodes, server = read(settings, node_folder(settings), timeout)
        locks, server = read(settings, lock_folder(settings), timeout)
    except EtcdError as error:
        return base.answer(error.server, failure=error.failure, detail=error.detail)
    entries = [{"key": found.key, "value": found.value, "leased": found.leased} for found in nodes]
    dead = ", ".join(lock.key for lock in locks if not lock.leased)
    return base.answer(server, entries, "etcd_locked" if dead else "", dead)


def source(settings: Settings) -> str:
    return f"the keys below {node_folder(settings)}"


def form(settings: Settings, short_name: str, entry: base.Entry) -> str:
    return str(entry["value"])


def value(entry: base.Entry) -> str:
    return str(entry["key"])


def missing(settings: Settings, name: str, short_name: str, formed: base.Formed) -> base.Reason:
    return "no_key", f"{node_folder(settings)}{name}"


def extra(entry: base.Entry, value: str) -> base.Reason:
    return "key_of_nobody" if entry["leased"] else "stale_key", value


def nameless(entry: base.Entry) -> str:
    return ""


def node_folder(settings: Settings) -> str:
    """Return what the keys of nodes begin with."""
    return f"{settings['prefix']}/ekkacl/nodes/"


def lock_folder(settings: Settings) -> str:
    """Return what the keys of locks begin with."""
    return f"{settings['prefix']}/ekkacl/lock/"


def read(settings: Settings, folder: str, timeout: float) -> tuple[list[Key], str]:
    """Return the keys below ``folder`` and the server that knows them; raise EtcdError."""

    def use(ask_server: Ask) -> list[Key]:
        end = folder[:-1] + chr(ord(folder[-1]) + 1)
        answer = ask_server("/kv/range", {"key": _encode(folder), "range_end": _encode(end)})
        return [
            Key(_decode(item["key"]), _decode(item.get("value", "")), "lease" in item)
            for item in answer.get("kvs", [])
        ]

    return _first(settings, timeout, use)


def stale_keys(settings: Settings, timeout: float) -> list[str]:
    """Return the keys of nodes and of locks that no node keeps alive; raise EtcdError."""
    nodes, _server = read(settings, node_folder(settings), timeout)
    locks, _server = read(settings, lock_folder(settings), timeout)
    return [found.key for found in (*nodes, *locks) if not found.leased]


def delete_stale(settings: Settings, keys: t.Sequence[str], timeout: float) -> None:
    """Delete those of these keys that still nobody keeps alive; raise EtcdError."""

    def use(ask_server: Ask) -> None:
        for key in map(_encode, keys):
            unleased = {"key": key, "target": "LEASE", "result": "EQUAL", "lease": "0"}
            deletion = {"request_delete_range": {"key": key}}
            ask_server("/kv/txn", {"compare": [unleased], "success": [deletion]})

    _first(settings, timeout, use)


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


_Answer = t.TypeVar("_Answer")


def _first(
    settings: Settings, timeout: float, use: t.Callable[[Ask], _Answer]
) -> tuple[_Answer, str]:
    """Use the first server that can be; raise what the first one says where none can."""
    errors: list[EtcdError] = []
    for server in str(settings["server"]).split(","):
        try:
            return use(_asker(server.strip(), settings, timeout)), server.strip()
        except https.ExchangeError as error:
            errors.append(_no_answer(error, _tls_options(settings)))
        except EtcdError as error:
            errors.append(error)
        except (AttributeError, KeyError, TypeError, ValueError):
            errors.append(EtcdError(server, "etcd_other", "its keys have another form"))
    raise errors[0]


def _asker(server: str, settings: Settings, timeout: float) -> Ask:
    context = _context(server, _tls_options(settings))
    apis = list(_APIS)

    def ask_server(path: str, body: Json) -> Json:
        while True:
            url = apis[0] + path
            request = https.Request("POST", url, json.dumps(body), _JSON, _ANSWER_SECONDS)
            status, text = https.exchange(server, context, request, timeout)
            if status != http.client.NOT_FOUND or len(apis) == 1:
                return _judge(server, status, text)
            apis.pop(0)

    return ask_server


def _no_answer(error: https.ExchangeError, options: Record) -> EtcdError:
    kind = {"silent": "no_leader"}.get(error.kind, error.kind)
    if kind == "certificate_refused" and not options.get("certfile"):
        kind = "no_certificate"
    return EtcdError(error.server, f"etcd_{kind}", error.detail)


def _tls_options(settings: Settings) -> Record:
    return settings.get("ssl_options") or settings.get("ssl") or {}


def _context(server: str, options: Record) -> ssl.SSLContext | None:
    """Return how to talk TLS; None without it. The options decide, as in EMQX, not the scheme."""
    if not options.get("enable"):
        return None
    verify = options.get("verify") == "verify_peer"
    files = (str(options.get(key) or "") for key in ("cacertfile", "certfile", "keyfile"))
    return https.tls_context(server, verify, *files)


def _judge(server: str, status: int, text: bytes) -> Json:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise EtcdError(server, "etcd_other", f"HTTP status {status}, no JSON")
    if status == http.client.OK and "header" in answer:
        return answer
    said = str(answer.get("message") or answer.get("error") or f"HTTP status {status}")
    if any(word in said for word in ("no leader", "timed out", "deadline exceeded")):
        raise EtcdError(server, "etcd_no_leader", said)
    if any(word in said for word in ("user name", "permission denied", "auth token")):
        raise EtcdError(server, "etcd_user", said)
    raise EtcdError(server, "etcd_other", said)
