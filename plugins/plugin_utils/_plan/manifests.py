# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What EMQX's discovery by Kubernetes needs there, as manifests.

Paths, user and entry point of pods are those of the vendor's images (EMQX 5.0 to 6.3,
deploy/docker). All kinds are the same from Kubernetes 1.25 to 1.37, at the least.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery.matching import form
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.ports import (
    DASHBOARD_PORT,
    DIST_BASE_PORT,
    LISTENERS,
    RPC_SERVER_PORT,
)

Manifest = t.Dict[str, t.Any]
Node = t.Mapping[str, t.Any]
Wish = t.Mapping[str, t.Any]

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


def plan(nodes: t.Iterable[Node], wish: Wish) -> dict[str, t.Any]:
    """Return the ``manifests``, in the order of their use, and in ``errors`` what is wrong.

    ``nodes`` are those of the topology. ``wish`` has the keys of cluster.k8s but the API
    (``service_name``, ``namespace``, ``address_type``, ``suffix``), ``service_account``, and
    ``members``: with ``hosts`` the nodes run outside of Kubernetes, and the cores among them become
    the endpoints of a service that selects nothing; ``token_secret`` names the secret in which
    Kubernetes keeps a token for them, "" for none. With ``pods`` the service selects the pods of a
    StatefulSet with ``replicas``, ``image``, ``cookie_secret`` (the secret that has it under
    cookie), ``storage`` and ``storage_class``.
    """
    found = [_account(wish), *_permission(wish)]
    errors: list[str] = []
    if wish["members"] == "pods":
        found += [_service(wish, _PORTS, selects=True), _stateful_set(wish)]
    else:
        cores = [node for node in nodes if node["role"] == "core"]
        # The same of all: so is the part of their names that it follows from.
        ports = {"ekka": cores[0]["dist_port"]} if cores else {}
        found += [_token(wish)] if wish["token_secret"] else []
        found += [_service(wish, ports, selects=False), _endpoints(wish, cores, ports)]
        errors = [message for core in cores for message in _core_errors(wish, core)]
        errors += (
            [] if cores else ["There is no core, expected one or more: put hosts in the group."]
        )
    return {"manifests": found, "errors": errors}


def _manifest(wish: Wish, kind: str, version: str, name: str, **parts: t.Any) -> Manifest:
    metadata = {"name": name, "namespace": wish["namespace"], "labels": _labels(wish)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def _labels(wish: Wish) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "emqx",
        "app.kubernetes.io/instance": wish["service_name"],
        "app.kubernetes.io/managed-by": "mqttops.emqx",
    }


def _account(wish: Wish) -> Manifest:
    return _manifest(wish, "ServiceAccount", "v1", wish["service_account"])


def _permission(wish: Wish) -> list[Manifest]:
    """One object by its name, and nothing but get: EMQX does no more."""
    group = "rbac.authorization.k8s.io"
    account = wish["service_account"]
    name = f"{account}-endpoints"
    rule = {
        "apiGroups": [""],
        "resources": ["endpoints"],
        "resourceNames": [wish["service_name"]],
        "verbs": ["get"],
    }
    subject = {"kind": "ServiceAccount", "name": account, "namespace": wish["namespace"]}
    return [
        _manifest(wish, "Role", f"{group}/v1", name, rules=[rule]),
        _manifest(
            wish,
            "RoleBinding",
            f"{group}/v1",
            name,
            roleRef={"apiGroup": group, "kind": "Role", "name": name},
            subjects=[subject],
        ),
    ]


def _token(wish: Wish) -> Manifest:
    """From Kubernetes 1.24 on an account has no token of its own accord."""
    found = _manifest(wish, "Secret", "v1", wish["token_secret"])
    account = {"kubernetes.io/service-account.name": wish["service_account"]}
    found["metadata"]["annotations"] = account
    return {**found, "type": "kubernetes.io/service-account-token"}


def _service(wish: Wish, ports: t.Mapping[str, int], selects: bool) -> Manifest:
    spec: Manifest = {
        "clusterIP": "None",
        "ports": [{"name": name, "port": port} for name, port in ports.items()],
    }
    if selects:
        # A node that waits for the others is not ready, and the others have to find it.
        spec.update(publishNotReadyAddresses=True, selector=_selector(wish))
    return _manifest(wish, "Service", "v1", wish["service_name"], spec=spec)


def _selector(wish: Wish) -> dict[str, str]:
    labels = _labels(wish)
    return {key: labels[key] for key in labels if not key.endswith("managed-by")}


def _endpoints(wish: Wish, cores: t.Sequence[Node], ports: t.Mapping[str, int]) -> Manifest:
    addresses = [_address(wish, core) for core in cores]
    subset = {
        "addresses": [address for address in addresses if address["ip"]],
        "ports": [{"name": name, "port": port} for name, port in ports.items()],
    }
    subsets = [subset] if subset["addresses"] else []
    return _manifest(wish, "Endpoints", "v1", wish["service_name"], subsets=subsets)


