# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Ask a service over HTTP, with TLS or without, and tell apart what may stand in the way."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.base import Phrases
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError

# An answer of which there is more than this is cut off, bytes.
_MOST = 1 << 24


class ExchangeError(EmqxError):
    """There is no answer.

    ``kind`` is one of refused, filtered, unresolved, closed, no_tls, other_ca, other_name, expired,
    certificate_refused, file (one of ours cannot be used), silent (connected, but no answer in
    time), other.
    """

    code = "https"

    def __init__(self, server: str, kind: str, detail: object) -> None:
        super().__init__(f"{server}: {detail}", server=server)
        self.server, self.kind, self.detail = server, kind, str(detail)


@dataclass(frozen=True)
class Request:
    """What is asked. ``patience`` is for the answer, seconds, where it may take long."""

    method: str
    path: str
    body: str | None = None
    headers: t.Mapping[str, str] = field(default_factory=dict)
    patience: float = 0.0


def tls_context(
    server: str, verify: bool, ca: str = "", certificate: str = "", key: str = ""
) -> ssl.SSLContext:
    """Return how to talk TLS to a server, by the paths of PEM files; raise ExchangeError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verify
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    path = ""
    try:
        if ca:
            path = ca
            context.load_verify_locations(cafile=path)
        if certificate:
            path = certificate
            context.load_cert_chain(path, key or None)
    except (OSError, ValueError) as error:
        raise ExchangeError(server, "file", f"{path}: {error}") from error
    return context


def exchange(
    server: str, context: ssl.SSLContext | None, request: Request, timeout: float
) -> tuple[int, bytes]:
    """Return status and text of the answer of a server, a URL without a path.

    Whether TLS is talked, ``context`` decides, and the scheme nothing but the port where there is
    none. Raise ExchangeError where there is no answer.
    """
    connection = _connection(server, context)
    stage = "connect"
    try:
        sock = socket.create_connection((connection.host, connection.port), timeout)
        connection.sock = sock
        if context is not None:
            stage = "handshake"
            connection.sock = context.wrap_socket(sock, server_hostname=connection.host)
        stage = "answer"
        connection.sock.settimeout(max(timeout, request.patience))
        connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST)
    except (OSError, http.client.HTTPException) as error:
        # In TLS 1.3 the verdict on the client comes after the handshake, and is lost when the
        # request meets a closed connection.
        if stage == "answer" and context is not None and _hides_verdict(context, error):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            return exchange(server, context, request, timeout)
        raise ExchangeError(server, _kind(error, stage), error) from error
    finally:
        connection.close()


def _connection(server: str, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    scheme, _separator, address = server.rpartition("://")
    try:
        if scheme == "https":
            return http.client.HTTPSConnection(address.rstrip("/"), context=context)
        return http.client.HTTPConnection(address.rstrip("/"))
    except http.client.InvalidURL as error:
        raise ExchangeError(server, "other", error) from error


def _hides_verdict(context: ssl.SSLContext, error: Exception) -> bool:
    closed = isinstance(error, (ssl.SSLError, ConnectionError, http.client.BadStatusLine))
    return closed and context.maximum_version != ssl.TLSVersion.TLSv1_2


def _kind(error: Exception, stage: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _UNVERIFIED.get(error.verify_code, "other_ca")
    if isinstance(error, socket.timeout):
        return {"connect": "filtered", "handshake": "no_tls"}.get(stage, "silent")
    if isinstance(error, ssl.SSLError):
        reason = str(error.reason or error).upper().replace(" ", "_")
        found = [kind for word, kind in _ALERTS.items() if word in reason]
        return found[0] if found else "closed"
    if isinstance(error, socket.gaierror):
        return "unresolved"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "filtered"
    if isinstance(error, (ConnectionError, http.client.BadStatusLine)):
        return "closed"
    return "other"


# X509_V_ERR_* of OpenSSL.
_UNVERIFIED = {9: "expired", 10: "expired", 62: "other_name", 64: "other_name"}
# Go has one alert for no certificate and for a bad one: which it is, our own options tell.
_ALERTS = {
    "WRONG_VERSION_NUMBER": "no_tls",
    "HTTP_REQUEST": "no_tls",
    "BAD_CERTIFICATE": "certificate_refused",
    "CERTIFICATE_REQUIRED": "certificate_refused",
    "HANDSHAKE_FAILURE": "certificate_refused",
    "UNKNOWN_CA": "certificate_refused",
    "CERTIFICATE_UNKNOWN": "certificate_refused",
    "CERTIFICATE_EXPIRED": "certificate_refused",
}


@dataclass(frozen=True)
class Service:
    """What the texts of findings call a service: itself, its server, what to start, the variables
    of its URL and of its CA."""

    name: str
    server: str
    start: str
    variable: str
    ca: str


def failures(prefix: str, service: Service) -> dict[str, Phrases]:
    """Return what may keep a host from asking a service, by prefix and kind of ExchangeError."""
    name, server, variable = service.name, service.server, service.variable
    found = {
        "refused": Phrases(
            f"{name} at {{asked}} that answers with {{source}}",
            "a refused connection ({detail})",
            f"start {service.start}, or correct the port in {variable}",
        ),
        "filtered": Phrases(
            "a connection to {asked}",
            "no answer, so packets are dropped on the way ({detail})",
            "start that host, or open the port for this host in the firewalls between them",
        ),
        "unresolved": Phrases(
            "an address for the name of {asked}",
            "none on this host ({detail})",
            f"correct it in {variable}, or its record",
        ),
        "closed": Phrases(
            f"{name} at {{asked}} that answers",
            "a connection that is closed before an answer ({detail})",
            f"write https in {variable} where {server} talks TLS, or see its log",
        ),
        "no_tls": Phrases(
            f"TLS from {{asked}}, as {variable} says",
            "a server that does not talk it ({detail})",
            f"write http there, or have {server} talk TLS",
        ),
        "other_ca": Phrases(
            f"a certificate of {{asked}} that is signed by {service.ca}",
            "one of another CA ({detail})",
            f"set it to the CA that signed the certificates of {server}",
        ),
        "other_name": Phrases(
            f"a certificate of {{asked}} for the host that {variable} names",
            "one for another name ({detail})",
            "write the name that the certificate has, or request one with it",
        ),
        "expired": Phrases(
            "a certificate of {asked} that is valid now",
            "one that is not ({detail})",
            "renew it, or set the clock of this host right",
        ),
    }
    return {f"{prefix}_{kind}": phrases for kind, phrases in found.items()}
