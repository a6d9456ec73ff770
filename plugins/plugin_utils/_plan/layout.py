# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Where everything of a node lies on its host: directories, files, unit, command line.

Source: the vendor's packages (/usr/lib/emqx, /etc/emqx, /var/lib/emqx, /var/log/emqx), archives
(all below one directory) and images (user 1000), EMQX 5.0 to 6.2. An instance has all of its own
but for the installed release.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import kind_of

_SETTINGS = "/etc/mqttops-emqx"
_SYSTEMD = "/etc/systemd/system"
_INSTANCES = "/usr/local/lib/mqttops-emqx"
_CERTIFICATES = {"certificate": "cert.pem", "key": "key.pem", "ca": "ca.pem"}


def layout(wish: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the places of a node.

    ``wish`` holds the values of emqx_version, emqx_package, emqx_package_type, emqx_deployment,
    emqx_instance, emqx_root_dir, emqx_data_dir, emqx_container_name, emqx_container_engine and
    emqx_cluster_name without their prefix, and ``tls``, whether nodes talk TLS to each other
    (bool). The result has, paths being absolute and "" where there is none:

    - ``suffix``: what tells an instance's names apart, such as -2; "" for the package's own node
    - ``installed``: ``root``, ``etc``, ``home`` and ``data`` of what was installed, which
      instances share; ``disk``: where it takes its space
    - ``etc``, ``data``, ``log``: directories of the node; ``node_data``: ``data`` as EMQX sees it
    - ``user``: owner of its files; a number for the vendor's images
    - ``argv``: command line of the node (list), ``argv_user``: whom to run it as, "" for root
    - ``service``, ``unit``, ``unit_file``, ``unit_argv``, ``drop_in``, ``environment`` (file),
      ``boot_record``; ``own_unit``: whether the unit is ours (bool)
    - ``tls``: directory of the node's certificate; ``certificates``: ``certificate``, ``key`` and
      ``ca`` in it, and ``certificates_in_use``: the same where nodes talk TLS, else empty
    - ``boot_files``: what EMQX and its unit read at a start (list)
    - ``cluster``: directory of what the nodes of one cluster share, as another cluster may have
      nodes on the same server; in it ``license``, ``etcd`` (``cacertfile``, ``certfile`` and
      ``keyfile``) and ``kubernetes``, a directory, with ``kubernetes_files`` (``token``, ``ca``)
    - ``watched``: all files and directories above that a deployment may write (list)
    - ``service_account``: where EMQX looks for what it shows to the Kubernetes API
    - ``instanced``: whether the node runs an installed release with directories of its own (bool);
      ``instance_root``, ``instance_vars``, ``instance_script``, ``instance_command``,
      ``laid_out``, which is there once the links to the release are, and ``unit_vars``, which the
      unit of all instances runs to make them
    """
    number = int(wish["instance"])
    suffix = f"-{number}" if number else ""
    kind = kind_of(wish)
    places = {"package": _package, "tarball": _tarball, "container": _container}[kind](wish, suffix)
    contained = kind == "container"
    instanced = bool(suffix) and not contained
    if wish["data_dir"]:
        places["data"] = wish["data_dir"] + suffix
    service = wish["container_name"] if contained else f"emqx{suffix}"
    unit = f"emqx@{number}.service" if instanced else f"{service}.service"
    # bin/emqx tells running nodes apart by the root of their release, in the list of processes. It
    # must not begin as the root of another node does, be it the package's own or, were it not for
    # the last part, instance 12 beside instance 1.
    root = f"{_INSTANCES}/{number}/release"
    tls = f"{_SETTINGS}/tls{'-' + service if contained else suffix}"
    certificates = {part: f"{tls}/{name}" for part, name in _CERTIFICATES.items()}
    found = {
        "suffix": suffix,
        "user": "emqx",
        "argv": [f"/usr/local/bin/emqx{suffix}"],
        "argv_user": "emqx",
        # One file for all instances of a server: systemd fills in the number.
        "unit_argv": "/usr/local/bin/emqx-%i",
        "node_data": places["data"],
        **places,
        "service": service,
        "unit": unit,
        "unit_file": f"{_SYSTEMD}/{'emqx@.service' if instanced else unit}",
        "own_unit": instanced or kind != "package",
        "drop_in": f"{_SYSTEMD}/{unit}.d/50-mqttops.conf",
        "environment": f"{_SETTINGS}/{service}.env",
        "tls": tls,
        "certificates": certificates,
        "certificates_in_use": certificates if wish["tls"] else {},
        "service_account": SERVICE_ACCOUNT,
        "boot_record": f"/run/mqttops-emqx/{service}",
        "instanced": instanced,
        "instance_root": root,
        "instance_vars": f"{root}/releases/emqx_vars",
        "unit_vars": f"{_INSTANCES}/%i/release/releases/emqx_vars",
        "instance_script": f"{root}/bin/emqx",
        "instance_command": f"/usr/local/bin/emqx{suffix}",
        "laid_out": f"{root}/releases/{wish['version']}",
        **_of_cluster(f"{_SETTINGS}/{wish['cluster_name']}"),
    }
    return {**found, "boot_files": _boot_files(found), "watched": _watched(found)}


def _of_cluster(directory: str) -> dict[str, t.Any]:
    kubernetes = f"{directory}/serviceaccount"
    return {
        "cluster": directory,
        "license": f"{directory}/license",
        "etcd": {
            "cacertfile": f"{directory}/etcd-ca.pem",
            "certfile": f"{directory}/etcd-cert.pem",
            "keyfile": f"{directory}/etcd-key.pem",
        },
        "kubernetes": kubernetes,
        "kubernetes_files": {"token": f"{kubernetes}/token", "ca": f"{kubernetes}/ca.crt"},
    }


def _boot_files(found: t.Mapping[str, t.Any]) -> list[str]:
    names = ("emqx.conf", "base.hocon", "vm.args", "ssl_dist.conf")
    files = [f"{found['etc']}/{name}" for name in names]
    files += [found["environment"], found["drop_in"]]
    # A key alone says nothing that its certificate does not say.
    files += [path for part, path in found["certificates_in_use"].items() if part != "key"]
    return [*files, found["unit_file"]] if found["own_unit"] else files


def _watched(found: t.Mapping[str, t.Any]) -> list[str]:
    names = ("emqx.conf", "base.hocon", "ssl_dist.conf")
    files = [f"{found['etc']}/{name}" for name in names]
    files += [found[key] for key in ("environment", "drop_in", "unit_file", "license")]
    for several in ("certificates", "etcd", "kubernetes_files"):
        files += found[several].values()
    if found["instanced"]:
        files += [found[f"instance_{part}"] for part in ("vars", "script", "command")]
        files.append(found["laid_out"])
    return [*files, found["data"], f"{found['data']}/plugins", found["log"]]


def _package(wish: t.Mapping[str, t.Any], suffix: str) -> dict[str, t.Any]:
    data = "/var/lib/emqx"
    places = {
        "installed": {
            "root": "/usr/lib/emqx",
            "etc": "/etc/emqx",
            "home": data,
            "data": wish["data_dir"] or data,
        },
        "disk": "/usr",
        "etc": f"/etc/emqx{suffix}",
        "data": f"{data}{suffix}",
        "log": f"/var/log/emqx{suffix}",
    }
    return places if suffix else {**places, **_command("/usr/bin/emqx")}


def _tarball(wish: t.Mapping[str, t.Any], suffix: str) -> dict[str, t.Any]:
    root = wish["root_dir"]
    places = {
        "installed": {
            "root": root,
            "etc": f"{root}/etc",
            "home": root,
            "data": wish["data_dir"] or f"{root}/data",
        },
        "disk": root,
        "etc": f"{root}{suffix}/etc",
        "data": f"{root}{suffix}/data",
        "log": f"{root}{suffix}/log",
    }
    return places if suffix else {**places, **_command(f"{root}/bin/emqx")}


def _command(path: str) -> dict[str, t.Any]:
    return {"argv": [path], "unit_argv": path}


def _container(wish: t.Mapping[str, t.Any], suffix: str) -> dict[str, t.Any]:
    name, engine = wish["container_name"], wish["container_engine"]
    data = wish["data_dir"] + suffix if wish["data_dir"] else f"/var/lib/{name}"
    return {
        "installed": {"data": data},
        "disk": f"/var/lib/{'docker' if engine == 'docker' else 'containers'}",
        "etc": f"/etc/{name}",
        "data": data,
        "log": f"/var/log/{name}",
        "node_data": "/opt/emqx/data",
        # The user of the vendor's images has a number, which may have another name on the host.
        "user": "1000",
        "argv": [f"/usr/bin/{engine}", "exec", name, "emqx"],
        "argv_user": "",
        "unit_argv": "",
    }
