# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Which nodes have to be started or restarted, and whether one by one or all together."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import cluster_wide


def plan(
    states: t.Mapping[str, t.Mapping[str, t.Any]], last: t.Collection[str] = ()
) -> dict[str, t.Any]:
    """Return the plan for the members of a cluster.

    ``states`` maps inventory hosts to ``role`` (core or replicant), ``active`` (bool) and
    ``stale`` (the keys and files that the running node does not know yet); ``last`` are cores
    that must not be up before the others are. The result has, in this order:

    * ``stop``: hosts whose node stops before any other starts;
    * ``start``: cores that are started, all together (after a full stop a node waits for the
      others);
    * ``restart``: hosts whose node runs with old values, replicants after cores;
    * ``last``: cores that start after all that;
    * ``replicants``: replicants that start in the end, as they do not boot without a core;
    * ``cores_start``: whether any core starts, so that replicants have to wait for it;
    * ``full``: whether those of ``restart`` stop and start together, because no running node
      has the new value of a key in which nodes must agree;
    * ``keys``: those keys.
    """
    cores = [host for host, state in states.items() if state["role"] != "replicant"]
    # In this order they restart, too.
    ordered = [*cores, *(host for host in states if host not in cores)]
    running = [host for host in ordered if states[host]["active"]]
    restart = [host for host in running if states[host]["stale"]]
    disagreeing = [host for host in restart if cluster_wide(states[host]["stale"])]
    keys = {key for host in disagreeing for key in cluster_wide(states[host]["stale"])}
    full = len(states) > 1 and bool(running) and disagreeing == running
    down = [host for host in ordered if host not in running or (full and host in restart)]
    return {
        "stop": [host for host in running if host in last or (full and host in restart)],
        "start": [host for host in cores if host not in running and host not in last],
        "restart": [host for host in restart if host not in last],
        "last": [host for host in states if host in last],
        "replicants": [host for host in down if host not in cores],
        "cores_start": any(host in cores for host in [*down, *last]),
        "full": full,
        "keys": sorted(keys),
    }
