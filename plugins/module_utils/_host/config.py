# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The configuration of a node on disk: what may be shown of it, and the secrets and files in it."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import environment_key
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import (
    parse,
    read_variable,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import flatten, merge
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.secret_values import secret_values
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

# Settings that are shown as they are: they decide which nodes find one another, and none is secret.
_SHOWN = (
    "node.name",
    "node.role",
    "node.data_dir",
    "cluster.name",
    "cluster.discovery_strategy",
    "cluster.proto_dist",
    "cluster.static.seeds",
    "cluster.dns.name",
    "cluster.dns.record_type",
    "cluster.etcd.prefix",
    "cluster.k8s.service_name",
    "cluster.k8s.namespace",
    "rpc.protocol",
    "rpc.port_discovery",
    "rpc.server_port",
)
_NO_SECRETS = frozenset({"default", "evaluation"})
_FILE_PREFIX = "file://"
# What stands for a secret where a file cannot be read as HOCON.
_LOOSE_SECRET = re.compile(
    r"(?:cookie|passw\w*|passphrase|secret\w*|token|key)\"?\s*[=:]\s*\"?([^\"\s]{8,})",
    re.IGNORECASE,
)


class Config:
    """The configuration in force on disk: base.hocon, cluster.hocon, emqx.conf, environment."""

    def __init__(self, etc_dir: str, data_dir: str, environment_file: str) -> None:
        self.texts = {
            path: read_text(path) or ""
            for path in (
                f"{etc_dir}/base.hocon",
                f"{data_dir}/configs/cluster.hocon",
                f"{etc_dir}/emqx.conf",
            )
        }
        self.environment = _environment(read_text(environment_file) or "")
        self.error = ""
        trees = []
        for path, text in self.texts.items():
            try:
                trees.append(parse(text))
            except InputError as error:
                self.error = f"{path}: {error.message}"
                trees.append({})
            except (RecursionError, ValueError):
                # Nestings and numbers without end.
                self.error = f"{path}: it cannot be read as HOCON"
                trees.append({})
        base, self.runtime, conf = trees
        self.tree = merge(merge(base, self.runtime), conf)
        self.given = {**flatten(merge(base, conf)), **self.environment}

    def cookie(self) -> str:
        """Return the fingerprint of the cookie that the next start takes, "" for none."""
        value = str(self.given.get("node.cookie") or "")
        return fingerprint(_content(value)) if value else ""

    def license(self) -> str:
        """Return which kind of licence is set: none, default, evaluation, file or key."""
        value = str(self.given.get("license.key") or "")
        if value in _NO_SECRETS or not value:
            return value or "none"
        return "file" if value.startswith(_FILE_PREFIX) else "key"

    def secrets(self) -> set[str]:
        """Return all values that must not leave the host."""
        found = set(secret_values(self.texts.values(), {}))
        for key, value in self.environment.items():
            found |= secret_values([f"{key} = {json.dumps(value, ensure_ascii=False)}"], {})
        for text in self.texts.values():
            found.update(_LOOSE_SECRET.findall(text))
        found |= {_content(value) for value in found if value.startswith(_FILE_PREFIX)}
        return {v for v in found - _NO_SECRETS if len(v) > 3 and not v.startswith(_FILE_PREFIX)}

    def describe(self, salt: str) -> Json:
        """Return what may be shown. Hashes of one salt compare, and say nothing without it."""
        runtime = flatten(self.runtime)
        both = self.given.keys() & runtime.keys()
        return {
            "error": self.error,
            "settings": {key: self.given[key] for key in _SHOWN if key in self.given},
            "license": self.license(),
            "cookie_fingerprint": self.cookie(),
            "keys": {key: _keyed(value, salt) for key, value in sorted(self.given.items())},
            "runtime_keys": {key: _keyed(value, salt) for key, value in sorted(runtime.items())},
            "overridden": sorted(key for key in both if self.given[key] != runtime[key]),
        }


# Keys whose values are paths of files that the node opens, EMQX 5.0 to 6.3.
_FILE_KEY = re.compile(r"(?:ca)?certfile|keyfile|bootstrap_file|init_file|dhfile|db_file|path")
# Only here is a path one of a file: authorization.sources.
_ACL = "authorization.sources"


def named_files(config: Config) -> list[tuple[str, str]]:
    """Return key and path of the files that a configuration names; paths as they are written.

    What is switched off is left out, as EMQX does not open its files.
    """
    found = list(_files_in(config.tree, ""))
    for key, value in config.environment.items():
        found += _files_in(value, key)
    return [(key, value.replace(_FILE_PREFIX, "", 1)) for key, value in found]


def _files_in(value: t.Any, path: str) -> t.Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if value.get("enable") is not False:
            for key, item in value.items():
                yield from _files_in(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _files_in(item, path)
    elif isinstance(value, str) and _is_file(path, value):
        yield path, value


def _is_file(key: str, value: str) -> bool:
    if value.startswith(f"{_FILE_PREFIX}/"):
        return True
    last = key.rpartition(".")[2]
    # Certificates may stand there as PEM themselves.
    named = _FILE_KEY.fullmatch(last) is not None and value != "" and "-----BEGIN" not in value
    return named and (last != "path" or key.startswith(_ACL))


def _environment(text: str) -> Json:
    """Return the keys that a systemd environment file sets, with what EMQX makes of the values."""
    found = re.findall(r'^(EMQX_\w+)=(?:"((?:[^"\\]|\\.)*)"|([^"\n]*))$', text, re.MULTILINE)
    return {
        environment_key(name): read_variable(re.sub(r"\\(.)", r"\1", quoted or plain))
        for name, quoted, plain in found
    }


def _content(value: str) -> str:
    """Return what a value of the form file:///path stands for."""
    if not value.startswith(_FILE_PREFIX):
        return value
    return (read_text(value[len(_FILE_PREFIX) :]) or "").strip()


def _keyed(value: t.Any, salt: str) -> str:
    plain = sorted(value) if _is_word_list(value) else value
    text = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:12]


def _is_word_list(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def fingerprint(text: str) -> str:
    """Return what cluster_info shows for a cookie."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
