# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A node in a container: how it is started, stopped and asked, and what it needs of its host.

Paths, user and entry point are those of the vendor's images (EMQX 5.0 to 6.3, deploy/docker). The
entry point names the node and switches RPC to manual port discovery unless the environment says
otherwise, and the environment wins over emqx.conf: both are always given.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._host.container import LABEL
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Layout,
    Node,
    Release,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.cluster_files import (
    has_cluster_files,
    has_service_account,
)

IMAGE_ROOT = "/opt/emqx"
REGISTRY = "docker.io/emqx"
# The name under which an image from an archive is kept besides its own, to know it again.
MARK = "localhost/mqttops-emqx-archive"
_STOP_SECONDS = 120
_DEFAULT_NOFILE = 1048576


@dataclass(frozen=True)
class ContainerCheck:
    """The container in which a configuration is judged: ``run`` is the command up to the volumes,
    ``volumes`` are those of the node."""

    run: Texts
    volumes: Texts
    image: str


@dataclass(frozen=True)
class ContainerPlan:
    """``start`` is the command and the arguments of ExecStart, quoted for a unit; ``stop`` and
    ``remove`` are whole commands."""

    start: Texts
    stop: str
    remove: str
    check: ContainerCheck


def image(given: str, package: str, version: str) -> str:
    """Return the image of a release: the one given, else the vendor's.

    >>> image("", "emqx", "5.8.9")
    'docker.io/emqx/emqx:5.8.9'
    """
    return given or f"{REGISTRY}/{package}:{version}"


def mark(sha256: str) -> str:
    """Return the second name of an image that comes from the archive with this checksum.

    >>> mark("AB12")
    'localhost/mqttops-emqx-archive:ab12'
    """
    return f"{MARK}:{sha256.lower()}"


def open_files_limit(settings: Settings) -> int:
    """Return the limit of open files of the node's process."""
    return settings.tuning_nofile if settings.tuning_enabled else _DEFAULT_NOFILE


def plan(
    settings: Settings, node: Node, layout: Layout, release: Release, image_id: str
) -> ContainerPlan:
    """Return how the container of a node is started and stopped.

    ``image_id`` is that of the release's image on the host, "" before it is known: a node runs by
    the ID, as its name may come to stand for another image.
    """
    engine, name = f"/usr/bin/{settings.container_engine}", settings.container_name
    started_from = image_id or release.image
    variables = (
        f"--env=EMQX_NODE_NAME={node.name}",
        f"--env=EMQX_RPC__PORT_DISCOVERY={settings.rpc_port_discovery}",
        # By name: the values are those of the unit.
        *(f"--env={key}" for key in sorted(settings.environment)),
    )
    volumes = tuple(_volumes(settings, layout))
    limit = open_files_limit(settings)
    # Docker cannot hand on the limits that systemd gives it.
    limits = "host" if settings.container_engine == "podman" else f"nofile={limit}:{limit}"
    start = (
        "run",
        "--rm",
        f"--name={name}",
        f"--label={LABEL}={release.version}",
        # What EMQX prints goes to the journal of the unit, and nowhere else.
        "--log-driver=none",
        f"--ulimit={limits}",
        f"--stop-timeout={_STOP_SECONDS}",
        *_network(settings, node),
        *variables,
        *(f"--volume={volume}" for volume in volumes),
        *settings.container_options,
        started_from,
    )
    run = (engine, "run", "--rm", "--network=none", *variables, *settings.container_options)
    return ContainerPlan(
        start=(engine, *map(quoted, start)),
        stop=f"{engine} stop --time={_STOP_SECONDS} {name}",
        remove=f"{engine} rm --force --volumes {name}",
        check=ContainerCheck(run=run, volumes=volumes, image=started_from),
    )


