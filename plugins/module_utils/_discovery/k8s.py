# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Ask the Kubernetes API for the endpoints of a service with what EMQX has, and nothing else.

EMQX asks with the token in the ServiceAccount's directory, and verifies the API by the CA there; it
verifies nothing where there is none (ekka 0.13 to 0.23, ekka_cluster_k8s.erl; from EMQX 5.4 on, as
Erlang before OTP 26 never verifies of itself).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import https
from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.strategies import (
    named_by_address,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)

Answer = t.Dict[str, t.Any]

# All that a header takes; what else there is would be quoted by the error of the library.
_TOKEN = re.compile(r"[!-~]+")


def ask(
    settings: t.Mapping[str, t.Any], timeout: float, directory: str = SERVICE_ACCOUNT
) -> Answer:
    """Return the answer for ``settings``, the keys of cluster.k8s; see _discovery for its form.

    ``directory`` has the files ``token`` and ``ca.crt``. No part of the answer has the token.
    """
    server = str(settings["apiserver"])
    try:
        token = _token(os.path.join(directory, "token"))
    except (OSError, ValueError) as error:
        return _failure(server, "no_token", error)
    path = f"/api/v1/namespaces/{settings['namespace']}/endpoints/{settings['service_name']}"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        context = None
        if server.startswith("https:"):
            ca = os.path.join(directory, "ca.crt")
            found = os.path.isfile(ca)
            if found and named_by_address(server):
                return _failure(server, "k8s_address", ca)
            context = https.tls_context(server, verify=found, ca=ca if found else "")
        request = https.Request("GET", path, headers=headers)
        status, text = https.exchange(server, context, request, timeout)
    except https.ExchangeError as error:
        return _failure(server, f"k8s_{error.kind}", error.detail)
    answer = _judge(server, status, text)
    return {**answer, "detail": str(answer["detail"]).replace(token, "(the token)")}


def _token(path: str) -> str:
    with open(path, "rb") as file:
        token = file.read().decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"{path} holds {'something else' if token else 'nothing'}")
    return token


def _failure(server: str, failure: str, detail: object) -> Answer:
    return {"entries": [], "asked": server, "failure": failure, "detail": str(detail)}


_REFUSALS = {
    int(http.client.UNAUTHORIZED): "unauthorized",
    int(http.client.FORBIDDEN): "forbidden",
    int(http.client.NOT_FOUND): "no_service",
}


def _judge(server: str, status: int, text: bytes) -> Answer:
    try:
        found = json.loads(text)
        kind = found["kind"]
        if status == http.client.OK and kind == "Endpoints":
            return {"entries": _entries(found), "asked": server, "failure": "", "detail": ""}
        said = str(found.get("message") or f"HTTP status {status}, {kind}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _failure(server, "bad_answer", f"HTTP status {status}, no object of Kubernetes")
    known = _REFUSALS.get(status) if kind == "Status" else None
    return _failure(server, known or "bad_answer", said)


def _entries(endpoints: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = []
    for subset in endpoints.get("subsets") or []:
        for key, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(key) or []:
                hostname = str(address.get("hostname") or "")
                entry = {"ip": str(address["ip"]), "hostname": hostname, "ready": ready}
                # An address stands in one subset for each set of ports.
                if entry not in found:
                    found.append(entry)
    return found
