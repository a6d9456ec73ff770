# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the module host_info reads for the phases that deploy: its options, and the answer."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms
from ansible_collections.mqttops.emqx.plugins.module_utils._host import state

OPTIONS: dict[str, t.Any] = {
    "packages": {"type": "list", "elements": "str", "default": ["emqx-enterprise", "emqx"]},
    "package_file": {"type": "path"},
    "root_dir": {"type": "path", "default": "/opt/emqx"},
    "files": {"type": "list", "elements": "path", "default": []},
    "service": {"type": "str", "default": "emqx.service"},
    "boot_files": {"type": "list", "elements": "path", "default": []},
    "boot_record": {"type": "path", "default": "/run/mqttops-emqx/emqx"},
    "data_dir": {"type": "path", "default": "/var/lib/emqx"},
    "container": {"type": "dict", "default": {}},
    "disks": {"type": "list", "elements": "path", "default": []},
    "sysctls": {"type": "list", "elements": "str", "default": []},
    "nft_table": {"type": "str", "default": "mqttops_emqx"},
    "firewall_zones": {"type": "list", "elements": "str", "default": []},
    "certificates": {"type": "dict", "default": {}},
    "names": {"type": "list", "elements": "str", "default": []},
}


def _os_release() -> str:
    # os-release(5): the second one counts where the first is not there.
    return state.read_text("/etc/os-release") or state.read_text("/usr/lib/os-release") or ""


def read(
    params: t.Mapping[str, t.Any], run_command: t.Callable[..., tuple[int, str, str]]
) -> dict[str, t.Any]:
    """Return the answer of the module: ``host``. ``run_command`` is that of AnsibleModule."""
    run = state.runner(run_command)
    os_release = platforms.parse_os_release(_os_release())
    platform = platforms.platform(os_release, os.uname().machine)
    unit = state.service(run, params["service"])
    container = state.container(run, params["container"], params["service"])
    texts = {path: state.read_text(path) for path in params["boot_files"]}
    host = {
        "platform": platform,
        "addresses": state.addresses(run, container["network"] or ()),
        "package": state.package(run, params["packages"], platform["format"]),
        "package_file": state.package_file(params["package_file"] or ""),
        "release": state.release_version(params["root_dir"]),
        "container": container,
        "files": {path: state.file_state(path) for path in params["files"]},
        "service": unit,
        "stale": state.stale_boot_files(texts, params["boot_record"]) if unit["active"] else [],
        "data_nodes": state.data_nodes(params["data_dir"]),
        "disks": {path: state.free_bytes(path) for path in params["disks"]},
        "sysctls": {key: state.sysctl(key) for key in params["sysctls"]},
        "nft": state.nft_revision(run, params["nft_table"]),
        "firewall": state.firewall(run, params["firewall_zones"]),
        "certificates": state.certificates(run, params["certificates"]),
        "resolved": {name: state.resolve(name) for name in params["names"]},
    }
    return {"host": host}
