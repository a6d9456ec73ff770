# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Kernel values of a host: what they are, and whether they can be set here.

A kernel knows values that cannot be set everywhere: in a container /proc/sys may be mounted
read-only, and in a user namespace most of it belongs to the host. Others it takes and does not
keep, as it rounds or caps them. What it kept instead is noted in our own sysctl file, so that a
later run does not set it again.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json

FILE = "/etc/sysctl.d/90-mqttops-emqx.conf"
PROC = "/proc"

UNKNOWN = "this kernel does not know it"
READ_ONLY = "/proc/sys is mounted read-only here"
USER_NAMESPACE = "it belongs to the host of this container"
DENIED = "it is read-only on this host"

LINE = re.compile(r"^([^#;\s=][^\s=]*) = (.*)$", re.MULTILINE)
KEPT = re.compile(r"^# Kept by the kernel: (\S+) = (.*)$", re.MULTILINE)
_MOST = 1 << 16


def read(keys: t.Iterable[str], file: str = FILE, proc: str = PROC) -> dict[str, Json]:
    """Return of each key its ``value`` (with single blanks; None where the kernel does not know
    it), ``writable`` and, if not, the ``reason``; and what our ``file`` says: the value that was
    ``asked`` of the kernel and the one ``kept`` instead ("" where there is none)."""
    text = _text(file) or ""
    asked, kept = dict(LINE.findall(text)), dict(KEPT.findall(text))
    found = {}
    for key in keys:
        value = value_of(key, proc)
        reason = UNKNOWN if value is None else _obstacle(path_of(key, proc), proc)
        found[key] = {
            "value": value,
            "writable": not reason,
            "reason": reason,
            "asked": asked.get(key, ""),
            "kept": kept.get(key, ""),
        }
    return found


def path_of(key: str, proc: str = PROC) -> str:
    """Return the path of a key as sysctl(8) takes it, "" for one that leads out of /proc/sys.

    >>> path_of("net.ipv4.conf.eth0/100.forwarding")
    '/proc/sys/net/ipv4/conf/eth0.100/forwarding'
    """
    first = next((sign for sign in key if sign in "./"), ".")
    parts = key.split(first)
    if not all(re.fullmatch(r"[\w/.:*@-]+", part) for part in parts):
        return ""
    parts = [part.replace("/", ".") for part in parts]
    inside = not {"", ".", ".."}.intersection(parts)
    return "/".join([proc, "sys", *parts]) if inside else ""


def value_of(key: str, proc: str = PROC) -> str | None:
    """Return a kernel value with single blanks, None where this kernel does not know the key."""
    text = _text(path_of(key, proc))
    return None if text is None else " ".join(text.split())


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_MOST)
    except OSError:
        return None


def _obstacle(path: str, proc: str) -> str:
    """Return why a value cannot be set here, "" where it can."""
    # The kernel itself answers: the mode of the file, the mount and the namespace all count.
    if os.access(path, os.W_OK):
        return ""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return READ_ONLY
    everybody = ["0", "0", "4294967295"]
    if (_text(f"{proc}/self/uid_map") or "").split() != everybody:
        return USER_NAMESPACE
    return DENIED
