# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Gather on a host what tells why its node does not run or is not in its cluster.

Nothing here changes anything, and no secret leaves the host: of the cookie only a fingerprint, of
other settings a keyed hash, of logs and files what is left when all secrets of this host are
taken out. Commands go through an injected runner: argv -> (exit code, stdout, stderr).
"""

from __future__ import annotations

import datetime as dt
import glob
import hashlib
import json
import os
import re
import time
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx import changes
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import flatten, merge
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import (
    parse,
    read_variable,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host import logs, sockets
from ansible_collections.mqttops.emqx.plugins.module_utils._host import state as _host

if t.TYPE_CHECKING:
    from ansible_collections.mqttops.emqx.plugins.module_utils._host.state import Runner

# Of the module node_evidence.
OPTIONS: dict[str, t.Any] = {
    "etc_dir": {"type": "path", "default": "/etc/emqx"},
    "data_dir": {"type": "path", "default": "/var/lib/emqx"},
    "log_dir": {"type": "path", "default": "/var/log/emqx"},
    "release_dirs": {
        "type": "list",
        "elements": "path",
        "default": ["/usr/lib/emqx", "/opt/emqx"],
    },
    "environment_file": {"type": "path", "default": "/etc/mqttops-emqx/emqx.env"},
    "service": {"type": "str", "default": "emqx.service"},
    "user": {"type": "str", "default": "emqx"},
    "ports": {"type": "list", "elements": "int", "default": []},
    "boot_files": {"type": "list", "elements": "path", "default": []},
    "boot_record": {"type": "path", "default": "/run/mqttops-emqx/emqx"},
    "salt": {"type": "str", "default": "", "no_log": False},
    "log_bytes": {"type": "int", "default": 131072},
    "detail": {"type": "bool", "default": False},
}

# Settings that are shown as they are: they decide who meets whom, and none is a secret.
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
_UNIT_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "ExecMainStatus",
    "UnitFileState",
    "ActiveEnterTimestamp",
    "InactiveEnterTimestamp",
    "ExecMainStartTimestampMonotonic",
)
_JOURNAL_LINES = 200
_LOG_FILES = ("emqx.log*", "erlang.log*")
_NEWEST = 2
_DUMP = "erl_crash.dump"


class Config:
    """The configuration in force on disk: what may be told of it, and which secrets it holds."""

    def __init__(self, etc_dir: str, data_dir: str, environment_file: str) -> None:
        self.texts = {
            path: _host.read_text(path) or ""
            for path in (
                f"{etc_dir}/base.hocon",
                f"{data_dir}/configs/cluster.hocon",
                f"{etc_dir}/emqx.conf",
            )
        }
        self.environment = _environment(_host.read_text(environment_file) or "")
        self.error = ""
        trees = []
        for path, text in self.texts.items():
            try:
                trees.append(parse(text))
            except InputError as error:
                self.error = f"{path}: {error.message}"
                trees.append({})
        base, self.runtime, conf = trees
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
        found = set(changes.secret_values(self.texts.values(), {}))
        for key, value in self.environment.items():
            found |= changes.secret_values([f"{key} = {json.dumps(value, ensure_ascii=False)}"], {})
        for text in self.texts.values():
            found.update(_LOOSE_SECRET.findall(text))
        found |= {_content(value) for value in found if value.startswith(_FILE_PREFIX)}
        return {v for v in found - _NO_SECRETS if len(v) > 3 and not v.startswith(_FILE_PREFIX)}

    def describe(self, salt: str) -> dict[str, t.Any]:
        """Return what may be told. Hashes of one salt compare, and tell nothing without it."""
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


def _environment(text: str) -> dict[str, t.Any]:
    """Return the keys that a systemd environment file sets, with what EMQX makes of the values."""
    found = re.findall(r'^(EMQX_\w+)=(?:"((?:[^"\\]|\\.)*)"|([^"\n]*))$', text, re.MULTILINE)
    return {
        changes.environment_key(name): read_variable(re.sub(r"\\(.)", r"\1", quoted or plain))
        for name, quoted, plain in found
    }


def _content(value: str) -> str:
    """Return what a value of the form file:///path stands for."""
    if not value.startswith(_FILE_PREFIX):
        return value
    return (_host.read_text(value[len(_FILE_PREFIX) :]) or "").strip()


def _keyed(value: t.Any, salt: str) -> str:
    plain = sorted(value) if _is_word_list(value) else value
    text = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:12]


