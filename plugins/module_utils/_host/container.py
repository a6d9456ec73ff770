# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A node in a container: how it is started, and what a container engine says of its parts.

Paths, user and entry point are those of the vendor's images (EMQX 5.0 to 6.3, deploy/docker). The
entry point names the node and switches RPC to manual port discovery unless the environment says
otherwise, and the environment wins over emqx.conf: both are always given.
"""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)

ROOT = "/opt/emqx"
REGISTRY = "docker.io/emqx"
# The name under which an image from an archive is kept besides its own, to know it again.
MARK = "localhost/mqttops-emqx-archive"
_LABEL = "mqttops.emqx.version"
_STOP_SECONDS = 120


def image(wanted: str, package: str, version: str) -> str:
    """Return the image of a release: what is wanted, else the vendor's.

    >>> image("", "emqx", "5.8.9")
    'docker.io/emqx/emqx:5.8.9'
    """
    return wanted or f"{REGISTRY}/{package}:{version}"


def mark(sha256: str) -> str:
    """Return the second name of an image that comes from the archive with this checksum.

    >>> mark("AB12")
    'localhost/mqttops-emqx-archive:ab12'
    """
    return f"{MARK}:{sha256.lower()}"


def plan(wish: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return how the container of a node is started and stopped.

    ``wish`` holds ``engine`` (podman or docker), ``name``, ``image``, ``version``, ``network``
    (host, or the name of one on this host), ``ports`` to publish from the latter, ``alias`` (the
    node's name there, "" for an address), ``options`` of the user, ``node_name``,
    ``rpc_port_discovery``, ``environment`` (names only: the values are those of the unit),
    ``nofile``, and of the host ``etc``, ``files`` (names in it), ``folders`` (that EMQX reads under
    the same path), ``service_account`` (what the node shows to Kubernetes, "" for nothing),
    ``data`` and ``log``.

    The result has ``start``, the quoted arguments of ExecStart; ``stop`` and ``remove``, whole
    commands; and ``check``, the container in which node_config has a configuration judged.
    """
    engine, name = f"/usr/bin/{wish['engine']}", wish["name"]
    account = wish["service_account"]
    variables = [
        f"--env=EMQX_NODE_NAME={wish['node_name']}",
        f"--env=EMQX_RPC__PORT_DISCOVERY={wish['rpc_port_discovery']}",
        *(f"--env={key}" for key in sorted(wish["environment"])),
    ]
    volumes = [
        *(f"{wish['etc']}/{file}:{ROOT}/etc/{file}:ro,z" for file in wish["files"]),
        *(f"{folder}:{folder}:ro,z" for folder in wish["folders"]),
        *([f"{account}:{SERVICE_ACCOUNT}:ro,z"] if account else []),
        f"{wish['data']}:{ROOT}/data:z",
        f"{wish['log']}:{ROOT}/log:z",
    ]
    # Docker cannot hand on the limits that systemd gives it.
    limits = "host" if wish["engine"] == "podman" else f"nofile={wish['nofile']}:{wish['nofile']}"
    start = [
        "run",
        "--rm",
        f"--name={name}",
        f"--label={_LABEL}={wish['version']}",
        # What EMQX prints goes to the journal of the unit, and nowhere else.
        "--log-driver=none",
        f"--ulimit={limits}",
        f"--stop-timeout={_STOP_SECONDS}",
        *_network(wish),
        *variables,
        *(f"--volume={volume}" for volume in volumes),
        *wish["options"],
        wish["image"],
    ]
    return {
        "start": [engine, *map(quoted, start)],
        "stop": f"{engine} stop --time={_STOP_SECONDS} {name}",
        "remove": f"{engine} rm --force --volumes {name}",
        "check": {
            "run": [engine, "run", "--rm", "--network=none", *variables, *wish["options"]],
            "volumes": volumes,
            "image": wish["image"],
        },
    }


def _network(wish: t.Mapping[str, t.Any]) -> list[str]:
    arguments = [f"--network={wish['network']}"]
    if wish["network"] != "host":
        if wish["alias"]:
            # To itself it is not what a name server, or the host's own file, says of the host.
            arguments += [
                f"--network-alias={wish['alias']}",
                f"--add-host={wish['alias']}:127.0.0.1",
            ]
        arguments += [f"--publish={_published(port)}" for port in wish["ports"]]
    return arguments