def _address(wish: Wish, core: Node) -> dict[str, str]:
    """Return the address of a core as an Endpoints object has it, with an ip of "" for none."""
    if core["host_is_ip"]:
        return {"ip": str(core["host"])}
    label = str(core["host"]).partition(".")[0]
    if wish["address_type"] == "hostname":
        return {"ip": str(next(iter(core["addresses"]), "")), "hostname": label}
    dashed = (str(each) for each in core["addresses"] if str(each).replace(".", "-") == label)
    return {"ip": next(dashed, "")}


def _core_errors(wish: Wish, core: Node) -> t.Iterator[str]:
    address = _address(wish, core)
    host, name = core["inventory_host"], core["name"]
    if not address["ip"]:
        yield (
            f"Host {host}: no address is known of {core['host']}, expected one for its endpoint: "
            "set emqx_node_addresses of that host."
        )
        return
    entry = {"hostname": "", **address, "ready": True}
    made = form("k8s", wish, str(core["short_name"]), entry)
    if made != name:
        yield (
            f"Host {host}: the node is named {name}, expected {made or 'a hostname'}, as EMQX "
            "makes it of its endpoint: set emqx_node_address to what is after the @, or correct "
            "emqx_k8s_address_type and emqx_k8s_suffix."
        )


def _stateful_set(wish: Wish) -> Manifest:
    pod: Manifest = {
        "serviceAccountName": wish["service_account"],
        "securityContext": {"fsGroup": 1000},
        "terminationGracePeriodSeconds": _STOP_SECONDS,
        "containers": [_container(wish)],
    }
    spec: Manifest = {
        "serviceName": wish["service_name"],
        "replicas": wish["replicas"],
        # A node waits for the others after a full stop, so none may wait for the one before it.
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": _selector(wish)},
        "template": {"metadata": {"labels": _labels(wish)}, "spec": pod},
    }
    # Data belong to a name, and a pod has another address after each start.
    if wish["address_type"] == "hostname":
        spec["volumeClaimTemplates"] = [_volume(wish)]
    else:
        pod["volumes"] = [{"name": "data", "emptyDir": {}}]
    return _manifest(wish, "StatefulSet", "apps/v1", wish["service_name"], spec=spec)


def _volume(wish: Wish) -> Manifest:
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": wish["storage"]}},
    }
    if wish["storage_class"]:
        spec["storageClassName"] = wish["storage_class"]
    return {"metadata": {"name": "data"}, "spec": spec}


def _container(wish: Wish) -> Manifest:
    keys = ("service_name", "namespace", "address_type", "suffix")
    settings = {
        "EMQX_CLUSTER__DISCOVERY_STRATEGY": "k8s",
        "EMQX_CLUSTER__K8S__APISERVER": _API,
        **{f"EMQX_CLUSTER__K8S__{key.upper()}": wish[key] for key in keys if wish[key]},
    }
    cookie = {"secretKeyRef": {"name": wish["cookie_secret"], "key": "cookie"}}
    ready = {"httpGet": {"path": "/status", "port": "dashboard"}}
    return {
        "name": "emqx",
        "image": wish["image"],
        **_command(wish),
        "env": [
            _field("POD_IP", "status.podIP"),
            _field("POD_NAME", "metadata.name"),
            {"name": "EMQX_HOST", "value": _host(wish)},
            *({"name": name, "value": value} for name, value in settings.items()),
            {"name": "EMQX_NODE__COOKIE", "valueFrom": cookie},
        ],
        "ports": [{"name": name, "containerPort": port} for name, port in _PORTS.items()],
        "readinessProbe": {**ready, "periodSeconds": 5, "failureThreshold": 12},
        "volumeMounts": [{"name": "data", "mountPath": "/opt/emqx/data"}],
    }


def _field(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _host(wish: Wish) -> str:
    """Return what is after the @ of a pod's node, as EMQX forms it of the pod's endpoint."""
    if wish["address_type"] == "hostname":
        return f"$(POD_NAME).{wish['service_name']}.{wish['namespace']}.{wish['suffix']}"
    return "$(POD_IP)"


def _command(wish: Wish) -> Manifest:
    """Kubernetes has no way to write an address with dashes, the shell of the image has."""
    if wish["address_type"] != "dns":
        return {}
    end = f"{wish['namespace']}.{wish['suffix']}"
    script = (
        f'EMQX_HOST="$(echo "$POD_IP" | tr . -).{end}" && export EMQX_HOST '
        "&& exec /usr/bin/docker-entrypoint.sh /opt/emqx/bin/emqx foreground"
    )
    return {"command": ["/bin/sh", "-c", script]}
