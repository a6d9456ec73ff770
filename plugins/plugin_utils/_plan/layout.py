# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Where everything of a node lies on its host: directories, files, unit, command line.

Source: the vendor's packages (/usr/lib/emqx, /etc/emqx, /var/lib/emqx, /var/log/emqx), archives
(all below one directory) and images (user 1000), EMQX 5.0 to 6.2. An instance has all of its own
but for the installed release.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import Layout, Texts
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.container import IMAGE_ROOT
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.release import kind_of

_SETTINGS = "/etc/mqttops-emqx"
_SYSTEMD = "/etc/systemd/system"
_INSTANCES = "/usr/local/lib/mqttops-emqx"
_CERTIFICATES = {"certificate": "cert.pem", "key": "key.pem", "ca": "ca.pem"}
_ETCD = {"cacertfile": "etcd-ca.pem", "certfile": "etcd-cert.pem", "keyfile": "etcd-key.pem"}


@dataclass(frozen=True)
class _Places:
    """The directories and the command line, by the kind of deployment."""

    installed_root: str
    installed_etc: str
    installed_home: str
    installed_data: str
    disk: str
    etc: str
    data: str
    log: str
    node_data: str
    argv: Texts
    unit_argv: str
    user: str = "emqx"
    argv_user: str = "emqx"
    code: Texts = ()


@dataclass(frozen=True)
class _Unit:
    service: str
    unit: str
    unit_file: str
    own_unit: bool
    drop_in: str
    environment: str
    boot_record: str


@dataclass(frozen=True)
class _Shared:
    """What the nodes of one cluster share: another cluster may have nodes on the same server."""

    cluster: str
    license: str
    etcd: t.Mapping[str, str]
    kubernetes: str
    kubernetes_files: t.Mapping[str, str]


@dataclass(frozen=True)
class _Instance:
    """An installed release with directories of its own; ``unit_vars`` is for all instances of a
    server, ``laid_out`` there once the links to the release are."""

    instanced: bool
    instance_root: str
    instance_vars: str
    instance_script: str
    instance_command: str
    unit_vars: str
    laid_out: str


def layout(settings: Settings) -> Layout:
    """Return the places of the node of a host."""
    suffix = f"-{settings.instance}" if settings.instance else ""
    kind = kind_of(settings)
    contained = kind == "container"
    places = _PLACES[kind](settings, suffix)
    instance = _instance(settings, suffix, contained)
    service = settings.container_name if contained else f"emqx{suffix}"
    unit = _unit(service, settings.instance if instance.instanced else 0, kind != "package")
    shared = _shared(f"{_SETTINGS}/{settings.cluster_name}")
    tls = f"{_SETTINGS}/tls{'-' + service if contained else suffix}"
    certificates = {part: f"{tls}/{name}" for part, name in _CERTIFICATES.items()}
    in_use = certificates if settings.tls else {}
    return Layout(
        suffix=suffix,
        **vars(places),
        **vars(unit),
        **vars(shared),
        **vars(instance),
        tls=tls,
        certificates=certificates,
        certificates_in_use=in_use,
        service_account=SERVICE_ACCOUNT,
        boot_files=_boot_files(places, unit, in_use),
        watched=_watched(places, unit, shared, instance, certificates),
    )


def _unit(service: str, instance: int, own: bool) -> _Unit:
    """``instance`` is 0 where the unit is not that of all instances of a server; ``own`` tells
    whether it is ours also then."""
    unit = f"emqx@{instance}.service" if instance else f"{service}.service"
    return _Unit(
        service=service,
        unit=unit,
        # One file for all instances of a server: systemd fills in the number.
        unit_file=f"{_SYSTEMD}/{'emqx@.service' if instance else unit}",
        own_unit=own or bool(instance),
        drop_in=f"{_SYSTEMD}/{unit}.d/50-mqttops.conf",
        environment=f"{_SETTINGS}/{service}.env",
        boot_record=f"/run/mqttops-emqx/{service}",
    )


def _instance(settings: Settings, suffix: str, contained: bool) -> _Instance:
    # bin/emqx tells running nodes apart by the root of their release, in the list of processes. It
    # must not begin as the root of another node does, be it the package's own or, were it not for
    # the last part, instance 12 beside instance 1.
    root = f"{_INSTANCES}/{settings.instance}/release"
    return _Instance(
        instanced=bool(suffix) and not contained,
        instance_root=root,
        instance_vars=f"{root}/releases/emqx_vars",
        instance_script=f"{root}/bin/emqx",
        instance_command=f"/usr/local/bin/emqx{suffix}",
        unit_vars=f"{_INSTANCES}/%i/release/releases/emqx_vars",
        laid_out=f"{root}/releases/{settings.version}",
    )


