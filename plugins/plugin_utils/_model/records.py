# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What crosses the borders of files on the control node: members, nodes, the cluster, a host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record

Texts = t.Tuple[str, ...]
Numbers = t.Tuple[int, ...]


@dataclass(frozen=True)
class Listener:
    """A socket that EMQX opens for clients, by its merged configuration.

    ``name`` is as in ``emqx ctl listeners`` (``tcp:default``, ``dashboard:http``,
    ``stomp:tcp:default``); ``kind`` is mqtt, dashboard, gateway or other; ``protocol`` is tcp or
    udp; ``address`` is "" for all of the host's.
    """

    name: str
    kind: str
    port: int
    protocol: str = "tcp"
    address: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Member:
    """What the variables of an inventory host say of its node, and the addresses read on the host.

    ``management`` is ansible_host, else the inventory name. ``license`` is default, evaluation or
    given, never the key. Empty text means the default everywhere.
    """

    inventory_host: str
    management: str = ""
    node_name: str = ""
    node_address: str = ""
    node_addresses: Texts = ()
    node_role: str = "core"
    server: str = ""
    instance: int = 0
    rpc_port_discovery: str = ""
    rpc_server_port: int = 0
    version: str = ""
    license: str = "default"
    listeners: tuple[Listener, ...] = ()
    listener_ports: Numbers = ()
    dashboard_ports: Numbers = ()
    host_addresses: Texts = ()


@dataclass(frozen=True)
class Node:
    """A node of the cluster: its name and what follows from it.

    ``offset`` is the number at the end of the name's first part as ports count it; ``rpc_port`` is
    the one in use. ``addresses`` are those by which peers see it. ``ip_version`` is 4, 6, or 0 for
    a name on a FQDN. ``listener_ports`` and ``dashboard_ports`` are those that the firewall keeps.
    """

    name: str
    short_name: str
    host: str
    inventory_host: str
    server: str
    role: str
    offset: int
    dist_port: int
    rpc_port: int
    rpc_port_stateless: int
    rpc_port_manual: int
    addresses: Texts
    host_is_ip: bool
    ip_version: int
    version: str
    license: str
    instance: int
    listeners: tuple[Listener, ...]
    listener_ports: Numbers
    dashboard_ports: Numbers


@dataclass(frozen=True)
class Cluster:
    """The model of a cluster: ``nodes`` by inventory host, and node names in the order given.

    ``rpc`` and ``discovery`` are the keys of emqx.conf below rpc and cluster that follow from the
    settings; ``ipv6`` tells whether the nodes talk to one another over IPv6.
    """

    nodes: t.Mapping[str, Node]
    members: Texts
    cores: Texts
    replicants: Texts
    seeds: Texts
    cluster_ports: Numbers
    addresses: Texts
    ipv6: bool
    rpc: Record
    discovery: Record
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Layout:
    """Where everything of a node lies on its host; paths are absolute, "" where there is none.

    ``suffix`` tells an instance's names apart, such as -2. ``installed_*`` are those of what was
    installed, which instances share. ``node_data`` is ``data`` as EMQX sees it. ``user`` owns the
    node's files (a number for the vendor's images); ``argv`` is its command line, run as
    ``argv_user`` ("" for root). ``boot_files`` are what a start reads, ``watched`` what a
    deployment may write. ``code`` are directories of a tar.gz that belong to root alone.
    """

    suffix: str
    installed_root: str
    installed_etc: str
    installed_home: str
    installed_data: str
    disk: str
    etc: str
    data: str
    log: str
    node_data: str
    user: str
    argv: Texts
    argv_user: str
    service: str
    unit: str
    unit_file: str
    unit_argv: str
    own_unit: bool
    drop_in: str
    environment: str
    boot_record: str
    tls: str
    certificates: t.Mapping[str, str]
    certificates_in_use: t.Mapping[str, str]
    cluster: str
    license: str
    etcd: t.Mapping[str, str]
    kubernetes: str
    kubernetes_files: t.Mapping[str, str]
    service_account: str
    instanced: bool
    instance_root: str
    instance_vars: str
    instance_script: str
    instance_command: str
    unit_vars: str
    laid_out: str
    boot_files: Texts
    watched: Texts
    code: Texts = ()


