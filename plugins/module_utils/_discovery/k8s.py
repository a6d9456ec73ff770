# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by the endpoints of a service in Kubernetes, asked for with what EMQX has only.

EMQX asks with the token in the ServiceAccount's directory, and verifies the API by the CA there; it
verifies nothing where there is none (ekka 0.13 to 0.23, ekka_cluster_k8s.erl; from EMQX 5.4 on, as
Erlang before OTP 26 never verifies of itself). An entry has ``ip``, ``hostname`` ("" for none) and
``ready``.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import base, https
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record

# All that a header takes; what else there is would be quoted by the error of the library.
_TOKEN = re.compile(r"[!-~]+")
_IPV4 = re.compile(r"[0-9.]+")

REASONS: t.Mapping[str, base.Phrases] = {
    "short_names_differ": base.SHORT_NAMES_DIFFER,
    "no_endpoint": base.lacking(
        "add the address to the Endpoints object, or have the service select the node's pod"
    ),
    "endpoint_not_ready": base.Phrases(
        "a ready endpoint, as EMQX takes no other",
        "{values}, which is not ready",
        "mend the pod's readiness, or set publishNotReadyAddresses on the service",
    ),
    "endpoint_without_hostname": base.Phrases(
        "endpoints with a hostname, as emqx_k8s_address_type is hostname",
        "{values}, which has none",
        "name the service as serviceName of the StatefulSet, or use address type ip or dns",
    ),
    "endpoint_of_nobody": base.foreign(
        "take it out of the Endpoints object, or have the service select the cluster's pods only"
    ),
    "endpoint_form": base.Phrases(
        "{values}, which EMQX makes of the node's endpoint",
        "{names}",
        "set emqx_node_name to that, or correct emqx_k8s_address_type and emqx_k8s_suffix",
    ),
}
FAILURES: t.Mapping[str, base.Phrases] = {
    **https.failures(
        "k8s",
        https.Service(
            "a Kubernetes API",
            "the API server",
            "the API server on that host",
            "emqx_k8s_apiserver",
            "emqx_k8s_ca",
        ),
    ),
    "k8s_silent": base.Phrases(
        "a Kubernetes API at {asked} that answers with {source}",
        "a connection without an answer ({detail})",
        "see the log of the API server, and whether its etcd is healthy",
    ),
    "k8s_certificate_refused": base.Phrases(
        "a Kubernetes API that takes a token, as EMQX has nothing else to show",
        "{asked}, which asks for a client certificate ({detail})",
        "write the URL of the API server itself in emqx_k8s_apiserver",
    ),
    "k8s_address": base.Phrases(
        "a name of the API, as Erlang compares no address with a certificate (erlang/otp#7968)",
        "{asked}, which EMQX cannot verify by {detail}",
        "write a name that the certificate of the API has in emqx_k8s_apiserver",
    ),
    "k8s_file": base.Phrases(
        "the CA for {asked} in a PEM file",
        "one that cannot be used ({detail})",
        "correct emqx_k8s_ca, and run the playbook site",
    ),
    "k8s_other": base.Phrases(
        "the URL of a Kubernetes API",
        "{asked}, which cannot be asked ({detail})",
        "correct emqx_k8s_apiserver",
    ),
    "no_token": base.Phrases(
        f"a token for {{asked}} in {SERVICE_ACCOUNT}/token, the only place where EMQX looks",
        "none ({detail})",
        "set emqx_k8s_token, and run the playbook site",
    ),
    "unauthorized": base.Phrases(
        "a token that is valid, of a ServiceAccount that exists",
        "one that {asked} does not take ({detail})",
        "make a new one (kubectl create token), set emqx_k8s_token to it, and run the playbook "
        "site",
    ),
    "forbidden": base.Phrases(
        "a Role with the verb get on endpoints, bound to the ServiceAccount of the token",
        "a token that may not get {source} ({detail})",
        "apply the manifests of the playbook kubernetes, or have your administrator grant it",
    ),
    "no_service": base.Phrases(
        "{source}",
        "no such object at {asked} ({detail})",
        "create the service (the playbook kubernetes does), or correct emqx_k8s_service_name and "
        "emqx_k8s_namespace",
    ),
    "bad_answer": base.Phrases(
        "a Kubernetes API that answers with {source}",
        "something else from {asked} ({detail})",
        "see what stands between, or correct emqx_k8s_apiserver",
    ),
}
IN_PLACE = frozenset({"endpoint_form", "short_names_differ"})
PERMANENT: frozenset[str] = frozenset()
OTHER_ANSWER = "have all hosts ask the same API"


def lacks() -> str:
    return ""


