# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import inspect
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.filter import (
    container_plan,
    pending_files,
    release,
    restart_plan,
    tuning_plan,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import platforms

MODULES = (container_plan, pending_files, release, restart_plan, tuning_plan)
FILTERS: dict[str, t.Callable[..., t.Any]] = {
    name: function
    for module in MODULES
    for name, function in module.FilterModule().filters().items()
}

HOST: dict[str, t.Any] = {
    "platform": platforms.platform({"ID": "debian", "VERSION_ID": "12"}, "x86_64"),
    "package": {"name": "", "version": ""},
    "release": "",
    "container": {
        "engine": False,
        "image": {"id": "", "names": []},
        "network": None,
        "version": "",
    },
    "disks": {"/usr": 1},
    "data_nodes": [],
    "firewall": {
        "active": [],
        "firewalld": {"default_zone": "", "known_zones": [], "zones": {}},
        "ufw": {
            "ipv6": True,
            "v4": {"count": 0, "ours": []},
            "v6": {"count": 0, "ours": []},
        },
    },
    "sysctls": {"net.core.somaxconn": "4096"},
    "files": {
        "/a": {
            "exists": False,
            **dict.fromkeys(("sha256", "owner", "group", "uid", "gid", "mode"), ""),
        }
    },
}
WISH: dict[str, t.Any] = {
    "host": "n1",
    "version": "5.8.9",
    "edition": "",
    "package": "",
    "package_sha256": "",
    "package_source": "download",
    "package_type": "package",
    "deployment": "package",
    "image": "",
    "container_network": "host",
    "download_url": "https://vendor.example",
    "min_free_mb": 1,
    "config": {},
    "base_config": {},
    "environment": {},
    "cookie": "Qm7rT2xw9LkPz4aB",
    "node_name": "emqx@10.0.0.1",
    "data_dir": "/var/lib/emqx",
    "package_stat": {},
    "tls": {"errors": [], "warnings": []},
    "missing_files": {},
    "package_node": "",
    "firewall": {
        "host": "n1",
        "backend": "auto",
        "zones": [],
        "listener_networks": [],
        "container_subnet": "",
        "dashboard_networks": [],
        "members": {"n1": ["10.0.0.1"]},
    },
}
FILES = [{"path": "/a", "content": "x", "owner": "root", "group": "root", "mode": "0644"}]


def test_each_file_holds_the_filter_of_its_name() -> None:
    assert list(FILTERS) == [module.__name__.rpartition(".")[2] for module in MODULES]


def test_release() -> None:
    plan = FILTERS["release"](HOST, WISH)
    assert plan["location"] == "https://vendor.example/5.8.9/emqx-5.8.9-debian12-amd64.deb"
    assert FILTERS["release"]({}, WISH)["needed"] is True


def test_tuning_plan() -> None:
    wanted = {"net.core.somaxconn": 32768}
    assert FILTERS["tuning_plan"](HOST["sysctls"], wanted, [4370]) == {
        "values": {"net.core.somaxconn": "32768"},
        "pending": ["net.core.somaxconn"],
        "skipped": [],
    }


def test_pending_files() -> None:
    assert FILTERS["pending_files"](FILES, HOST["files"]) == ["/a"]
    state = {**FILES[0], "uid": "0", "gid": "0", "sha256": hashlib.sha256(b"x").hexdigest()}
    assert FILTERS["pending_files"](FILES, {"/a": state}) == []


def test_restart_plan() -> None:
    states = {
        host: {"role": "core", "active": True, "stale": ["node.cookie"]} for host in ("n1", "n2")
    }
    assert FILTERS["restart_plan"](states, ["n2"]) == {
        "stop": ["n1", "n2"],
        "start": [],
        "restart": ["n1"],
        "last": ["n2"],
        "replicants": [],
        "cores_start": True,
        "full": True,
        "keys": ["node.cookie"],
    }


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("release", (HOST, {**WISH, "version": "x"}), "emqx_version cannot be used"),
        (
            "tuning_plan",
            ({"fs.file-max": "1"}, {"fs.file-max": "2M"}, []),
            "fs.file-max in emqx_tuning_sysctl",
        ),
        ("pending_files", ([{**FILES[0], "mode": "640"}], HOST["files"]), "mode of /a is '640'"),
    ],
)
def test_wrong_input_is_an_error_that_says_so(
    name: str, arguments: tuple[t.Any, ...], message: str
) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("module", MODULES, ids=FILTERS)
def test_the_documentation_names_the_arguments(module: t.Any) -> None:
    text = Path(module.__file__).with_suffix(".yml").read_text(encoding="utf-8")
    documentation = yaml.safe_load(text)["DOCUMENTATION"]
    _input, *arguments = inspect.signature(FILTERS[documentation["name"]]).parameters
    assert list(documentation["options"]) == ["_input", *arguments]
    assert documentation.get("positional", "") == ", ".join(arguments)
