# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The files and directories of a node on its host, with all of their content."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import (
    expand,
    render,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import merge
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import environment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.configuration import (
    base_layer,
    main_layer,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Cluster,
    Directory,
    HostState,
    Layout,
    ManagedFile,
    Node,
    Release,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import units
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.cluster_files import (
    cluster_files,
    license_in_file,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.container import plan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.instance_files import (
    instance_files,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.managed import (
    commented,
    is_current,
)


def config_files(
    settings: Settings,
    cluster: Cluster,
    node: Node,
    layout: Layout,
    release: Release,
    texts: t.Mapping[str, str],
    image_id: str = "",
    firewall_unit: str = "",
) -> list[ManagedFile]:
    """Return the files of a node in the order in which they are to be written.

    ``texts`` maps variables (emqx_etcd_ca...) to the PEM texts of files of the control node;
    ``image_id`` is that of the image on the host, "" where there is none yet or no container;
    ``firewall_unit`` is that of the firewall's plan.
    Raises InputError for a configuration that HOCON or EMQX cannot hold.
    """
    files = cluster_files(settings, layout, texts)
    files.append(_emqx_conf(settings, cluster, node, layout))
    files.append(units.drop_in(settings, layout, firewall_unit))
    files.append(_environment(settings, layout))
    if settings.base_config:
        content = render(base_layer(settings))
        files.append(_readable(layout, "base.hocon", f"{commented()}\n{content}"))
    if settings.dist_tls:
        files.append(_readable(layout, "ssl_dist.conf", _ssl_dist(layout)))
    if layout.own_unit:
        contained = settings.in_container
        started = plan(settings, node, layout, release, image_id) if contained else None
        files.append(units.unit(settings, layout, started))
    return files + instance_files(layout)


def directories(settings: Settings, layout: Layout) -> list[Directory]:
    """Return the directories that EMQX writes to, and those of a tar.gz that it must not.

    A release from a tar.gz belongs to root, whose runs execute and copy what is in it. Only data,
    log and plugins, which the dashboard installs, are the node's.
    """
    # Data holds generated files with the cookie, which EMQX makes readable for all.
    written = [layout.data]
    if layout.suffix or settings.in_container:
        written += [f"{layout.data}/plugins", layout.log]
    elif layout.code:
        written += [f"{layout.installed_root}/plugins", layout.log]
    if layout.code:
        # Erlang keeps a file in the home directory of its user.
        written.append(layout.installed_home)
    own = [Directory(path, layout.user, layout.user, "0750") for path in dict.fromkeys(written)]
    return [Directory(path) for path in layout.code] + own


def pending(
    files: t.Iterable[ManagedFile], directories: t.Iterable[Directory], host: HostState
) -> list[str]:
    """Return the paths whose content, owner, group or mode is not yet as desired."""
    items: list[ManagedFile | Directory] = [*directories, *files]
    return [item.path for item in items if not is_current(item, host)]


def _readable(layout: Layout, name: str, content: str) -> ManagedFile:
    return ManagedFile(f"{layout.etc}/{name}", content, "root", layout.user, "0640")


def _emqx_conf(settings: Settings, cluster: Cluster, node: Node, layout: Layout) -> ManagedFile:
    tree = merge(main_layer(settings, cluster.ipv6), _of_cluster(settings, cluster, node, layout))
    return _readable(layout, "emqx.conf", f"{commented()}\n{render(tree)}")


def _of_cluster(settings: Settings, cluster: Cluster, node: Node, layout: Layout) -> Tree:
    """Return the keys of emqx.conf that follow from the model of the cluster."""
    own: Tree = {
        "name": node.name,
        "cookie": settings.cookie,
        "data_dir": layout.node_data,
    }
    if node.role == "replicant":
        own["role"] = "replicant"
    rpc = dict(cluster.rpc)
    if settings.rpc_tls:
        files = layout.certificates
        rpc.update(certfile=files["certificate"], keyfile=files["key"], cacertfile=files["ca"])
    tree: Tree = {
        "node": own,
        "cluster": {
            "name": settings.cluster_name,
            "discovery_strategy": settings.discovery_strategy,
            "proto_dist": settings.transport,
            **cluster.discovery,
        },
        "rpc": rpc,
    }
    if settings.license:
        # A key stands in a file of its own where EMQX reads one: without a restart.
        key = settings.license.strip()
        tree["license"] = {"key": f"file://{layout.license}" if license_in_file(settings) else key}
    return expand(tree)


def _environment(settings: Settings, layout: Layout) -> ManagedFile:
    lines = [commented()]
    lines += [
        f"{name}={environment.quoted(value)}"
        for name, value in environment.values(settings).items()
    ]
    return ManagedFile(layout.environment, "".join(f"{line}\n" for line in lines), mode="0600")


def _ssl_dist(layout: Layout) -> str:
    """Return Erlang terms: both ends of a connection show a certificate and check the other's."""
    files = layout.certificates
    given = (
        f'{{certfile,"{files["certificate"]}"}},{{keyfile,"{files["key"]}"}},'
        f'{{cacertfile,"{files["ca"]}"}}'
    )
    return (
        f"{commented('%%')}\n"
        "%% Both ends of a connection show a certificate and check that of the other.\n"
        f"[{{server, [{given},{{verify,verify_peer}},{{fail_if_no_peer_cert,true}}]}},\n"
        f" {{client, [{given},{{verify,verify_peer}}]}}].\n"
    )
