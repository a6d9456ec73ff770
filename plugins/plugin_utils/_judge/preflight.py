# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Judge a host before anything is changed there, by its variables and by what was read."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.checks_config import (
    check_config,
    check_files,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.checks_files import (
    check_named_files,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.checks_host import (
    check_data,
    check_disks,
    check_listeners,
    check_package_node,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._judge.checks_package import (
    check_package,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    HostState,
    Layout,
    Node,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings


def check_host(
    settings: Settings,
    node: Node | None,
    layout: Layout,
    release: Release,
    host: HostState,
    *,
    inventory_host: str,
    missing_files: t.Mapping[str, str] | None = None,
    renames: bool = False,
    package_node: str = "",
    besides: t.Iterable[Finding] = (),
) -> list[Finding]:
    """Return all findings of one host, in the order in which they were looked for.

    ``node`` is None where the host has no name that a node can have, which is a finding of the
    model. ``missing_files`` has by variable the PEM files of the control node that are not there;
    ``renames`` tells whether the node is about to get this name; ``package_node`` is the database
    of a node in the package's own directories that no member stands for, "" for none. ``besides``
    are findings of others on what was read there: package file, container, firewall, certificates.
    A host that could not be read is judged by its variables alone. Raises InputError for a version
    that is none.
    """
    found = [
        *check_config(settings, release.edition),
        *check_files(missing_files or {}),
        *_judge_state(settings, node, layout, release, host, renames, package_node, besides),
    ]
    return [
        finding if finding.hosts else dataclasses.replace(finding, hosts=(inventory_host,))
        for finding in found
    ]


def _judge_state(
    settings: Settings,
    node: Node | None,
    layout: Layout,
    release: Release,
    host: HostState,
    renames: bool,
    package_node: str,
    besides: t.Iterable[Finding],
) -> t.Iterator[Finding]:
    if host.unreachable:
        yield Finding(
            "unreachable",
            "an answer over the connection",
            host.unreachable,
            "make the host reachable, leave it out of this run (--limit), or have the playbook "
            "replace_node or remove_node take its node out, and it out of emqx_cluster_hosts",
            subject="ansible_host",
        )
        return
    yield from check_package(settings, release, host)
    yield from check_disks(settings, host)
    if node and not renames:
        yield from check_data(node, layout, host)
    if node:
        yield from check_listeners(settings, node, host)
    yield from check_named_files(settings, layout, release, host)
    yield from check_package_node(package_node)
    yield from besides
