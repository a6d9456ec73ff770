# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What evidence_info found on a host, as types. Whatever JSON it is, it is taken and cleaned."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import json_values as values
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.views import pem

Texts = t.Tuple[str, ...]


@dataclass(frozen=True)
class Unit:
    """The systemd unit of a node; empty where none was read."""

    name: str = "emqx"
    active: str = ""
    sub: str = ""
    result: str = ""
    since: str = ""
    restarts: int = 0

    @property
    def idle(self) -> bool:
        return self.active == "inactive"

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self.active == "failed" or self.sub == "auto-restart"

    @classmethod
    def of(cls, value: t.Any) -> Unit:
        given = values.record(value)
        known = {key: values.text(given.get(key)) for key in ("active", "sub", "result", "since")}
        name = values.text(given.get("name")) or "emqx"
        return cls(name=name, restarts=values.number(given.get("restarts")), **known)


@dataclass(frozen=True)
class Process:
    """A node that runs; the limit is of its open files, 0 where it could not be read."""

    node: str = ""
    pid: int = 0
    cookie_fingerprint: str = ""
    open_files: int = 0
    open_files_limit: int = 0

    @classmethod
    def of(cls, given: values.Record) -> Process:
        limits = values.record(given.get("limits"))
        limit = given.get("open_files_limit", limits.get("open_files"))
        return cls(
            node=values.text(given.get("node")),
            pid=values.number(given.get("pid")),
            cookie_fingerprint=values.text(given.get("cookie_fingerprint")),
            open_files=values.number(given.get("open_files")),
            open_files_limit=values.number(limit),
        )


@dataclass(frozen=True)
class Socket:
    """A socket that takes connections or packets; ``addresses`` is empty where not known."""

    port: int
    protocol: str = "tcp"
    addresses: Texts = ()
    process: str = ""
    pid: int = 0
    unit: str = ""

    @classmethod
    def of(cls, key: str, given: values.Record) -> Socket:
        port, _slash, protocol = key.partition("/")
        address = values.text(given.get("address"))
        return cls(
            port=int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0,
            protocol=values.text(given.get("protocol")) or protocol or "tcp",
            addresses=values.texts(given.get("addresses")) or ((address,) if address else ()),
            process=values.text(given.get("process")),
            pid=values.number(given.get("pid")),
            unit=values.text(given.get("unit")),
        )


@dataclass(frozen=True)
class Space:
    """A file system: bytes and file entries that ordinary users have left."""

    path: str
    free: int
    size: int
    free_entries: int
    entries: int
    read_only: bool

    @classmethod
    def of(cls, path: str, given: values.Record) -> Space:
        count = {
            k: values.number(given.get(k)) for k in ("free", "size", "free_entries", "entries")
        }
        return cls(path=path, read_only=given.get("read_only") is True, **count)


@dataclass(frozen=True)
class Config:
    """The files of a node: keys with a salted hash of their values, and what may be shown."""

    error: str = ""
    license: str = ""
    cookie_fingerprint: str = ""
    settings: values.Record = field(default_factory=dict)
    keys: t.Mapping[str, str] = field(default_factory=dict)
    runtime_keys: t.Mapping[str, str] = field(default_factory=dict)
    overridden: Texts = ()

    @classmethod
    def of(cls, value: t.Any) -> Config:
        given = values.record(value)
        hashes = {
            name: {key: values.text(mark) for key, mark in values.record(given.get(name)).items()}
            for name in ("keys", "runtime_keys")
        }
        return cls(
            error=values.text(given.get("error")),
            license=values.text(given.get("license")),
            cookie_fingerprint=values.text(given.get("cookie_fingerprint")),
            settings=values.record(given.get("settings")),
            overridden=values.texts(given.get("overridden")),
            **hashes,
        )


@dataclass(frozen=True)
class NamedFile:
    """A file that the configuration names, by its key; ``fault`` is "" where it can be used."""

    path: str
    key: str = ""
    fault: str = ""

    @classmethod
    def of(cls, given: values.Record, path: str = "") -> NamedFile:
        fault = ""
        if given.get("exists") is False:
            fault = "does not exist"
        elif given.get("readable") is False:
            fault = "cannot be read by EMQX's user"
        path = values.text(given.get("path")) or path
        return cls(path=path, key=values.text(given.get("key")), fault=fault)


@dataclass(frozen=True)
class LogLine:
    sign: str
    source: str
    line: str

    @classmethod
    def of(cls, given: values.Record) -> LogLine:
        return cls(*(values.text(given.get(key)) for key in ("sign", "source", "line")))


@dataclass(frozen=True)
class Found:
    """What evidence_info found on a host; ``read`` is False where it could not be."""

    read: bool = False
    time: float | None = None
    addresses: Texts = ()
    version: str = ""
    unit: Unit = Unit()
    processes: tuple[Process, ...] = ()
    config: Config = field(default_factory=Config)
    stale: Texts = ()
    data_nodes: Texts = ()
    disks: tuple[Space, ...] = ()
    sockets: tuple[Socket, ...] | None = None
    certificates: tuple[Record, ...] = ()
    unusable: Texts = ()
    named_files: tuple[NamedFile, ...] = ()
    log: tuple[LogLine, ...] = ()

    @classmethod
    def of(cls, value: t.Any) -> Found:
        given = values.record(value)
        if not given:
            return cls()
        disks = values.record(given.get("disks")).items()
        return cls(
            read=True,
            time=values.decimal(given.get("time")),
            version=values.text(given.get("version")),
            addresses=values.texts(given.get("addresses")),
            unit=Unit.of(given.get("unit")),
            processes=tuple(map(Process.of, values.records(given.get("processes")))),
            config=Config.of(given.get("config")),
            stale=values.texts(given.get("stale")),
            data_nodes=values.texts(given.get("data_nodes")),
            disks=tuple(Space.of(path, values.record(space)) for path, space in disks if space),
            sockets=_sockets(given),
            certificates=tuple(map(_certificate, values.records(given.get("certificates")))),
            unusable=values.texts(given.get("unusable")),
            named_files=_named_files(given.get("configured_files")),
            log=tuple(map(LogLine.of, values.records(given.get("log")))),
        )


def _sockets(given: values.Record) -> tuple[Socket, ...] | None:
    if "sockets" not in given and "listening" not in given:
        return None
    listening = given.get("sockets", given.get("listening"))
    found = [
        Socket.of(values.text(each.get("port")), each) for each in values.records(listening)
    ] or [
        Socket.of(key, values.record(each))
        for key, holders in values.record(listening).items()
        for each in (values.items(holders) or [holders])
    ]
    return tuple(socket for socket in found if socket.port)


def _named_files(value: t.Any) -> tuple[NamedFile, ...]:
    listed = [NamedFile.of(each) for each in values.records(value)]
    by_path = values.record(value).items()
    return tuple(listed or [NamedFile.of(values.record(each), path) for path, each in by_path])


def _certificate(given: values.Record) -> Record:
    paths = values.record(given.get("paths"))
    return {
        "use": values.text(given.get("use")),
        "paths": {name: values.text(paths.get(name)) for name in ("certificate", "key", "ca")},
        **{name: pem(given.get(name)) for name in ("certificate", "public_key", "ca")},
    }
