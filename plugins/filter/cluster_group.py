# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError


def cluster_group(groups: t.Mapping[str, t.Sequence[str]], name: str) -> str:
    """Return the name of the inventory group that holds the cluster's hosts.

    Ansible itself skips a play whose group is missing, and ends as if all had gone well. Raises
    AnsibleFilterError where ``groups`` has no hosts under ``name``. An inventory without any host
    passes: with it nothing is run, but the syntax of playbooks is checked.
    """
    if groups.get(name) or not groups.get("all"):
        return name
    others = sorted(group for group in groups if group not in ("all", "ungrouped", name))
    there = "it empty" if name in groups else f"the groups {', '.join(others) or 'all, ungrouped'}"
    raise AnsibleFilterError(
        f"The inventory: expected the cluster's hosts in the group {name}, found {there}. "
        "Put them into it, or name another group: -e emqx_cluster_group=NAME."
    )


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"cluster_group": cluster_group}
