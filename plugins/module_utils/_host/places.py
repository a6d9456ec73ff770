# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the node of a unit uses now: its release, its directories, its name and its process.

A deployment that would put one of them elsewhere leaves the node's data behind. What a process
was started with is asked first, then what its last start left: the record of its boot files, the
configuration in force.
"""

from __future__ import annotations

import os
import re

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import parse
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import flatten
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._host.files import read_text
from ansible_collections.mqttops.emqx.plugins.module_utils._host.paths import (
    IMAGE_DATA,
    IMAGE_ETC,
    resolved,
    unit_text,
    volumes,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host.processes import Process, nodes
from ansible_collections.mqttops.emqx.plugins.module_utils._host.storage import data_nodes
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

# The vendor's packages, EMQX 5.0 to 6.3.
PACKAGE_ROOT, _PACKAGE_DATA = "/usr/lib/emqx", "/var/lib/emqx"


def read(service: str, record: str, proc: str = "/proc") -> Json:
    """Return where the node of a unit lies.

    ``record`` is the directory with the boot files of its last start. The result has

    * ``running`` (bool) and ``pid`` (0 for none);
    * ``node``: its name; ``root``: of its release; ``data_dir`` and ``etc_dir``, on the host also
      for a node in a container; "" for what is not known;
    * ``kind``: package, tarball or container, "" where no unit starts a node and none runs;
    * ``data_dirs_found``: by data directory that holds a database, the nodes that it is of: the
      one in use, and the package's own.
    """
    unit = unit_text(service)
    process = _process(service, unit, proc)
    found = _of_process(process, unit) if process else _of_last_start(unit, record)
    candidates = {found["data_dir"], _PACKAGE_DATA, *volumes(unit, IMAGE_DATA)} - {""}
    databases = {path: data_nodes(path) for path in sorted(candidates)}
    return {**found, "data_dirs_found": {path: names for path, names in databases.items() if names}}


def _process(service: str, unit: str, proc: str) -> Process | None:
    running = nodes(proc)
    own = [node for node in running if re.search(rf"/{re.escape(service)}(/|$)", node.cgroup, re.M)]
    if own or volumes(unit, IMAGE_DATA):
        return next(iter(own), None)
    # Started by hand, not by a unit.
    loose = [node for node in running if ".service" not in node.cgroup and not node.contained]
    return loose[0] if len(loose) == 1 else None


def _of_process(process: Process, unit: str) -> Json:
    root, data = process.flag("-root"), process.flag("-emqx_data_dir")
    kind = "container" if process.contained and volumes(unit, IMAGE_DATA) else kind_of(root)
    etc = _etc_of(root)
    if kind == "container":
        etc = _container_etc(unit)
        data = next(iter(volumes(unit, IMAGE_DATA)), data)
    return {
        "running": True,
        "pid": int(os.path.basename(process.folder)),
        "node": process.name,
        "root": root,
        "data_dir": resolved(data or _data_of(process), root, etc),
        "etc_dir": etc,
        "kind": kind,
    }


def _data_of(process: Process) -> str:
    """Return the data directory by the place of the database, as older versions say it."""
    after = process.words[process.words.index("-mnesia") + 2 :]
    return after[0].strip("'\"").partition("/mnesia/")[0] if after else ""


def _of_last_start(unit: str, record: str) -> Json:
    root = _root_of(unit)
    data = volumes(unit, IMAGE_DATA)
    etc = _container_etc(unit) if data else _etc_of(root)
    # What it was started with, else what the next start would take.
    texts = [read_text(f"{folder}/emqx.conf") for folder in (record, etc) if folder]
    given = _given(next(filter(None, texts), ""))
    configured = resolved(str(given.get("node.data_dir", "")), root, etc)
    return {
        "running": False,
        "pid": 0,
        "node": str(given.get("node.name", "")),
        "root": root,
        "data_dir": next(iter(data), configured),
        "etc_dir": etc,
        "kind": "container" if data else kind_of(root),
    }


def _container_etc(unit: str) -> str:
    return os.path.dirname(next(iter(volumes(unit, f"{IMAGE_ETC}/emqx.conf")), ""))


def _given(text: str) -> Json:
    try:
        return flatten(parse(text))
    except InputError:
        # Written by hand in a way that only EMQX reads.
        pairs = re.findall(r"^\s*(node\.\w+)\s*[=:]\s*\"?([^\"\n#]+)", text, re.M)
        return {key: value.strip() for key, value in pairs}


def _root_of(unit: str) -> str:
    """Return the root of the release whose command line a unit starts, "" where it starts none."""
    found = re.search(r"^ExecStart=.*?(/\S*/emqx[\w-]*)\s+(?:foreground|console)", unit, re.M)
    if not found:
        return ""
    root = os.path.dirname(os.path.dirname(os.path.realpath(found.group(1))))
    return root if os.path.isfile(f"{root}/releases/emqx_vars") else ""


def _etc_of(root: str) -> str:
    """Return the directory of emqx.conf that a release names (releases/emqx_vars)."""
    text = read_text(f"{root}/releases/emqx_vars") or "" if root else ""
    found = re.findall(r"^(?:export )?EMQX_ETC_DIR=\"?([^\"\n]+)", text, re.M)
    return found[-1].replace("$RUNNER_ROOT_DIR", root) if found else ""


def kind_of(root: str) -> str:
    """Return package or tarball by the root of a release; an instance is of its installed one.

    >>> kind_of("/usr/lib/emqx"), kind_of("/opt/emqx"), kind_of("")
    ('package', 'tarball', '')
    """
    if not root:
        return ""
    installed = os.path.dirname(os.path.realpath(f"{root}/lib"))
    return "package" if PACKAGE_ROOT in (root, installed) else "tarball"