def _shared(directory: str) -> _Shared:
    kubernetes = f"{directory}/serviceaccount"
    return _Shared(
        cluster=directory,
        license=f"{directory}/license",
        etcd={part: f"{directory}/{name}" for part, name in _ETCD.items()},
        kubernetes=kubernetes,
        kubernetes_files={"token": f"{kubernetes}/token", "ca": f"{kubernetes}/ca.crt"},
    )


def _boot_files(places: _Places, unit: _Unit, certificates: t.Mapping[str, str]) -> Texts:
    names = ("emqx.conf", "base.hocon", "vm.args", "ssl_dist.conf")
    return (
        *(f"{places.etc}/{name}" for name in names),
        unit.environment,
        unit.drop_in,
        # A key alone says nothing that its certificate does not say.
        *(path for part, path in certificates.items() if part != "key"),
        *((unit.unit_file,) if unit.own_unit else ()),
    )


def _watched(
    places: _Places,
    unit: _Unit,
    shared: _Shared,
    instance: _Instance,
    certificates: t.Mapping[str, str],
) -> Texts:
    links = (
        instance.instance_vars,
        instance.instance_script,
        instance.instance_command,
        instance.laid_out,
    )
    return (
        *(f"{places.etc}/{name}" for name in ("emqx.conf", "base.hocon", "ssl_dist.conf")),
        unit.environment,
        unit.drop_in,
        unit.unit_file,
        shared.license,
        *certificates.values(),
        *shared.etcd.values(),
        *shared.kubernetes_files.values(),
        *(links if instance.instanced else ()),
        *places.code,
        *dict.fromkeys(
            (
                *((f"{places.installed_root}/plugins",) if places.code else ()),
                *((places.installed_home,) if places.code else ()),
                places.data,
                f"{places.data}/plugins",
                places.log,
            )
        ),
    )


def _package(settings: Settings, suffix: str) -> _Places:
    data = settings.data_dir or "/var/lib/emqx"
    return _Places(
        installed_root="/usr/lib/emqx",
        installed_etc="/etc/emqx",
        installed_home="/var/lib/emqx",
        installed_data=data,
        disk="/usr",
        etc=f"/etc/emqx{suffix}",
        data=f"{data}{suffix}",
        log=f"/var/log/emqx{suffix}",
        node_data=f"{data}{suffix}",
        **_command("/usr/bin/emqx", suffix),
    )


def _tarball(settings: Settings, suffix: str) -> _Places:
    root, given = settings.root_dir, settings.data_dir
    data = f"{given}{suffix}" if given else f"{root}{suffix}/data"
    return _Places(
        installed_root=root,
        installed_etc=f"{root}/etc",
        # The rest belongs to root, whatever data directory the node has.
        installed_home=f"{root}/data",
        installed_data=given or f"{root}/data",
        disk=root,
        etc=f"{root}{suffix}/etc",
        data=data,
        log=f"{root}{suffix}/log",
        node_data=data,
        code=(root, *(f"{root}/{part}" for part in ("bin", "etc", "lib", "releases"))),
        **_command(f"{root}/bin/emqx", suffix),
    )


def _command(path: str, suffix: str) -> Json:
    """Return argv and unit_argv; the command lines of instances are ours."""
    if suffix:
        return {"argv": (f"/usr/local/bin/emqx{suffix}",), "unit_argv": "/usr/local/bin/emqx-%i"}
    return {"argv": (path,), "unit_argv": path}


def _container(settings: Settings, suffix: str) -> _Places:
    name, engine = settings.container_name, settings.container_engine
    data = f"{settings.data_dir}{suffix}" if settings.data_dir else f"/var/lib/{name}"
    return _Places(
        installed_root="",
        installed_etc="",
        installed_home="",
        installed_data=data,
        disk=f"/var/lib/{'docker' if engine == 'docker' else 'containers'}",
        etc=f"/etc/{name}",
        data=data,
        log=f"/var/log/{name}",
        node_data=f"{IMAGE_ROOT}/data",
        argv=(f"/usr/bin/{engine}", "exec", name, "emqx"),
        unit_argv="",
        # The user of the vendor's images has a number, which may have another name on the host.
        user="1000",
        argv_user="",
    )


_PLACES: dict[str, t.Callable[[Settings, str], _Places]] = {
    "package": _package,
    "tarball": _tarball,
    "container": _container,
}