@dataclass(frozen=True)
class Release:
    """What a host installs: ``kind`` is package, tarball or container, ``format`` deb, rpm, tar.gz
    or image. ``location`` is a URL or path, "" for a repository or a registry, and ``path`` where
    the file lies on the host when it is installed. ``installed`` is the version found, "" for
    none, ``installed_package`` its name, "" for a tar.gz. ``mark`` names images from archives,
    tagged by their checksum; ``image_needed`` tells whether it is the image that is missing, and
    not its network."""

    edition: str
    package: str
    version: str
    kind: str
    format: str
    file: str
    source: str
    location: str
    installed: str
    installed_package: str
    needed: bool
    image: str = ""
    mark: str = ""
    image_needed: bool = False
    path: str = ""
    repository_url: str = ""
    repository_key: str = ""


@dataclass(frozen=True)
class ManagedFile:
    """A file as it is to be on a host: all of its content. ``check`` is a command that must accept
    a candidate, with %s for its path; what is ``secret`` shows in no diff."""

    path: str
    content: str = field(repr=False)
    owner: str = "root"
    group: str = "root"
    mode: str = "0644"
    secret: bool = False
    check: Texts = ()


@dataclass(frozen=True)
class Directory:
    path: str
    owner: str = "root"
    group: str = "root"
    mode: str = "0755"


@dataclass(frozen=True)
class FileState:
    """What was found at a path."""

    exists: bool = False
    mode: str = ""
    owner: str = ""
    group: str = ""
    uid: str = ""
    gid: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class ServiceState:
    """A systemd unit: ``waiting`` is for its automatic restart, ``outdated`` means that systemd has
    not read its files of now. ``stopped_at`` is when it was stopped, 0 for not since the boot."""

    exists: bool = False
    enabled: bool = False
    active: bool = False
    waiting: bool = False
    outdated: bool = False
    state: str = ""
    stopped_at: float = 0.0


@dataclass(frozen=True)
class HostState:
    """What the module host_info read on a host; ``unreachable`` is the reason where it could not.

    ``platform``, ``container``, ``sysctls``, ``nft``, ``firewall`` and ``certificates`` are as the
    module documents them; ``running`` is its ``places``: what the node uses now, or used when it
    ran; ``upgrade`` is what an upgrade has to know besides, {} in other runs.
    """

    unreachable: str = ""
    platform: Record = field(default_factory=dict)
    addresses: Texts = ()
    package_name: str = ""
    package_version: str = ""
    package_file: Record = field(default_factory=dict)
    release: str = ""
    container: Record = field(default_factory=dict)
    files: t.Mapping[str, FileState] = field(default_factory=dict)
    service: ServiceState = ServiceState()
    stale: Texts = ()
    data_nodes: Texts = ()
    package_nodes: Texts = ()
    disks: t.Mapping[str, int] = field(default_factory=dict)
    sysctls: Record = field(default_factory=dict)
    nft: Record = field(default_factory=dict)
    firewall: Record = field(default_factory=dict)
    certificates: t.Mapping[str, str] = field(default_factory=dict)
    running: Record = field(default_factory=dict)
    upgrade: Record = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Record) -> HostState:
        """Return what the ``host`` of host_info's answer says, or {"unreachable": reason}."""
        if "unreachable" in answer:
            return cls(unreachable=str(answer["unreachable"]))
        package = answer["package"]
        return cls(
            platform=answer["platform"],
            addresses=tuple(answer["addresses"]),
            package_name=package["name"],
            package_version=package["version"],
            package_file=answer["package_file"],
            release=answer["release"],
            container=answer["container"],
            files={path: FileState(**state) for path, state in answer["files"].items()},
            service=ServiceState(**answer["service"]),
            stale=tuple(answer["stale"]),
            data_nodes=tuple(answer["data_nodes"]),
            package_nodes=tuple(answer["package_nodes"]),
            disks=answer["disks"],
            sysctls=answer["sysctls"],
            running=answer.get("places", {}),
            nft=answer["nft"],
            firewall=answer["firewall"],
            certificates=answer["certificates"],
            upgrade=answer.get("upgrade", {}),
        )

    def file(self, path: str) -> FileState:
        return self.files.get(path, FileState())
