# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the modules that read a host are asked, from the settings of the host."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import package_of
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge import checks_files
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import (
    container,
    release,
    saves,
    tuning,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import nftables
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import plan as firewall

Options = Json
PACKAGE_UNIT = "emqx.service"
PACKAGE_UNIT_AT_BOOT = f"/etc/systemd/system/multi-user.target.wants/{PACKAGE_UNIT}"


def host_info(settings: Settings, layout: Layout, upgrade: bool = False) -> Options:
    """Return the options of host_info: all that a deployment needs to know of a host, and what an
    upgrade does besides."""
    named = checks_files.looked_at(settings, layout)
    files = [*layout.watched, *firewall.WATCHED, *tuning.WATCHED, *named]
    if layout.instanced:
        files.append(PACKAGE_UNIT_AT_BOOT)
    return {
        "packages": ["emqx-enterprise", "emqx"],
        "package_file": settings.package if settings.package_source == "host" else "",
        "root_dir": settings.root_dir,
        "files": files,
        "service": layout.unit,
        "boot_files": list(layout.boot_files),
        "boot_record": layout.boot_record,
        "data_dir": layout.data,
        "package_data_dir": layout.installed_data if layout.instanced else None,
        "disks": sorted({layout.etc, layout.disk, layout.data}),
        "container": _container(settings),
        "sysctls": list(tuning.keys(settings)),
        "nft_table": nftables.TABLE,
        "certificates": dict(layout.certificates_in_use),
        "firewall_zones": list(settings.firewall_zones),
        "upgrade": _upgrade(settings, layout) if upgrade else {},
    }


def _upgrade(settings: Settings, layout: Layout) -> Options:
    return {
        "place": saves.place(settings, layout),
        "trees": list(saves.trees(layout)),
        "downloads": settings.download_dir,
    }


def _container(settings: Settings) -> Options:
    if not settings.in_container:
        return {}
    package = package_of(release.edition(settings), settings.version)
    return {
        "engine": settings.container_engine,
        "image": container.image(settings.image, package, settings.version),
        "network": settings.container_network,
    }


def cluster_info(layout: Layout) -> Options:
    """Return the options of cluster_info: the node's view."""
    return {
        "command": list(layout.argv),
        "user": layout.argv_user,
        "certificates": dict(layout.certificates_in_use),
    }


def evidence_info(settings: Settings, layout: Layout, node: Record, salt: str) -> Options:
    """Return the options of evidence_info: what tells why a node does not run."""
    ports = [node["dist_port"], node["rpc_port"], *node["listener_ports"], *node["dashboard_ports"]]
    return {
        "etc_dir": layout.etc,
        "data_dir": layout.data,
        "log_dir": layout.log,
        "release_dirs": ["/usr/lib/emqx", settings.root_dir],
        "environment_file": layout.environment,
        "service": layout.unit,
        "user": layout.user,
        "ports": sorted(set(ports)),
        "boot_files": list(layout.boot_files),
        "boot_record": layout.boot_record,
        "salt": salt,
        "detail": settings.support_bundle != "",
    }


def cluster_probe(plan: Record, host: str, forks: int) -> Options:
    """Return the options of cluster_probe: the links of a host to all nodes. Where all hosts of the
    run try theirs at the same time, they wait for one another."""
    cluster, together = plan["cluster"], len(plan["in_run"])
    return {
        "node": cluster["names"][host],
        "nodes": list(cluster["nodes"].values()),
        "ipv6": cluster["ipv6"],
        "expected_peers": together if forks >= together else 0,
    }
