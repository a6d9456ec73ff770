# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Discovery by the endpoints of a service in Kubernetes."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.k8s import named_by_address
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import checks_pem
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Layout,
    ManagedFile,
    Node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies.base import (
    Findings,
    Strategy,
    Texts,
)

# EMQX's own default, pod.local, is no domain of a Kubernetes cluster.
_SUFFIXES = {"ip": "", "dns": "pod.cluster.local", "hostname": "svc.cluster.local"}
_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?/?")
# The name of a namespace or a service in Kubernetes (RFC 1123), and a domain made of such.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(_LABEL)
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_KEYS = ("apiserver", "service_name", "namespace", "address_type", "suffix")
# All that a header takes.
_TOKEN = re.compile(r"[!-~]+")


def _config(settings: Settings, _seeds: t.Sequence[str], _layout: Layout | None) -> Tree:
    return {
        "k8s": {
            # EMQX puts a slash and the path after it.
            "apiserver": settings.k8s_apiserver.rstrip("/"),
            "service_name": settings.k8s_service_name,
            "namespace": settings.k8s_namespace,
            "address_type": settings.k8s_address_type,
            "suffix": _suffix(settings),
        }
    }


def _suffix(settings: Settings) -> str:
    return settings.k8s_suffix or _SUFFIXES.get(settings.k8s_address_type, "")


def _check(nodes: t.Sequence[Node], settings: Settings) -> Findings:
    yield from _name_findings(settings)
    yield from _api_findings(settings)
    yield from _token_findings(settings.k8s_token)
    yield from _node_findings(nodes, settings)


def _name_findings(settings: Settings) -> Findings:
    for variable, value, form in (
        ("emqx_k8s_service_name", settings.k8s_service_name, _NAME),
        ("emqx_k8s_namespace", settings.k8s_namespace, _NAME),
        ("emqx_k8s_suffix", _suffix(settings), _DOMAIN),
    ):
        if not form.fullmatch(value) and (value or form is _NAME):
            parts = ", '-' and '.'" if form is _DOMAIN else " and '-'"
            yield Finding(
                "bad_k8s_name",
                f"small letters, digits{parts}, as names in Kubernetes are made of",
                repr(value),
                "write the name that kubectl shows",
                subject=variable,
            )


def _api_findings(settings: Settings) -> Findings:
    server, token, ca = settings.k8s_apiserver, settings.k8s_token, settings.k8s_ca
    subject = "emqx_k8s_apiserver"
    if not _URL.fullmatch(server):
        yield Finding(
            "no_k8s_apiserver",
            "the URL of the Kubernetes API such as https://k8s.example.org:6443",
            server or "none",
            "set it, EMQX's own default resolves inside a pod only",
            subject=subject,
        )
    if ca and not token:
        yield Finding(
            "k8s_ca_without_token",
            "emqx_k8s_token and emqx_k8s_ca, or neither",
            "only emqx_k8s_ca",
            "set both, as they are put in place together",
            subject="emqx_k8s_token",
        )
    elif ca and named_by_address(server):
        yield Finding(
            "k8s_ca_with_address",
            "a name with emqx_k8s_ca, as EMQX compares no address with a certificate",
            server,
            "write a name that the certificate of the API has, and that all hosts resolve",
            subject=subject,
        )
    if token and not server.startswith("https:"):
        yield Finding(
            "k8s_without_tls",
            "https, as the nodes show their token there",
            server or "none",
            "write the URL with https, else whoever listens has the token",
            subject=subject,
            severity=WARNING,
        )
    elif token and not ca:
        yield Finding(
            "k8s_not_verified",
            "the CA certificate that signed that of the Kubernetes API",
            "none",
            "set it, else whoever answers in place of the API has the token and names the members",
            subject="emqx_k8s_ca",
            severity=WARNING,
        )


def _node_findings(nodes: t.Sequence[Node], settings: Settings) -> Findings:
    kind, namespace = settings.k8s_address_type, settings.k8s_namespace
    ends = {
        "dns": f".{namespace}.{_suffix(settings)}",
        "hostname": f".{settings.k8s_service_name}.{namespace}.{_suffix(settings)}",
    }
    for node in nodes:
        if kind == "ip" and not node.host_is_ip:
            part = "the IP address of its endpoint"
        elif kind in ends and not node.host.endswith(ends[kind]):
            part = f"a name that ends in {ends[kind]}"
        else:
            continue
        yield Finding(
            "k8s_name_form",
            f"{part} after the @ with emqx_k8s_address_type {kind}",
            node.name,
            f"set emqx_node_address of {node.inventory_host} to it, or change "
            "emqx_k8s_address_type",
            (node.inventory_host,),
            "emqx_node_name",
        )


def _token_findings(token: str) -> Findings:
    if token and not _TOKEN.fullmatch(token.strip()):
        yield Finding(
            "bad_k8s_token",
            "the token of a ServiceAccount, of visible ASCII characters only",
            "one with a blank, a line break or the like" if token.strip() else "blanks only",
            "write it on one line, as kubectl create token prints it",
            subject="emqx_k8s_token",
        )


def _check_texts(_settings: Settings, texts: Texts) -> Findings:
    ca = texts.get("emqx_k8s_ca", "")
    if ca:
        yield from checks_pem.certificates("emqx_k8s_ca", ca)


def _files(settings: Settings, layout: Layout, texts: Texts) -> t.Iterator[ManagedFile]:
    if settings.k8s_token:
        yield ManagedFile(
            layout.kubernetes_files["token"],
            settings.k8s_token.strip(),
            owner=layout.user,
            group=layout.user,
            mode="0600",
            secret=True,
        )
    if settings.k8s_token and settings.k8s_ca:
        content = f"{texts.get('emqx_k8s_ca', '').strip()}\n"
        yield ManagedFile(layout.kubernetes_files["ca"], content, group=layout.user, mode="0640")


def _service_account(settings: Settings, layout: Layout) -> str:
    return layout.kubernetes if settings.k8s_token else ""


STRATEGY = Strategy(
    "k8s",
    variables={f"cluster.k8s.{key}": f"emqx_k8s_{key}" for key in _KEYS},
    asks_service=True,
    same_short_names=True,
    config=_config,
    check=_check,
    check_texts=_check_texts,
    files=_files,
    service_account=_service_account,
    foreign=frozenset({"endpoint_of_nobody"}),
    brought=frozenset({"k8s_file", "no_token"}),
    asked_by_files=frozenset({"k8s_other_ca", "unauthorized", "forbidden"}),
    to_come=frozenset({"no_service", "no_endpoint", "endpoint_not_ready"}),
)