def _volumes(settings: Settings, layout: Layout) -> t.Iterator[str]:
    yield f"{layout.etc}/emqx.conf:{IMAGE_ROOT}/etc/emqx.conf:ro,z"
    if settings.base_config:
        yield f"{layout.etc}/base.hocon:{IMAGE_ROOT}/etc/base.hocon:ro,z"
    if settings.dist_tls:
        yield f"{layout.etc}/ssl_dist.conf:{IMAGE_ROOT}/etc/ssl_dist.conf:ro,z"
    # What emqx.conf refers to lies in the container where it lies on the host.
    if settings.tls:
        yield f"{layout.tls}:{layout.tls}:ro,z"
    if has_cluster_files(settings):
        yield f"{layout.cluster}:{layout.cluster}:ro,z"
    if has_service_account(settings):
        yield f"{layout.kubernetes}:{SERVICE_ACCOUNT}:ro,z"
    yield f"{layout.data}:{IMAGE_ROOT}/data:z"
    yield f"{layout.log}:{IMAGE_ROOT}/log:z"


def _network(settings: Settings, node: Node) -> t.Iterator[str]:
    yield f"--network={settings.container_network}"
    if not settings.bridged:
        return
    if not node.host_is_ip:
        # To itself it is not what a name server, or the host's own file, says of the host.
        yield f"--network-alias={node.host}"
        yield f"--add-host={node.host}:127.0.0.1"
    for port in settings.container_ports or _ports(node):
        yield f"--publish={_published(port)}"


def _ports(node: Node) -> Texts:
    """Return all ports of a node as the engine takes them, such as 1883 and 14567/udp.

    Listeners on an address are published, too: it is one of the container, not of the host.
    """
    listeners = [listener for listener in node.listeners if listener.enabled]
    ports = [f"{port}" for port in (node.dist_port, node.rpc_port)]
    ports += [f"{each.port}{_SUFFIX[each.protocol]}" for each in listeners]
    if not node.listeners:
        ports += [f"{port}" for port in (*node.listener_ports, *node.dashboard_ports)]
    return tuple(dict.fromkeys(ports))


_SUFFIX = {"tcp": "", "udp": "/udp"}


def _published(port: str) -> str:
    """Return what --publish takes: a port alone is the same outside and inside.

    >>> _published("14567/udp")
    '14567:14567/udp'
    """
    return port if ":" in port else f"{port.partition('/')[0]}:{port}"


def quoted(argument: str) -> str:
    """Return an argument as a systemd unit takes it literally.

    >>> quoted('--env=A="100%" of $B')
    '"--env=A=\\\\"100%%\\\\" of $$B"'
    """
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'


def findings(settings: Settings, host: HostState, node: Node) -> list[Finding]:
    """Return what is wrong with a node's container on its host; none for other deployments."""
    if not settings.in_container:
        return []
    found = [*_engine_findings(settings, host)]
    if settings.bridged:
        found += _address_findings(node)
        found += _subnet_findings(settings, host)
    return [replace(finding, hosts=(node.inventory_host,)) for finding in found]


def _engine_findings(settings: Settings, host: HostState) -> t.Iterator[Finding]:
    if settings.container_engine == "docker" and not host.container.get("engine"):
        yield Finding(
            "no_docker",
            "Docker on the host, as emqx_container_engine is docker",
            "no /usr/bin/docker",
            "install Docker, which this playbook leaves to you, or set emqx_container_engine to "
            "podman, which it installs",
            subject="emqx_container_engine",
        )


def _address_findings(node: Node) -> t.Iterator[Finding]:
    if node.host_is_ip:
        yield Finding(
            "container_address",
            "a FQDN with a container network: a container reaches itself by a name of its own on "
            "that network, but by the address of its host not with all engines",
            node.host,
            "set emqx_node_address to a FQDN that the other members resolve to the host, or "
            "emqx_container_network to host",
            subject="emqx_node_address",
        )


def _subnet_findings(settings: Settings, host: HostState) -> t.Iterator[Finding]:
    subnet, network = settings.container_subnet, host.container.get("network")
    if not _is_network(subnet):
        yield Finding(
            "container_subnet",
            "an IPv4 network such as 10.213.0.0/24",
            subnet,
            "correct it",
            subject="emqx_container_subnet",
        )
    elif network is not None and subnet not in network:
        yield Finding(
            "container_subnet",
            f"the subnet {subnet} of the container network {settings.container_network}",
            " and ".join(network) or "none",
            "set emqx_container_subnet to it, or choose another emqx_container_network",
            subject="emqx_container_subnet",
        )


def _is_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True