def _is_word_list(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def fingerprint(text: str) -> str:
    """Return what cluster_info shows for a cookie."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def processes(service: str, proc: str = "/proc") -> list[dict[str, t.Any]]:
    """Return the EMQX nodes that run here: name, pid, cookie, transport and open files.

    Those in containers are somebody else's, unless it is this service's.
    """
    found = []
    own = _namespace(f"{proc}/self")
    for pid in sorted(filter(str.isdigit, os.listdir(proc)), key=int):
        # Helpers of the command line have no database.
        words = (_read(f"{proc}/{pid}/cmdline") or "").split("\0")
        if not os.path.basename(words[0]).startswith("beam") or "-mnesia" not in words:
            continue
        strange = _namespace(f"{proc}/{pid}") != own
        if strange and f"/{service}" not in (_read(f"{proc}/{pid}/cgroup") or ""):
            continue
        cookie = _after(words, "-setcookie")
        limit = re.search(r"^Max open files\s+(\d+)", _read(f"{proc}/{pid}/limits") or "", re.M)
        found.append(
            {
                "pid": int(pid),
                "node": _after(words, "-name") or _after(words, "-sname"),
                "cookie_fingerprint": fingerprint(cookie) if cookie else "",
                "proto_dist": _after(words, "-ekka_proto_dist"),
                "open_files": _count(f"{proc}/{pid}/fd"),
                "open_files_limit": int(limit.group(1)) if limit else None,
                "_cookie": cookie,
            }
        )
    return found


def _namespace(process: str) -> str:
    try:
        return os.readlink(f"{process}/ns/pid")
    except OSError:
        return ""


def _after(words: t.Sequence[str], flag: str) -> str:
    return words[words.index(flag) + 1] if flag in words[:-1] else ""


def _read(path: str) -> str | None:
    """Return a file's text; None for what is gone by now, or somebody else's."""
    try:
        return _host.read_text(path)
    except OSError:
        return None


def _count(folder: str) -> int | None:
    try:
        return len(os.listdir(folder))
    except OSError:
        return None


def unit(run: Runner, name: str) -> dict[str, t.Any]:
    """Return how a systemd unit fares."""
    _rc, out, _err = run(["systemctl", "show", f"--property={','.join(_UNIT_PROPERTIES)}", name])
    shown = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    state = shown.get("ActiveState", "inactive")
    return {
        "name": name,
        "exists": shown.get("LoadState") == "loaded",
        "enabled": shown.get("UnitFileState") == "enabled",
        "active": state,
        "sub": shown.get("SubState", "dead"),
        "result": shown.get("Result", ""),
        "restarts": int(shown.get("NRestarts") or 0),
        "exit_status": int(shown.get("ExecMainStatus") or 0),
        "started": _epoch(int(shown.get("ExecMainStartTimestampMonotonic") or 0)),
        "since": shown.get(
            "ActiveEnterTimestamp" if state == "active" else "InactiveEnterTimestamp", ""
        ),
    }


def _epoch(microseconds: int) -> float:
    """Return as seconds of the clock when something happened after the boot; 0 for never."""
    if not microseconds:
        return 0.0
    return time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + microseconds / 1e6


def disks(paths: t.Iterable[str]) -> dict[str, dict[str, t.Any]]:
    """Return, by path, the space and the file entries that ordinary users have left.

    Of several paths on one file system the first one stands for all.
    """
    found: dict[str, dict[str, t.Any]] = {}
    seen = set()
    for path in filter(os.path.exists, paths):
        device = os.stat(path).st_dev
        if device in seen:
            continue
        seen.add(device)
        info = os.statvfs(path)
        found[path] = {
            "free": info.f_bavail * info.f_frsize,
            "size": info.f_blocks * info.f_frsize,
            "free_entries": info.f_favail,
            "entries": info.f_files,
            "read_only": bool(info.f_flag & os.ST_RDONLY),
        }
    return found


def log_texts(run: Runner, log_dir: str, service: str, limit: int) -> dict[str, str]:
    """Return the ends of the newest logs, by name; nothing of it is fit to be shown yet."""
    texts = {}
    for pattern in _LOG_FILES:
        paths = [path for path in glob.glob(f"{log_dir}/{pattern}") if not _is_index(path)]
        for path in sorted(paths, key=os.path.getmtime)[-_NEWEST:]:
            texts[os.path.basename(path)] = _tail(path, limit)
    dump = f"{log_dir}/{_DUMP}"
    if os.path.exists(dump):
        written = dt.datetime.fromtimestamp(os.path.getmtime(dump), dt.timezone.utc)
        texts[_DUMP] = f"{written.isoformat()}\n{(_read(dump) or '')[:400]}"
    try:
        shape = ["--output", "short-iso", "--lines", str(_JOURNAL_LINES)]
        rc, out, _err = run(["journalctl", "--unit", service, "--no-pager", *shape])
    except OSError:
        rc, out = 1, ""
    texts[f"journal of {service}"] = out[-limit:] if rc == 0 else ""
    return texts


def _is_index(path: str) -> bool:
    return path.endswith((".idx", ".siz"))


def _tail(path: str, limit: int) -> str:
    with open(path, "rb") as stream:
        stream.seek(0, os.SEEK_END)
        size = stream.tell()
        stream.seek(max(0, size - limit))
        text = stream.read().decode("utf-8", "replace")
    # The first line may have lost its beginning, and with it the name of a secret.
    return text if size <= limit else text.partition("\n")[2]


def certificates(run: Runner, config: Config, etc_dir: str) -> list[dict[str, t.Any]]:
    """Return the certificates that the node talks TLS to its peers with, by what they are for."""
    wanted: list[tuple[str, dict[str, str]]] = []
    if str(config.given.get("cluster.proto_dist", "")).endswith("_tls"):
        text = re.sub(r"%.*", "", _read(f"{etc_dir}/ssl_dist.conf") or "")
        files = re.findall(r"\{\s*(certfile|keyfile|cacertfile)\s*,\s*\"([^\"]+)\"", text)
        # The server's options come first in the file, and both sides have the same as a rule.
        wanted.append(("distribution", dict(reversed(files))))
    if config.given.get("rpc.protocol", config.given.get("rpc.driver")) == "ssl":
        kinds = ("certfile", "keyfile", "cacertfile")
        wanted.append(("rpc", {kind: str(config.given.get(f"rpc.{kind}", "")) for kind in kinds}))
    found = []
    for use, given in wanted:
        paths = {
            name: given.get(kind, "").replace("${EMQX_ETC_DIR}", etc_dir)
            for name, kind in (
                ("certificate", "certfile"),
                ("key", "keyfile"),
                ("ca", "cacertfile"),
            )
        }
        found.append({"use": use, "paths": paths, **_host.certificates(run, paths)})
    return found


def unusable(
    run: Runner, user: str, readable: t.Iterable[str], writable: t.Iterable[str]
) -> list[str]:
    """Return the files that the runner user cannot read and the folders it cannot write."""
    tests = [["-r", path] for path in readable if path]
    tests += [["-w", path] for path in writable if os.path.exists(path)]
    script = 'while [ $# -gt 0 ]; do test "$1" "$2" || printf "%s\\n" "$2"; shift 2; done'
    flat = [word for pair in tests for word in pair]
    try:
        _rc, out, _err = run(["runuser", "-u", user, "--", "sh", "-c", script, "sh", *flat])
    except OSError:
        return []
    return sorted(set(out.splitlines()))


def read(
    params: t.Mapping[str, t.Any], run_command: t.Callable[..., tuple[int, str, str]]
) -> dict[str, t.Any]:
    """Return the answer of the module node_evidence: ``evidence``.

    ``run_command`` is that of AnsibleModule.
    """
    run = _host.runner(run_command)
    etc, data, log = params["etc_dir"], params["data_dir"], params["log_dir"]
    config = Config(etc, data, params["environment_file"])
    nodes = processes(params["service"])
    secrets = config.secrets() | {node.pop("_cookie") for node in nodes} - {""}
    texts = log_texts(run, log, params["service"], params["log_bytes"])
    shown = unit(run, params["service"])
    boot = {path: _host.read_text(path) for path in params["boot_files"]}
    pems = certificates(run, config, etc)
    evidence = {
        "time": time.time(),
        "addresses": _host.addresses(run),
        "version": next(filter(None, map(_host.release_version, params["release_dirs"])), ""),
        "unit": shown,
        "processes": nodes,
        "config": config.describe(params["salt"]),
        "stale": (
            _host.stale_boot_files(boot, params["boot_record"])
            if shown["active"] == "active"
            else []
        ),
        "data_nodes": _host.data_nodes(data),
        "disks": disks((data, log)),
        "listening": {
            str(port): holder for port, holder in sockets.listeners(params["ports"]).items()
        },
        "certificates": pems,
        "unusable": unusable(
            run,
            params["user"],
            [f"{etc}/emqx.conf", *(path for pem in pems for path in pem["paths"].values())],
            (data, log),
        ),
        # What an earlier start wrote is no evidence of what keeps this one.
        "log": [
            line
            for name, text in texts.items()
            for line in logs.excerpts(logs.since(text, shown["started"]), name, secrets)
        ],
    }
    if params["detail"]:
        evidence["files"] = _files(config, texts, secrets)
    return {"evidence": evidence}


def _files(
    config: Config, texts: t.Mapping[str, str], secrets: t.Collection[str]
) -> dict[str, str]:
    """Return logs and configuration for a support bundle, by name, with all secrets masked."""
    found = {name: logs.scrub(text, secrets) for name, text in texts.items() if text}
    for path, text in config.texts.items():
        if text:
            shown, _same = changes.masked_texts(path, text, text)
            found[os.path.basename(path)] = logs.scrub(shown, secrets)
    return found
