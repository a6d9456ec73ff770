# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Filters for the DNS zone of a cluster."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils import _zone


def dns_zone(topology: t.Mapping[str, t.Any], wish: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the records of a cluster and what is wrong with them; see ``dns_zone.yml``."""
    found = _zone.plan(topology["nodes"].values(), wish)
    foreign = _zone.foreign_zones(wish["named_conf"], wish["zone"])
    if foreign:
        found["errors"].append(
            f"Host {wish['host']}: the name server has the zones {', '.join(foreign)}, expected "
            "one for this role alone: take another host, or only the records (bind_records_file)."
        )
    return {**found, "text": _zone.lines(found["records"], wish["ttl"])}


class FilterModule:
    """Tell ansible-core which filters this file brings."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"dns_zone": dns_zone}
