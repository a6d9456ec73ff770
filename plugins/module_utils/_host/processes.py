# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The EMQX nodes that run on a host, from the list of processes; no command is started.

Flags of their command lines are those of EMQX 5.0 to 6.3 (bin/emqx, which reads them as well).
"""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import search_path

# Bytes of a command line. A node has about 1 KB.
_LONGEST = 1 << 16


class Process(t.NamedTuple):
    """A node's process: ``folder`` is its own in /proc, ``words`` its command line."""

    folder: str
    words: tuple[str, ...]

    def flag(self, name: str) -> str:
        """Return the word after a flag, "" where it is not given."""
        return self.words[self.words.index(name) + 1] if name in self.words[:-1] else ""

    @property
    def name(self) -> str:
        return self.flag("-name") or self.flag("-sname")

    @property
    def contained(self) -> bool:
        """Whether it runs in a container, and its paths are the container's."""
        return _namespace(self.folder) != _namespace(f"{os.path.dirname(self.folder)}/self")

    @property
    def cgroup(self) -> str:
        return read_own(f"{self.folder}/cgroup")


def nodes(proc: str = "/proc") -> list[Process]:
    """Return the nodes that run, by their process numbers."""
    found = []
    for pid in sorted(filter(str.isdigit, os.listdir(proc)), key=int):
        words = tuple(read_own(f"{proc}/{pid}/cmdline").split("\0"))
        # Helpers of the command line have no database.
        if os.path.basename(words[0]).startswith("beam") and "-mnesia" in words:
            found.append(Process(f"{proc}/{pid}", words))
    return found


def read_own(path: str) -> str:
    """Return the text of a file of the kernel's, "" for what is gone by now or somebody else's."""
    try:
        with open(path, "rb") as stream:
            return stream.read(_LONGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def _namespace(folder: str) -> str:
    try:
        return os.readlink(f"{folder}/ns/pid")
    except OSError:
        return ""


def is_down(command: t.Sequence[str], name: str = "", proc: str = "/proc") -> bool:
    """Tell whether the node of a command line is known not to run.

    ``command`` starts the command line; ``name`` is the node's where several run from one release.
    Asking a node that does not run for anything writes below its data directory (bin/emqx). Where
    it cannot be known, as with a node in a container, the answer is False.
    """
    script = shutil.which(command[0], path=search_path())
    root = os.path.dirname(os.path.dirname(os.path.realpath(script))) if script else ""
    if not root or not os.path.isfile(f"{root}/releases/emqx_vars"):
        return False
    # Processes of others may be hidden (mount option hidepid).
    if not os.access(f"{proc}/1/stat", os.R_OK):
        return False
    return not any(
        os.path.realpath(node.flag("-root")) == root and name in ("", node.name)
        for node in nodes(proc)
    )
