# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shlex
from pathlib import Path

import yaml
from hostlab.inventory import Host, known_hosts, render, shell_options

HOSTS = [
    Host("n1", "n1.demo.lab", "10.89.7.11"),
    Host("n2", "n2.demo.lab", "10.89.7.12", "fd89::c"),
]
STATE = Path("/home/a user/checkout/.cache/lab/demo")


def test_inventory_is_what_ansible_needs() -> None:
    found = yaml.safe_load(render("demo", HOSTS, STATE, Path("/run/x/ssh/demo")))
    assert found["emqx"] == {"hosts": {"n1": None, "n2": None}}
    assert found["lab"]["hosts"] == {
        "n1": {"ansible_host": "10.89.7.11", "lab_fqdn": "n1.demo.lab"},
        "n2": {
            "ansible_host": "10.89.7.12",
            "lab_fqdn": "n2.demo.lab",
            "lab_address6": "fd89::c",
        },
    }
    variables = found["lab"]["vars"]
    assert variables["lab_cache"] == "/home/a user/checkout/.cache"
    assert variables["ansible_user"] == "ops"
    assert variables["ansible_python_interpreter"] == "/usr/bin/python3"
    assert variables["ansible_ssh_private_key_file"] == str(STATE / "id_ed25519")
    assert "-oControlPath=/run/x/ssh/demo/%C" in variables["ansible_ssh_common_args"].split()
    assert variables["ansible_pipelining"] is True
    assert "ControlPersist" in variables["ansible_ssh_args"]


def test_connection_variables_do_not_reach_localhost() -> None:
    assert set(yaml.safe_load(render("demo", HOSTS, STATE, STATE))) == {"lab", "emqx"}


def test_a_path_with_blanks_stays_one_option_for_the_shell_and_for_ssh() -> None:
    words = shlex.split(shell_options(STATE))
    assert f'-oUserKnownHostsFile="{STATE}/known_hosts"' in words
    assert "-oStrictHostKeyChecking=yes" in words


def test_known_hosts_names_every_address_and_drops_the_comment() -> None:
    keys = list(zip(HOSTS, ["ssh-ed25519 AAAA root@n1\n", "ssh-ed25519 BBBB"]))
    assert known_hosts(keys).splitlines() == [
        "10.89.7.11,n1,n1.demo.lab ssh-ed25519 AAAA",
        "10.89.7.12,n2,n2.demo.lab,fd89::c ssh-ed25519 BBBB",
    ]