def _published(port: t.Any) -> str:
    return str(port) if ":" in str(port) else f"{port}:{port}"


def quoted(argument: str) -> str:
    """Return an argument as a systemd unit takes it literally.

    >>> quoted('--env=A="100%" of $B')
    '"--env=A=\\\\"100%%\\\\" of $$B"'
    """
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'


def unit_version(text: str) -> str:
    """Return the EMQX version that a unit of ours starts in a container, "" for another unit."""
    found = re.search(rf"--label={re.escape(_LABEL)}=([0-9A-Za-z.-]+)", text)
    return found.group(1) if found else ""


def parse_image(stdout: str) -> dict[str, t.Any]:
    """Return ``id`` and ``names`` from `image inspect`, empty where there is no such image."""
    found = _first(stdout)
    return {"id": str(found.get("Id", "")), "names": list(found.get("RepoTags") or [])}


def parse_network(stdout: str) -> list[str] | None:
    """Return the subnets from `network inspect`, None where there is no such network."""
    found = _first(stdout)
    if not found:
        return None
    # Podman with netavark, Podman with CNI, Docker.
    plugins = found.get("plugins") or []
    ranges = [item for plugin in plugins for group in _ranges(plugin) for item in group]
    entries = [
        *(found.get("subnets") or []),
        *ranges,
        *((found.get("IPAM") or {}).get("Config") or []),
    ]
    return [str(entry.get("subnet") or entry.get("Subnet")) for entry in entries]


def _ranges(plugin: t.Mapping[str, t.Any]) -> t.Any:
    return (plugin.get("ipam") or {}).get("ranges") or []


def _first(stdout: str) -> dict[str, t.Any]:
    try:
        shown = json.loads(stdout)
    except ValueError:
        return {}
    found = shown[0] if isinstance(shown, list) and shown else shown
    return found if isinstance(found, dict) else {}


Problem = t.Tuple[str, str, str, str, str]


def problems(found: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any]) -> t.Iterator[Problem]:
    """Yield code, variable, expected, found and remedy of what speaks against a container.

    ``found`` is what host_info says of the engine and its parts; ``wish`` holds ``engine``,
    ``network``, ``subnet``, ``address`` (the host part of the node's name where that is an IP
    address, else "") and ``firewall`` (the back end that is at work).
    """
    if wish["engine"] == "docker" and not found["engine"]:
        yield (
            "no_docker",
            "emqx_container_engine",
            "Docker on the host, as emqx_container_engine is docker",
            "no /usr/bin/docker",
            "install Docker, which this playbook leaves to you, or set emqx_container_engine to "
            "podman, which it installs",
        )
    if wish["network"] == "host":
        return
    if wish["address"]:
        yield (
            "container_address",
            "emqx_node_address",
            "a FQDN with a container network: a container reaches itself by a name of its own on "
            "that network, but by the address of its host not with all engines",
            wish["address"],
            "set emqx_node_address to a FQDN that the other members resolve to the host, or "
            "emqx_container_network to host",
        )
    if not _is_network(wish["subnet"]):
        yield (
            "container_subnet",
            "emqx_container_subnet",
            "an IPv4 network such as 10.213.0.0/24",
            wish["subnet"],
            "correct it",
        )
    elif found["network"] is not None and wish["subnet"] not in found["network"]:
        yield (
            "container_subnet",
            "emqx_container_subnet",
            f"the subnet {wish['subnet']} of the container network {wish['network']}",
            " and ".join(found["network"]) or "none",
            "set emqx_container_subnet to it, or choose another emqx_container_network",
        )
    if wish["firewall"] in ("firewalld", "ufw"):
        yield (
            "published_ports",
            "emqx_firewall_backend",
            "nftables or none with a container network, as published ports pass by firewalld and "
            "ufw and would be open to everyone",
            wish["firewall"],
            "set emqx_firewall_backend to nftables, which works beside it, or "
            "emqx_container_network to host",
        )


def _is_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True
