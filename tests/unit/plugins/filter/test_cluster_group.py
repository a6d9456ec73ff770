# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.filter.cluster_group import FilterModule

GROUPS = {"all": ["n1", "n2"], "ungrouped": [], "brokers": ["n1", "n2"], "empty": []}
cluster_group = FilterModule().filters()["cluster_group"]


def test_a_group_with_hosts_is_the_clusters() -> None:
    assert cluster_group(GROUPS, "brokers") == "brokers"


@pytest.mark.parametrize(
    ("name", "found"), [("emqx", "found the groups brokers, empty"), ("empty", "found it empty")]
)
def test_a_group_without_hosts_is_named_with_what_there_is(name: str, found: str) -> None:
    with pytest.raises(
        AnsibleFilterError, match=f"in the group {name}, {found}.*emqx_cluster_group"
    ):
        cluster_group(GROUPS, name)


def test_no_inventory_at_all_is_left_to_ansible() -> None:
    assert cluster_group({"all": [], "ungrouped": []}, "emqx") == "emqx"