def ask(
    settings: base.Settings, timeout: float, service_account: str = SERVICE_ACCOUNT
) -> base.Answer:
    """Return the answer for ``settings``, the keys of cluster.k8s.

    ``service_account`` is the directory of ``token`` and ``ca.crt``. No part of the answer has the
    token.
    """
    server = str(settings["apiserver"])
    try:
        token = _token(os.path.join(service_account, "token"))
    except (OSError, ValueError) as error:
        return base.answer(server, failure="no_token", detail=error)
    path = f"/api/v1/namespaces/{settings['namespace']}/endpoints/{settings['service_name']}"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        context = None
        if server.startswith("https:"):
            ca = os.path.join(service_account, "ca.crt")
            found = os.path.isfile(ca)
            if found and named_by_address(server):
                return base.answer(server, failure="k8s_address", detail=ca)
            context = https.tls_context(server, verify=found, ca=ca if found else "")
        request = https.Request("GET", path, headers=headers)
        status, text = https.exchange(server, context, request, timeout)
    except https.ExchangeError as error:
        return base.answer(server, failure=f"k8s_{error.kind}", detail=error.detail)
    answer = _judge(server, status, text)
    return {**answer, "detail": str(answer["detail"]).replace(token, "(the token)")}


def source(settings: base.Settings) -> str:
    service, namespace = settings["service_name"], settings["namespace"]
    return f"the endpoints of service {service} in namespace {namespace}"


def form(settings: base.Settings, short_name: str, entry: base.Entry) -> str:
    host = _host(settings, entry)
    return f"{short_name}@{host}" if host and entry["ready"] else ""


def _host(settings: base.Settings, entry: base.Entry) -> str:
    kind, suffix = settings["address_type"], settings["suffix"]
    host = str(entry["hostname"] if kind == "hostname" else entry["ip"])
    if not host or not suffix or kind == "ip":
        return host
    if kind == "dns":
        return f"{host.replace('.', '-')}.{settings['namespace']}.{suffix}"
    return f"{host}.{settings['service_name']}.{settings['namespace']}.{suffix}"


def value(entry: base.Entry) -> str:
    return str(entry["ip"])


def missing(
    settings: base.Settings, name: str, short_name: str, formed: base.Formed
) -> base.Reason:
    same_host = base.other_short_name(name, short_name, formed)
    if same_host:
        return same_host[0]
    host = name.partition("@")[2]
    for entry, found in formed:
        own = {str(entry["ip"]), str(entry["ip"]).replace(".", "-"), str(entry["hostname"])}
        if host in own or host.partition(".")[0] in own:
            if not entry["ready"]:
                return "endpoint_not_ready", value(entry)
            return ("endpoint_form", found) if found else (nameless(entry), value(entry))
    return "no_endpoint", host


def extra(entry: base.Entry, value: str) -> base.Reason:
    return "endpoint_of_nobody", value


def nameless(entry: base.Entry) -> str:
    return "endpoint_without_hostname" if entry["ready"] else ""


def named_by_address(url: str) -> bool:
    """Tell whether a URL has an IP address for a host.

    With a CA that is an API which EMQX cannot verify: Erlang compares the host of a URL with the
    names of a certificate only (OTP 25 to 28, erlang/otp#7968).
    """
    host = url.partition("://")[2].partition("/")[0]
    return host.startswith("[") or bool(_IPV4.fullmatch(host.partition(":")[0]))


def _token(path: str) -> str:
    with open(path, "rb") as file:
        token = file.read().decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"{path} holds {'something else' if token else 'nothing'}")
    return token


_REFUSALS = {
    int(http.client.UNAUTHORIZED): "unauthorized",
    int(http.client.FORBIDDEN): "forbidden",
    int(http.client.NOT_FOUND): "no_service",
}


def _judge(server: str, status: int, text: bytes) -> base.Answer:
    try:
        found = json.loads(text)
        kind = found["kind"]
        if status == http.client.OK and kind == "Endpoints":
            return base.answer(server, _entries(found))
        said = str(found.get("message") or f"HTTP status {status}, {kind}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        detail = f"HTTP status {status}, no object of Kubernetes"
        return base.answer(server, failure="bad_answer", detail=detail)
    known = _REFUSALS.get(status) if kind == "Status" else None
    return base.answer(server, failure=known or "bad_answer", detail=said)


def _entries(endpoints: Record) -> list[Json]:
    found: list[Json] = []
    for subset in endpoints.get("subsets") or []:
        for key, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(key) or []:
                hostname = str(address.get("hostname") or "")
                entry = {"ip": str(address["ip"]), "hostname": hostname, "ready": ready}
                # An address stands in one subset for each set of ports.
                if entry not in found:
                    found.append(entry)
    return found
