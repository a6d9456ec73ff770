# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The public variables of the role emqx as one host has them, as types."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Texts = t.Tuple[str, ...]
Numbers = t.Tuple[int, ...]
Keys = t.Mapping[str, t.Any]

PHASES: Texts = (
    "preflight",
    "install",
    "tuning",
    "firewall",
    "tls",
    "configure",
    "service",
    "membership",
)


def _sysctl() -> Keys:
    """Return the kernel values of the EMQX 5.8 documentation, performance tuning."""
    return {
        "fs.file-max": 2097152,
        "fs.nr_open": 2097152,
        "net.core.netdev_max_backlog": 16384,
        "net.core.optmem_max": 16777216,
        "net.core.rmem_default": 262144,
        "net.core.rmem_max": 16777216,
        "net.core.somaxconn": 32768,
        "net.core.wmem_default": 262144,
        "net.core.wmem_max": 16777216,
        "net.ipv4.ip_local_port_range": "1024 65535",
        "net.ipv4.tcp_fin_timeout": 15,
        "net.ipv4.tcp_max_syn_backlog": 16384,
        "net.ipv4.tcp_max_tw_buckets": 1048576,
        "net.ipv4.tcp_rmem": "1024 4096 16777216",
        "net.ipv4.tcp_wmem": "1024 4096 16777216",
        "net.netfilter.nf_conntrack_max": 1000000,
        "net.netfilter.nf_conntrack_tcp_timeout_time_wait": 30,
    }


@dataclass(frozen=True)
class Settings:
    """A field for each variable, without its prefix ``emqx_``; meta/argument_specs.yml of the role
    describes them, and a test compares fields, types and defaults with it.

    ``reading.read`` makes one from what a user wrote. There "" in rpc_port_discovery,
    container_name, etcd_prefix, cookie_file, backup_dir and tls_ca_dir has become what it stands
    for, and rpc_tls follows dist_tls unless it is set; new_cookie is false where a cookie is given,
    else cookie_file is the place of the new one.
    """

    cluster_hosts: Texts = ()
    cluster_name: str = "emqxcl"
    discovery_strategy: str = "static"
    dns_name: str = ""
    dns_record_type: str = "a"
    etcd_servers: Texts = ()
    etcd_ca: str = ""
    etcd_certificate: str = ""
    etcd_key: str = ""
    etcd_prefix: str = ""
    etcd_clean_keys: bool = False
    k8s_apiserver: str = ""
    k8s_service_name: str = "emqx"
    k8s_namespace: str = "default"
    k8s_address_type: str = "ip"
    k8s_suffix: str = ""
    k8s_token: str = ""
    k8s_ca: str = ""
    proto_dist: str = "inet_tcp"
    dist_tls: bool = False
    rpc_tls: bool = False
    tls_certificate: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    tls_ca_dir: str = ""
    tls_ca_passphrase: str = ""
    tls_ca_days: int = 3650
    tls_days: int = 825
    tls_renew_days: int = 30
    rpc_port_discovery: str = ""
    rpc_server_port: int = 5369
    node_name: str = ""
    node_address: str = ""
    node_addresses: Texts = ()
    node_role: str = "core"
    server: str = ""
    instance: int = 0
    cookie: str = ""
    cookie_file: str = ""
    new_cookie: bool = False
    dashboard_password: str = ""
    dashboard_password_file: str = ""
    version: str = "5.8.9"
    edition: str = ""
    license: str = ""
    deployment: str = "package"
    container_engine: str = "podman"
    image: str = ""
    container_name: str = ""
    container_network: str = "host"
    container_subnet: str = "10.213.0.0/24"
    container_ports: Texts = ()
    container_options: Texts = ()
    package_type: str = "package"
    package_source: str = "download"
    package: str = ""
    package_sha256: str = ""
    download_url: str = ""
    download_dir: str = "/var/cache/mqttops-emqx"
    repository_url: str = ""
    repository_key: str = ""
    root_dir: str = "/opt/emqx"
    data_dir: str = ""
    min_free_mb: int = 1024
    config: Keys = field(default_factory=dict)
    base_config: Keys = field(default_factory=dict)
    environment: Keys = field(default_factory=dict)
    config_validate: bool = True
    preflight_probe: bool = True
    ready_timeout: int = 180
    cluster_timeout: int = 180
    gate_timeout: int = 300
    gate_clients_share: int = 90
    evacuate: bool = True
    evacuate_rate: int = 500
    evacuate_health_check: int = 1
    evacuate_takeover: int = 10
    evacuate_redirect_to: Texts = ()
    evacuate_timeout: int = 600
    restart_since: str = ""
    drain_host: str = ""
    drain_state: str = "stopped"
    recover_from: str = ""
    upgrade_dir: str = "/var/lib/mqttops-emqx/upgrade"
    upgrade_batch: int = 1
    rollback_package: str = ""
    backup_dir: str = ""
    backup_keep: int = 7
    backup_vault_password_file: str = ""
    restore_from: str = ""
    restore_overwrite: bool = False
    allow_full_restart: bool = False
    allow_data_loss: bool = False
    firewall_backend: str = "auto"
    firewall_zones: Texts = ()
    firewall_listener_networks: Texts = ()
    firewall_listener_ports: Numbers = ()
    firewall_dashboard_networks: Texts = ()
    firewall_dashboard_ports: Numbers = ()
    tuning_enabled: bool = True
    tuning_nofile: int = 2097152
    tuning_sysctl: Keys = field(default_factory=_sysctl)
    phases: Texts = PHASES
    plan_only: bool = False
    plan_json: str = ""
    support_bundle: str = ""
    status_format: str = "table"
    status_json: str = ""
    status_strict: bool = False
    report: str = ""
    preflight_json: str = ""
    doctor_json: str = ""
    doctor_strict: bool = False
    new_hosts: Texts = ()
    min_cores: int = 1
    remove_hosts: Texts = ()
    wipe_data: bool = False
    evict_running: bool = False
    dead_host: str = ""
    new_host: str = ""
    rename_host: str = ""
    old_node_name: str = ""

    @property
    def in_container(self) -> bool:
        return self.deployment == "container"

    @property
    def bridged(self) -> bool:
        """Whether the node is in a container on a network of its own."""
        return self.in_container and self.container_network != "host"

    @property
    def tls(self) -> bool:
        """Whether nodes talk TLS to one another."""
        return self.dist_tls or self.rpc_tls

    @property
    def own_ca(self) -> bool:
        """Whether certificates of nodes are signed by a CA that the collection makes."""
        return not (self.tls_certificate or self.tls_key or self.tls_ca)

    @property
    def transport(self) -> str:
        """The value of cluster.proto_dist."""
        over_tls = self.dist_tls and self.proto_dist.endswith("_tcp")
        return self.proto_dist[: -len("tcp")] + "tls" if over_tls else self.proto_dist

    @property
    def license_kind(self) -> str:
        """What is known of the licence without showing it: default, evaluation or given."""
        known = {"": "default", "default": "default", "evaluation": "evaluation"}
        return known.get(self.license, "given")
