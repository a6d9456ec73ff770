# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The files that a node's emqx.conf refers to: licence, and what it shows to etcd and Kubernetes.

EMQX reads a licence from a file since 5.4.0 and again every two minutes, so that a new one needs no
restart. A node outside of Kubernetes shows its API a token that EMQX reads at one place only, which
does not outlast a boot and is the same for all nodes of a server: the unit mounts ours there.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import feature
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Layout,
    ManagedFile,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings


def license_in_file(settings: Settings) -> bool:
    """Tell whether the key of the licence stands in a file of its own."""
    given = settings.license_kind == "given" and not settings.license.startswith("file://")
    # Whatever the edition: that one without licences refuses the key itself.
    return given and feature("license_file", settings.version)


def has_service_account(settings: Settings) -> bool:
    """Tell whether the node shows a token of ours to the Kubernetes API."""
    return settings.discovery_strategy == "k8s" and bool(settings.k8s_token)


def has_cluster_files(settings: Settings) -> bool:
    """Tell whether there is any file of the directory ``Layout.cluster``."""
    etcd = settings.discovery_strategy == "etcd" and bool(settings.etcd_ca or settings.etcd_key)
    return etcd or license_in_file(settings) or has_service_account(settings)


def cluster_files(
    settings: Settings, layout: Layout, texts: t.Mapping[str, str]
) -> list[ManagedFile]:
    """Return the files that emqx.conf refers to; ``texts`` maps variables (emqx_etcd_ca,
    emqx_etcd_certificate, emqx_etcd_key, emqx_k8s_ca) to PEM texts. One that is missing is empty:
    a finding names it and ends the run."""
    files = []
    if license_in_file(settings):
        files.append(_private(layout, layout.license, settings.license.strip()))
    if settings.discovery_strategy == "etcd":
        if settings.etcd_ca:
            files.append(
                _readable(layout, layout.etcd["cacertfile"], texts.get("emqx_etcd_ca", ""))
            )
        if settings.etcd_key:
            files += [
                _readable(layout, layout.etcd["certfile"], texts.get("emqx_etcd_certificate", "")),
                _readable(
                    layout, layout.etcd["keyfile"], texts.get("emqx_etcd_key", ""), secret=True
                ),
            ]
    if has_service_account(settings):
        token = layout.kubernetes_files["token"]
        files.append(_private(layout, token, settings.k8s_token.strip()))
        if settings.k8s_ca:
            ca = layout.kubernetes_files["ca"]
            files.append(_readable(layout, ca, texts.get("emqx_k8s_ca", "")))
    return files


def _private(layout: Layout, path: str, content: str) -> ManagedFile:
    return ManagedFile(path, content, layout.user, layout.user, "0600", secret=True)


def _readable(layout: Layout, path: str, pem: str, secret: bool = False) -> ManagedFile:
    return ManagedFile(path, f"{pem.strip()}\n", "root", layout.user, "0640", secret=secret)
