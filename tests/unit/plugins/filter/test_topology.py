# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.filter.topology import FilterModule
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import topology as _topology

topology = FilterModule().filters()["topology"]

HOSTVARS: dict[str, dict[str, t.Any]] = {
    "n1": {"ansible_host": "10.0.0.1", "emqx_node_role": "core", "unrelated": object()},
    "n2": {"emqx_node_address": "n2.example", "emqx_node_role": "replicant"},
    "n3": {
        "ansible_host": "10.0.0.3",
        "emqx_node_role": "replicant",
        "__emqx_member": {"emqx_node_address": "n3.example", "inventory_host": "other"},
    },
}


def test_reads_the_variables_of_each_host() -> None:
    settings = {"discovery_strategy": "static", "version": "5.7.2"}
    members = [
        {"inventory_host": "n1", "ansible_host": "10.0.0.1", "emqx_node_role": "core"},
        {
            "inventory_host": "n2",
            "emqx_node_address": "n2.example",
            "emqx_node_role": "replicant",
        },
        {"inventory_host": "n3", "emqx_node_address": "n3.example"},
    ]
    assert topology(HOSTVARS, ["n1", "n2", "n3"], settings) == _topology.build(members, settings)


def test_prepared_member_wins_over_variables() -> None:
    node = topology(HOSTVARS, ["n3"])["nodes"]["n3"]
    assert (node["name"], node["role"], node["server"]) == ("emqx@n3.example", "core", "n3")


def test_host_that_is_not_in_the_inventory() -> None:
    model = topology(HOSTVARS, ["n1", "nX", "nY"])
    assert [(e["code"], e["host"], e["variable"]) for e in model["errors"]] == [
        ("unknown_host", "nX", "emqx_cluster_hosts"),
        ("unknown_host", "nY", "emqx_cluster_hosts"),
    ]
    assert model["members"] == ["emqx@10.0.0.1"]


def test_only_unknown_hosts_are_not_called_an_empty_list() -> None:
    assert [e["code"] for e in topology({}, ["nX"])["errors"]] == ["unknown_host"]
    assert [e["code"] for e in topology({}, [])["errors"]] == ["no_members"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((None, ["n1"]), "found NoneType"),
        ((["n1"], ["n1"]), "hostvars"),
        (({}, "n1"), "set emqx_cluster_hosts to a list"),
        (({}, None), "found NoneType"),
        (({}, {"n1": 1}), "found dict"),
        (({}, [], ["static"]), "settings as a dictionary"),
        (({}, [], {"strategy": "static"}), "Unknown topology settings: strategy"),
    ],
)
def test_wrong_types(arguments: tuple[t.Any, ...], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        topology(*arguments)
