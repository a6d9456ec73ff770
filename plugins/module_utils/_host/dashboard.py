# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether the dashboard of this host's node lets in whoever knows the vendor's first password."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import threading

from ansible_collections.mqttops.emqx.plugins.module_utils._host.sockets import sockets
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record

_DEFAULT_PORT = 18083
_SECONDS = 2.0
_LONGEST = 1 << 16
_BIND = re.compile(r"(?:(?P<address>.*):)?(?P<port>\d{1,5})\Z")
# EMQX 5.0 to 6.3 makes this user at the first start unless dashboard.default_password is set.
_LOGIN = json.dumps({"username": "admin", "password": "public"})


def takes_default_login(given: Record, unit: str) -> bool | None:
    """Return whether a dashboard of a unit's node takes admin/public; None where none can tell.

    ``given`` is the node's configuration by dotted keys. Each call is a login that fails, if it
    does: EMQX locks a user out for some minutes after five of them in five minutes (5.9 and newer).
    """
    for scheme, default in (("http", _DEFAULT_PORT), ("https", 0)):
        bind = given.get(f"dashboard.listeners.{scheme}.bind", default)
        match = _BIND.match(str(bind))
        port = int(match.group("port")) if match else 0
        if not 0 < port < 65536:
            continue
        for socket in sockets([port], protocols=["tcp"]):
            if socket["process"].startswith("beam") and socket["unit"] == unit:
                loopback = "::1" if match and "[" in (match.group("address") or "") else "127.0.0.1"
                answer = _in_time(scheme, socket["address"] or loopback, port)
                if answer is not None:
                    return answer
    return None


def _in_time(scheme: str, address: str, port: int) -> bool | None:
    """Return the answer of a login; none of one that comes in drops."""
    answers: list[bool | None] = []
    thread = threading.Thread(
        target=lambda: answers.append(_login(scheme, address, port)), daemon=True
    )
    thread.start()
    thread.join(2 * _SECONDS)
    return answers[0] if answers else None


def _login(scheme: str, address: str, port: int) -> bool | None:
    connection: http.client.HTTPConnection
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # It is this host's own, and what is sent to it is known to everybody.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(address, port, timeout=_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(address, port, timeout=_SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/api/v5/login", body=_LOGIN, headers=headers)
        response = connection.getresponse()
        if response.status in (401, 403):
            return False
        if response.status != 200:
            return None
        answer = json.loads(response.read(_LONGEST))
        return isinstance(answer, dict) and bool(answer.get("token"))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
