# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The files that a node's emqx.conf refers to: licence, and what it shows to etcd and Kubernetes.

EMQX reads a licence from a file since 5.4.0 and again every two minutes, so that a new one needs no
restart. A node outside of Kubernetes shows its API a token that EMQX reads at one place only, which
does not outlast a boot and is the same for all nodes of a server: the unit mounts ours there.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import feature
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Layout,
    ManagedFile,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.strategies import table


def license_in_file(settings: Settings) -> bool:
    """Tell whether the key of the licence stands in a file of its own."""
    given = settings.license_kind == "given" and not settings.license.startswith("file://")
    # Whatever the edition: that one without licences refuses the key itself.
    return given and feature("license_file", settings.version)


def service_account(settings: Settings, layout: Layout) -> str:
    """Return the directory of what the node shows to the Kubernetes API, "" for none."""
    return table.of(settings.discovery_strategy).service_account(settings, layout)


def has_cluster_files(settings: Settings, layout: Layout) -> bool:
    """Tell whether there is any file of the directory ``Layout.cluster``."""
    # Which files there are does not depend on what is in them.
    return bool(cluster_files(settings, layout, defaultdict(str)))


def cluster_files(
    settings: Settings, layout: Layout, texts: t.Mapping[str, str]
) -> list[ManagedFile]:
    """Return the files that emqx.conf refers to: the licence, and those of the discovery strategy,
    of which ``texts`` has the PEM texts by variable (emqx_etcd_ca...)."""
    files = list(table.of(settings.discovery_strategy).files(settings, layout, texts))
    if license_in_file(settings):
        key = settings.license.strip()
        own = ManagedFile(layout.license, key, layout.user, layout.user, "0600", secret=True)
        return [own, *files]
    return files
