# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What EMQX's discovery by Kubernetes needs there, as manifests.

Paths, user and entry point of pods are those of the vendor's images (EMQX 5.0 to 6.3,
deploy/docker). All kinds are the same from Kubernetes 1.25 to 1.37, at the least.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.matching import form
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.ports import (
    DIST_BASE_PORT,
    RPC_SERVER_PORT,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.default_ports import (
    DASHBOARD_PORT,
    LISTENERS,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Node

Manifest = t.Dict[str, t.Any]

# Labels and subdomains of RFC 1123, as the kinds take them.
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAMES = {
    "service_name": _LABEL,
    "namespace": _LABEL,
    "service_account": _SUBDOMAIN,
    "token_secret": _SUBDOMAIN,
    "cookie_secret": _SUBDOMAIN,
}
_CLUSTER_KEYS = ("service_name", "namespace", "address_type", "suffix")

# Names of the vendor's chart. In containers RPC has one port, whatever the node's name.
_PORTS = {
    "mqtt": LISTENERS["tcp"],
    "mqttssl": LISTENERS["ssl"],
    "ws": LISTENERS["ws"],
    "wss": LISTENERS["wss"],
    "dashboard": DASHBOARD_PORT,
    "ekka": DIST_BASE_PORT,
    "ekkarpc": RPC_SERVER_PORT,
}
_API = "https://kubernetes.default.svc:443"
_STOP_SECONDS = 120


@dataclass(frozen=True)
class Kubernetes:
    """What EMQX asks for, as the keys of cluster.k8s have it, and what there is to be for it.

    With the members ``hosts`` the nodes run outside of Kubernetes, and ``token_secret`` names the
    secret in which it keeps a token for them, "" for none. The rest from ``replicas`` on is for
    ``pods``; ``cookie_secret`` is the secret that has the cookie under the key cookie.
    """

    members: str
    service_name: str
    namespace: str
    address_type: str
    suffix: str
    service_account: str
    token_secret: str = ""
    replicas: int = 3
    image: str = ""
    cookie_secret: str = ""
    storage: str = ""
    storage_class: str = ""

    @property
    def cluster_keys(self) -> dict[str, str]:
        return {key: str(getattr(self, key)) for key in _CLUSTER_KEYS}


@dataclass(frozen=True)
class Manifests:
    """The manifests, in the order in which they are to be applied, and what is wrong."""

    manifests: tuple[Manifest, ...]
    findings: tuple[Finding, ...]


def plan(nodes: t.Iterable[Node], settings: Kubernetes) -> Manifests:
    """Return what discovery by Kubernetes needs there.

    With the members ``hosts`` the cores among ``nodes`` become the endpoints of a service that
    selects nothing, with ``pods`` the service selects the pods of a StatefulSet.
    """
    found = [_account(settings), *_permission(settings)]
    wrong = tuple(_setting_findings(settings))
    if settings.members == "pods":
        found += [_service(settings, _PORTS, selects=True), _stateful_set(settings)]
        return Manifests(tuple(found), wrong)
    cores = [node for node in nodes if node.role == "core"]
    # The same of all: so is the part of their names that it follows from.
    ports = {"ekka": cores[0].dist_port} if cores else {}
    found += [_token(settings)] if settings.token_secret else []
    found += [_service(settings, ports, selects=False), _endpoints(settings, cores, ports)]
    findings = [finding for core in cores for finding in _core_findings(settings, core)]
    if not cores:
        remedy = "put hosts in the group"
        findings = [Finding("no_core", "one core or more", "none", remedy)]
    return Manifests(tuple(found), (*wrong, *findings))


def _setting_findings(settings: Kubernetes) -> t.Iterator[Finding]:
    for key, pattern in _NAMES.items():
        name = getattr(settings, key)
        if name and not re.fullmatch(pattern, name):
            yield Finding(
                "k8s_name",
                "a name of Kubernetes: lower-case letters, digits and dashes, 63 at the most",
                repr(name),
                "correct it",
                subject=f"kubernetes_{key}",
            )
    if settings.replicas < 1:
        found, remedy = str(settings.replicas), "correct it"
        yield Finding("k8s_replicas", "1 or more", found, remedy, subject="kubernetes_replicas")


def _manifest(settings: Kubernetes, kind: str, version: str, name: str, **parts: t.Any) -> Manifest:
    metadata = {"name": name, "namespace": settings.namespace, "labels": _labels(settings)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def _labels(settings: Kubernetes) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "emqx",
        "app.kubernetes.io/instance": settings.service_name,
        "app.kubernetes.io/managed-by": "mqttops.emqx",
    }


def _account(settings: Kubernetes) -> Manifest:
    return _manifest(settings, "ServiceAccount", "v1", settings.service_account)


def _permission(settings: Kubernetes) -> list[Manifest]:
    """One object by its name, and nothing but get: EMQX does no more."""
    group = "rbac.authorization.k8s.io"
    account = settings.service_account
    name = f"{account}-endpoints"
    rule = {
        "apiGroups": [""],
        "resources": ["endpoints"],
        "resourceNames": [settings.service_name],
        "verbs": ["get"],
    }
    subject = {"kind": "ServiceAccount", "name": account, "namespace": settings.namespace}
    return [
        _manifest(settings, "Role", f"{group}/v1", name, rules=[rule]),
        _manifest(
            settings,
            "RoleBinding",
            f"{group}/v1",
            name,
            roleRef={"apiGroup": group, "kind": "Role", "name": name},
            subjects=[subject],
        ),
    ]


def _token(settings: Kubernetes) -> Manifest:
    """From Kubernetes 1.24 on an account has no token of its own accord."""
    found = _manifest(settings, "Secret", "v1", settings.token_secret)
    account = {"kubernetes.io/service-account.name": settings.service_account}
    found["metadata"]["annotations"] = account
    return {**found, "type": "kubernetes.io/service-account-token"}


def _service(settings: Kubernetes, ports: t.Mapping[str, int], selects: bool) -> Manifest:
    spec: Manifest = {
        "clusterIP": "None",
        "ports": [{"name": name, "port": port} for name, port in ports.items()],
    }
    if selects:
        # A node that waits for the others is not ready, and the others have to find it.
        spec.update(publishNotReadyAddresses=True, selector=_selector(settings))
    return _manifest(settings, "Service", "v1", settings.service_name, spec=spec)


def _selector(settings: Kubernetes) -> dict[str, str]:
    labels = _labels(settings)
    return {key: labels[key] for key in labels if not key.endswith("managed-by")}


def _endpoints(
    settings: Kubernetes, cores: t.Sequence[Node], ports: t.Mapping[str, int]
) -> Manifest:
    addresses = [_address(settings, core) for core in cores]
    subset = {
        "addresses": [address for address in addresses if address["ip"]],
        "ports": [{"name": name, "port": port} for name, port in ports.items()],
    }
    subsets = [subset] if subset["addresses"] else []
    return _manifest(settings, "Endpoints", "v1", settings.service_name, subsets=subsets)


def _address(settings: Kubernetes, core: Node) -> dict[str, str]:
    """Return the address of a core as an Endpoints object has it, with an ip of "" for none."""
    if core.host_is_ip:
        return {"ip": core.host}
    label = core.host.partition(".")[0]
    if settings.address_type == "hostname":
        return {"ip": next(iter(core.addresses), ""), "hostname": label}
    dashed = (each for each in core.addresses if each.replace(".", "-") == label)
    return {"ip": next(dashed, "")}


def _core_findings(settings: Kubernetes, core: Node) -> t.Iterator[Finding]:
    address = _address(settings, core)
    if not address["ip"]:
        yield Finding(
            "k8s_address",
            f"an address of {core.host} for its endpoint",
            "none",
            "set emqx_node_addresses of that host",
            hosts=(core.inventory_host,),
            subject="emqx_node_addresses",
        )
        return
    entry = {"hostname": "", **address, "ready": True}
    made = form("k8s", settings.cluster_keys, core.short_name, entry)
    if made != core.name:
        yield Finding(
            "k8s_node_name",
            f"{made or 'a hostname'}, as EMQX makes it of its endpoint",
            f"a node named {core.name}",
            "set emqx_node_address to what is after the @, or correct emqx_k8s_address_type and "
            "emqx_k8s_suffix",
            hosts=(core.inventory_host,),
            subject="emqx_node_address",
        )


def _stateful_set(settings: Kubernetes) -> Manifest:
    pod: Manifest = {
        "serviceAccountName": settings.service_account,
        "securityContext": {"fsGroup": 1000},
        "terminationGracePeriodSeconds": _STOP_SECONDS,
        "containers": [_container(settings)],
    }
    spec: Manifest = {
        "serviceName": settings.service_name,
        "replicas": settings.replicas,
        # A node waits for the others after a full stop, so none may wait for the one before it.
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": _selector(settings)},
        "template": {"metadata": {"labels": _labels(settings)}, "spec": pod},
    }
    # Data belong to a name, and a pod has another address after each start.
    if settings.address_type == "hostname":
        spec["volumeClaimTemplates"] = [_volume(settings)]
    else:
        pod["volumes"] = [{"name": "data", "emptyDir": {}}]
    return _manifest(settings, "StatefulSet", "apps/v1", settings.service_name, spec=spec)


def _volume(settings: Kubernetes) -> Manifest:
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": settings.storage}},
    }
    if settings.storage_class:
        spec["storageClassName"] = settings.storage_class
    return {"metadata": {"name": "data"}, "spec": spec}


def _container(settings: Kubernetes) -> Manifest:
    variables = {
        "EMQX_CLUSTER__DISCOVERY_STRATEGY": "k8s",
        "EMQX_CLUSTER__K8S__APISERVER": _API,
        **{
            f"EMQX_CLUSTER__K8S__{key.upper()}": value
            for key, value in settings.cluster_keys.items()
            if value
        },
    }
    cookie = {"secretKeyRef": {"name": settings.cookie_secret, "key": "cookie"}}
    ready = {"httpGet": {"path": "/status", "port": "dashboard"}}
    return {
        "name": "emqx",
        "image": settings.image,
        **_command(settings),
        "env": [
            _field("POD_IP", "status.podIP"),
            _field("POD_NAME", "metadata.name"),
            {"name": "EMQX_HOST", "value": _host(settings)},
            *({"name": name, "value": value} for name, value in variables.items()),
            {"name": "EMQX_NODE__COOKIE", "valueFrom": cookie},
        ],
        "ports": [{"name": name, "containerPort": port} for name, port in _PORTS.items()],
        "readinessProbe": {**ready, "periodSeconds": 5, "failureThreshold": 12},
        "volumeMounts": [{"name": "data", "mountPath": "/opt/emqx/data"}],
    }


def _field(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _host(settings: Kubernetes) -> str:
    """Return what is after the @ of a pod's node, as EMQX forms it of the pod's endpoint."""
    if settings.address_type == "hostname":
        of_service = f"{settings.service_name}.{settings.namespace}.{settings.suffix}"
        return f"$(POD_NAME).{of_service}"
    return "$(POD_IP)"


def _command(settings: Kubernetes) -> Manifest:
    """Kubernetes has no way to write an address with dashes, the shell of the image has."""
    if settings.address_type != "dns":
        return {}
    end = f"{settings.namespace}.{settings.suffix}"
    script = (
        f'EMQX_HOST="$(echo "$POD_IP" | tr . -).{end}" && export EMQX_HOST '
        "&& exec /usr/bin/docker-entrypoint.sh /opt/emqx/bin/emqx foreground"
    )
    return {"command": ["/bin/sh", "-c", script]}
