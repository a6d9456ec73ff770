# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the module host_info reads for the phases that deploy: its options, and the answer."""

from __future__ import annotations

import os

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms
from ansible_collections.mqttops.emqx.plugins.module_utils._host import (
    certificates,
    containers,
    firewalls,
    network,
    packages,
    places,
    saved,
    services,
    storage,
    sysctls,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import file_state, read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import RunCommand, runner
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options, Record

OPTIONS: Options = {
    "packages": {"type": "list", "elements": "str", "default": ["emqx-enterprise", "emqx"]},
    "package_file": {"type": "path"},
    "root_dir": {"type": "path", "default": "/opt/emqx"},
    "files": {"type": "list", "elements": "path", "default": []},
    "service": {"type": "str", "default": "emqx.service"},
    "boot_files": {"type": "list", "elements": "path", "default": []},
    "boot_record": {"type": "path", "default": "/run/mqttops-emqx/emqx"},
    "data_dir": {"type": "path", "default": "/var/lib/emqx"},
    "package_data_dir": {"type": "path"},
    "container": {"type": "dict", "default": {}},
    "disks": {"type": "list", "elements": "path", "default": []},
    "sysctls": {"type": "list", "elements": "str", "default": []},
    "nft_table": {"type": "str", "default": "mqttops_emqx"},
    "firewall_zones": {"type": "list", "elements": "str", "default": []},
    "certificates": {"type": "dict", "default": {}},
    "upgrade": {"type": "dict", "default": {}},
}


def _os_release() -> str:
    # os-release(5): the second one counts where the first is not there.
    return read_text("/etc/os-release") or read_text("/usr/lib/os-release") or ""


def read(params: Record, run_command: RunCommand) -> Json:
    """Return the answer of the module: ``host``. ``run_command`` is that of AnsibleModule."""
    run = runner(run_command)
    os_release = platforms.parse_os_release(_os_release())
    platform = platforms.platform(os_release, os.uname().machine)
    service, record = params["service"], params["boot_record"]
    unit = services.service(run, service)
    container = containers.container(run, params["container"], service)
    texts = {path: read_text(path) for path in params["boot_files"]}
    own_data = params["package_data_dir"]
    host = {
        "platform": platform,
        "addresses": network.addresses(run, container["network"] or ()),
        "package": packages.package(run, params["packages"], platform["format"]),
        "package_file": packages.package_file(params["package_file"] or ""),
        "release": packages.release_version(params["root_dir"]),
        "container": container,
        "files": {path: file_state(path) for path in params["files"]},
        "service": unit,
        "stale": services.stale_boot_files(texts, record) if unit["active"] else [],
        "places": places.read(service, record),
        "data_nodes": storage.data_nodes(params["data_dir"]),
        "package_nodes": storage.data_nodes(own_data) if own_data else [],
        "disks": {path: storage.free_bytes(path) for path in params["disks"]},
        "sysctls": sysctls.read(params["sysctls"]),
        "nft": firewalls.nft_revision(run, params["nft_table"]),
        "firewall": firewalls.firewall(run, params["firewall_zones"]),
        "certificates": certificates.certificates(run, params["certificates"]),
        "upgrade": saved.read(params["upgrade"]),
    }
    return {"host": host}
