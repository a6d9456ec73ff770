# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""How a TCP connection to a node fares."""

from __future__ import annotations

import errno
import socket
import ssl


def dial(host: str, port: int, timeout: float = 3.0) -> str:
    """Return how a TCP connection fares: ``tls``, ``open``, ``refused``, ``filtered`` or
    ``unresolved``. An open port is asked for TLS, to tell it from one that speaks plainly."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            return "tls" if _speaks_tls(connection) else "open"
    except socket.gaierror:
        return "unresolved"
    except OSError as error:
        return "refused" if error.errno == errno.ECONNREFUSED else "filtered"


def _speaks_tls(connection: socket.socket) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Only the protocol is looked at; nothing is sent, and nothing believed.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_socket(connection).close()
    except ssl.SSLError as error:
        # An alert is an answer in TLS. A plain port closes, or answers with something else.
        return "ALERT" in (error.reason or "")
    except OSError:
        return False
    return True
