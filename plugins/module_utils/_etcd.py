# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

# Private to this collection: it may change in any release.

"""Talk to etcd v3 with what EMQX is given, over the HTTP gateway, and tell what stands in the way.

EMQX keeps one key per node, ``<prefix>/ekkacl/nodes/<node>`` with the node's name as its value,
on a lease of 5 seconds that the node keeps alive; who looks for others holds a lock below
``<prefix>/ekkacl/lock/`` on the same lease.
"""

from __future__ import annotations

import base64
import errno
import http.client
import json
import socket
import ssl
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import FAILURES, etcd_folder
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError

Settings = t.Mapping[str, t.Any]
Ask = t.Callable[[str, t.Dict[str, t.Any]], t.Dict[str, t.Any]]

# 3.4 and newer, 3.3.
_APIS = ("/v3", "/v3beta")
# Where its members cannot agree, etcd says so after 5 to 7 seconds.
_ANSWER_SECONDS = 10.0


class EtcdError(EmqxError):
    """A server cannot be used; ``failure`` is a key of FAILURES."""

    code = "etcd"

    def __init__(self, server: str, failure: str, detail: object) -> None:
        words = {"asked": server, "detail": str(detail), "source": "the keys"}
        found, expected, remedy = (text.format(**words) for text in FAILURES[failure])
        super().__init__(f"{found}, expected {expected}: {remedy}.", server=server)
        self.server, self.failure, self.detail = server, failure, str(detail)


@dataclass(frozen=True)
class Key:
    """A key, and whether a node that runs keeps it alive."""

    key: str
    value: str
    leased: bool


def ask(settings: Settings, timeout: float) -> dict[str, t.Any]:
    """Return the answer for ``settings``, the keys of cluster.etcd; see _discovery for its form."""
    try:
        nodes, server = read(settings, etcd_folder(settings), timeout)
        locks, server = read(settings, lock_folder(settings), timeout)
    except EtcdError as error:
        return {
            "entries": [],
            "asked": error.server,
            "failure": error.failure,
            "detail": error.detail,
        }
    entries = [{"key": found.key, "value": found.value, "leased": found.leased} for found in nodes]
    dead = ", ".join(lock.key for lock in locks if not lock.leased)
    failure = "etcd_locked" if dead else ""
    return {"entries": entries, "asked": server, "failure": failure, "detail": dead}


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


def delete(settings: Settings, keys: t.Sequence[str], timeout: float) -> None:
    """Delete these keys; raise EtcdError."""

    def use(ask_server: Ask) -> None:
        for key in keys:
            ask_server("/kv/deleterange", {"key": _encode(key)})

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
        except EtcdError as error:
            errors.append(error)
    raise errors[0]


def _asker(server: str, settings: Settings, timeout: float) -> Ask:
    options = settings.get("ssl_options") or settings.get("ssl") or {}
    context = _context(server, options)
    apis = list(_APIS)

    def ask_server(path: str, body: dict[str, t.Any]) -> dict[str, t.Any]:
        while True:
            try:
                status, text = _post(server, context, apis[0] + path, json.dumps(body), timeout)
            except EtcdError as error:
                if error.failure == "etcd_certificate_refused" and not options.get("certfile"):
                    raise EtcdError(server, "etcd_no_certificate", error.detail) from error
                raise
            if status != http.client.NOT_FOUND or len(apis) == 1:
                return _judge(server, status, text)
            apis.pop(0)

    return ask_server


def _context(server: str, options: t.Mapping[str, t.Any]) -> ssl.SSLContext | None:
    """Return how to talk TLS; None without it. The options decide, as in EMQX, not the scheme."""
    if not options.get("enable"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = options.get("verify") == "verify_peer"
    context.verify_mode = ssl.CERT_REQUIRED if context.check_hostname else ssl.CERT_NONE
    path = ""
    try:
        if options.get("cacertfile"):
            path = options["cacertfile"]
            context.load_verify_locations(cafile=path)
        if options.get("certfile"):
            path = options["certfile"]
            context.load_cert_chain(path, options.get("keyfile"))
    except (OSError, ValueError) as error:
        raise EtcdError(server, "etcd_file", f"{path}: {error}") from error
    return context


def _post(
    server: str, context: ssl.SSLContext | None, path: str, body: str, timeout: float
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.rpartition("://")[2].rstrip("/"))
    stage = "connect"
    try:
        sock = socket.create_connection((connection.host, connection.port), timeout)
        connection.sock = sock
        if context is not None:
            stage = "handshake"
            connection.sock = context.wrap_socket(sock, server_hostname=connection.host)
        stage = "answer"
        connection.sock.settimeout(max(timeout, _ANSWER_SECONDS))
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        # In TLS 1.3 the verdict on the client comes after the handshake, and is lost when the
        # request meets a closed connection.
        if stage == "answer" and context is not None and _hides_verdict(context, error):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            return _post(server, context, path, body, timeout)
        raise EtcdError(server, _failure(error, stage), error) from error
    finally:
        connection.close()


def _hides_verdict(context: ssl.SSLContext, error: Exception) -> bool:
    closed = isinstance(error, (ssl.SSLError, ConnectionError, http.client.BadStatusLine))
    return closed and context.maximum_version != ssl.TLSVersion.TLSv1_2


def _failure(error: Exception, stage: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _UNVERIFIED.get(error.verify_code, "etcd_other_ca")
    if isinstance(error, socket.timeout):
        stages = {"connect": "etcd_filtered", "handshake": "etcd_no_tls"}
        return stages.get(stage, "etcd_no_leader")
    if isinstance(error, ssl.SSLError):
        reason = str(error.reason or error).upper().replace(" ", "_")
        found = [failure for word, failure in _ALERTS.items() if word in reason]
        return found[0] if found else "etcd_closed"
    if isinstance(error, socket.gaierror):
        return "etcd_unresolved"
    if isinstance(error, ConnectionRefusedError):
        return "etcd_refused"
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "etcd_filtered"
    if isinstance(error, (ConnectionError, http.client.BadStatusLine)):
        return "etcd_closed"
    return "etcd_other"


# X509_V_ERR_* of OpenSSL.
_UNVERIFIED = {
    9: "etcd_expired",
    10: "etcd_expired",
    62: "etcd_other_name",
    64: "etcd_other_name",
}
# Go has one alert for no certificate and for a bad one: which it is, our own options tell.
_ALERTS = {
    "WRONG_VERSION_NUMBER": "etcd_no_tls",
    "HTTP_REQUEST": "etcd_no_tls",
    "BAD_CERTIFICATE": "etcd_certificate_refused",
    "CERTIFICATE_REQUIRED": "etcd_certificate_refused",
    "HANDSHAKE_FAILURE": "etcd_certificate_refused",
    "UNKNOWN_CA": "etcd_certificate_refused",
    "CERTIFICATE_UNKNOWN": "etcd_certificate_refused",
    "CERTIFICATE_EXPIRED": "etcd_certificate_refused",
}


def _judge(server: str, status: int, text: bytes) -> dict[str, t.Any]:
    try:
        answer = json.loads(text)
    except ValueError:
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
