# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Whether a node would be put elsewhere than where it is: its data would stay behind.

What the node uses now is read from its process or its last start, not from the inventory.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Layout,
    Node,
)

_TAKE_OUT = (
    "take the node out with the playbook remove_node -e emqx_remove_hosts={host} and in again with "
    "add_node, one node at a time: its data then comes from the other members"
)


def findings(node: Node, layout: Layout, host: HostState) -> t.Iterator[Finding]:
    """Yield what would move, with the old and the new place."""
    now = host.running
    held = now.get("data_dirs_found") or {}
    old = str(now.get("data_dir") or "")
    if old and old != layout.data and node.name in held.get(old, ()):
        # Somebody may have moved it by hand, with the node stopped.
        moved = node.name in host.data_nodes and not now.get("running")
        if not moved:
            yield _moved("data_moved", "emqx_data_dir", "data", node, old, layout.data)
    root = str(now.get("root") or "")
    desired = layout.instance_root if layout.instanced else layout.installed_root
    # Of another kind of installation there is a finding of its own.
    if now.get("running") and now.get("kind") == "tarball" and root != desired:
        yield _moved("root_moved", "emqx_root_dir", "release", node, root, desired)


def _moved(code: str, variable: str, what: str, node: Node, old: str, new: str) -> Finding:
    return Finding(
        code,
        f"the {what} of {node.name} where it is, {old}",
        new,
        f"set {variable} so that it stays in {old}, or "
        + _TAKE_OUT.format(host=node.inventory_host),
        hosts=(node.inventory_host,),
        subject=variable,
    )
