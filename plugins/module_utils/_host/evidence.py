# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Gather on a host what says why its node does not run or is not in its cluster.

Nothing here changes anything, and no secret leaves the host: of the cookie only a fingerprint, of
other settings a keyed hash, of logs and files what is left when all secrets of this host are
taken out. Commands go through an injected runner: argv -> (exit code, stdout, stderr).
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.masked_lines import masked_lines
from ansible_collections.mqttops.emqx.plugins.module_utils._host import (
    certificates,
    logs,
    network,
    packages,
    paths,
    services,
    sockets,
    storage,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.config import Config, named_files
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import open_plain, read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.log_files import log_texts
from ansible_collections.mqttops.emqx.plugins.module_utils._host.processes import read_own
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import (
    RunCommand,
    Runner,
    runner,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.running import processes
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options, Record

# Of the module evidence_info.
OPTIONS: Options = {
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


def node_certificates(run: Runner, config: Config, etc_dir: str) -> list[Json]:
    """Return the certificates that the node talks TLS to its peers with, by what they are for."""
    wanted: list[tuple[str, dict[str, str]]] = []
    if str(config.given.get("cluster.proto_dist", "")).endswith("_tls"):
        text = re.sub(r"%.*", "", read_own(f"{etc_dir}/ssl_dist.conf") or "")
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
        found.append({"use": use, "paths": paths, **certificates.certificates(run, paths)})
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


def configured_files(config: Config, params: Record) -> list[Json]:
    """Return the files that the configuration names: ``key``, ``path`` on this host, ``exists``.

    Of a node in a container, only those that lie on the host.
    """
    mounts = paths.mounts(params["service"])
    root = next((root for root in params["release_dirs"] if packages.release_version(root)), "")
    found = []
    for key, written in named_files(config):
        etc = paths.IMAGE_ETC if mounts else params["etc_dir"]
        path = paths.resolved(written, paths.IMAGE_ROOT if mounts else root, etc)
        path = paths.on_host(path, mounts)
        if path:
            found.append({"key": key, "path": path, "exists": _exists(path)})
    return found


def _exists(path: str) -> bool:
    try:
        open_plain(path).close()
    except FileNotFoundError:
        return False
    except OSError:
        # Something else than a plain file is there.
        return os.path.isfile(path)
    return True


def read(params: Record, run_command: RunCommand) -> Json:
    """Return the answer of the module evidence_info: ``evidence``."""
    run = runner(run_command)
    etc, data, log = params["etc_dir"], params["data_dir"], params["log_dir"]
    config = Config(etc, data, params["environment_file"])
    nodes = processes(params["service"])
    secrets = config.secrets() | {node.pop("_cookie") for node in nodes} - {""}
    texts = log_texts(run, log, params["service"], params["log_bytes"])
    unit = services.unit(run, params["service"])
    pems = node_certificates(run, config, etc)
    evidence = {
        "time": time.time(),
        "addresses": network.addresses(run),
        "version": next(filter(None, map(packages.release_version, params["release_dirs"])), ""),
        "unit": unit,
        "processes": nodes,
        "config": config.describe(params["salt"]),
        "stale": _stale(params, unit),
        "data_nodes": storage.data_nodes(data),
        "disks": storage.disks((data, log)),
        "certificates": pems,
        **_listening(params["ports"]),
        **_files_of(run, params, config, pems),
        # What an earlier start wrote is no evidence of what keeps this one.
        "log": [
            line
            for name, text in texts.items()
            for line in logs.excerpts(logs.since(text, unit["started"]), name, secrets)
        ],
    }
    if params["detail"]:
        evidence["files"] = _texts(config, texts, secrets)
    return {"evidence": evidence}


def _stale(params: Record, unit: Record) -> list[str]:
    if unit["active"] != "active":
        return []
    boot = {path: read_text(path) for path in params["boot_files"]}
    return services.stale_boot_files(boot, params["boot_record"])


def _listening(ports: t.Collection[int]) -> Json:
    found = sockets.sockets(ports)
    by_port: Json = {}
    for one in found:
        if one["protocol"] == "tcp":
            holder = {key: one[key] for key in ("process", "pid", "unit")}
            by_port.setdefault(str(one["port"]), holder)
    return {"listening": by_port, "sockets": found}


def _files_of(
    run: Runner,
    params: Record,
    config: Config,
    pems: t.Sequence[Record],
) -> Json:
    named = configured_files(config, params)
    own = [f"{params['etc_dir']}/emqx.conf"]
    own += [path for pem in pems for path in pem["paths"].values()]
    paths = [*own, *(file["path"] for file in named if file["exists"])]
    found = unusable(run, params["user"], paths, (params["data_dir"], params["log_dir"]))
    folders = (params["data_dir"], params["log_dir"])
    return {
        "configured_files": [
            {**file, "readable": file["exists"] and file["path"] not in found} for file in named
        ],
        "unusable": [path for path in found if path in own or path in folders],
    }


def _texts(
    config: Config, texts: t.Mapping[str, str], secrets: t.Collection[str]
) -> dict[str, str]:
    """Return logs and configuration for a support bundle, by name, with all secrets masked."""
    found = {name: logs.scrub(text, secrets) for name, text in texts.items() if text}
    for path, text in config.texts.items():
        if text:
            shown, _same = masked_lines(text, text)
            found[os.path.basename(path)] = logs.scrub(shown, secrets)
    return found
