# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter topology: the model of a cluster out of host variables."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import topology as _topology


def topology(
    hostvars: t.Any, hosts: t.Any, settings: dict[str, t.Any] | None = None
) -> dict[str, t.Any]:
    """Return the model of the cluster of ``hosts``; see ``topology.yml``."""
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError(
            f"topology works on hostvars or a dictionary like it, found {type(hostvars).__name__}."
        )
    if isinstance(hosts, str) or not isinstance(hosts, Sequence):
        raise AnsibleFilterError(
            f"topology takes a list of inventory hosts, found {type(hosts).__name__}: "
            "set emqx_cluster_hosts to a list."
        )
    if settings is not None and not isinstance(settings, Mapping):
        raise AnsibleFilterError(
            f"topology takes settings as a dictionary, found {type(settings).__name__}."
        )
    known = [str(host) for host in hosts if host in hostvars]
    try:
        model = _topology.build([_member(hostvars, host) for host in known], dict(settings or {}))
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error
    unknown = [_topology.unknown_host(str(host)) for host in hosts if host not in hostvars]
    # An empty list is no news when it is empty because of these.
    rest = [e for e in model["errors"] if not (unknown and e["code"] == "no_members")]
    return {**model, "errors": unknown + rest}


def _member(hostvars: Mapping[str, t.Any], host: str) -> dict[str, t.Any]:
    variables = hostvars[host]
    prepared = variables.get("__emqx_member")
    if isinstance(prepared, Mapping):
        return {**prepared, **_read(variables), "inventory_host": host}
    given = {key: variables[key] for key in _topology.MEMBER_KEYS if key in variables}
    return {**given, "inventory_host": host}


def _read(variables: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the addresses that the role read on a host after it had named its member."""
    found = ((variables.get("__emqx_survey") or {}).get("host_info") or {}).get("host")
    return {"host_addresses": found["addresses"]} if found else {}


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"topology": topology}
