# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Filter change_plan: how a cluster gets from its present members to the wanted ones."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.members import Wish, plan


def change_plan(
    wish: dict[str, t.Any], answers: dict[str, t.Any], databases: dict[str, t.Any]
) -> dict[str, t.Any]:
    """Return the plan; see ``change_plan.yml``."""
    topology, hosts = wish["topology"], wish["removed_nodes"]
    names = {item: hosts[item]["name"] if item in hosts else item for item in wish["removed"]}
    return plan(
        Wish(
            wanted={host: node["name"] for host, node in topology["nodes"].items()},
            cores=topology["cores"],
            removed={item: name for item, name in names.items() if "@" in name},
            replicants=[
                node["name"]
                for node in [*topology["nodes"].values(), *hosts.values()]
                if node["role"] == "replicant"
            ],
            unknown=[item for item, name in names.items() if "@" not in name],
            may_join=wish["may_join"],
            rename=wish["rename"],
            old_name=wish["old_name"],
            consent=wish["consent"],
            min_cores=int(wish["min_cores"]),
            evict_running=wish["evict_running"],
            replaces=wish["replaces"],
        ),
        answers,
        databases,
    )


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"change_plan": change_plan}
