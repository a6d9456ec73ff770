# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Read what is on a host. Nothing here changes anything.

Commands go through an injected runner: argv -> (exit code, stdout, stderr).
"""

from __future__ import annotations

import grp
import hashlib
import ipaddress
import os
import pwd
import re
import socket
import ssl
import stat
import time
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import (
    UNKNOWN_BOOT,
    boot_changes,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._host import container as _container
from ansible_collections.mqttops.emqx.plugins.module_utils._host import firewalld, ufw

if t.TYPE_CHECKING:
    Runner = t.Callable[[t.List[str]], t.Tuple[int, str, str]]


def runner(run_command: t.Callable[..., tuple[int, str, str]]) -> Runner:
    """Return a runner over AnsibleModule.run_command; it raises OSError for a missing command."""

    def run(argv: list[str]) -> tuple[int, str, str]:
        environment = {"LC_ALL": "C", "PATH": search_path()}
        try:
            rc, out, err = run_command(argv, environ_update=environment, handle_exceptions=False)
        except FileNotFoundError as error:
            raise OSError(f"the command {argv[0]} is not installed on this host") from error
        return int(rc), str(out), str(err)

    return run


def read_text(path: str) -> str | None:
    """Return a file's text, None where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def file_state(path: str) -> dict[str, t.Any]:
    """Return ``exists`` and, for what exists, ``mode`` ("0640"), ``owner`` and ``group`` (names),
    ``uid`` and ``gid`` (as text) and, for a plain file, ``sha256``."""
    try:
        info = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        absent = dict.fromkeys(("mode", "owner", "group", "uid", "gid", "sha256"), "")
        return {"exists": False, **absent}
    return {
        "exists": True,
        "mode": f"{stat.S_IMODE(info.st_mode):04o}",
        "owner": _name(pwd.getpwuid, info.st_uid),
        "group": _name(grp.getgrgid, info.st_gid),
        "uid": str(info.st_uid),
        "gid": str(info.st_gid),
        "sha256": _sha256(path) if stat.S_ISREG(info.st_mode) else "",
    }


def _name(lookup: t.Callable[[int], t.Any], number: int) -> str:
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def package_file(path: str) -> dict[str, t.Any]:
    """Return ``exists``, ``sha256`` and ``sidecar`` of a package, that is the checksum in the file
    of the same name with .sha256 appended, which is "" where there is none."""
    sidecar = (read_text(f"{path}.sha256") or "").split()
    exists = os.path.isfile(path)
    return {
        "exists": exists,
        "sha256": _sha256(path) if exists else "",
        "sidecar": sidecar[0].lower() if sidecar else "",
    }


# One line for each package that is there; the exit code is that of any which is not.
_INSTALLED = {
    "deb": ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status} ${Version}\\n"],
    "rpm": ["rpm", "--query", "--queryformat=%{NAME} installed %{VERSION}\\n"],
}


def package(run: Runner, names: t.Sequence[str], package_format: str) -> dict[str, str]:
    """Return ``name`` and ``version`` of the first installed package, empty where none is."""
    if package_format not in _INSTALLED:
        return {"name": "", "version": ""}
    _rc, stdout, _stderr = run([*_INSTALLED[package_format], *names])
    lines = [line.partition(" installed ") for line in stdout.splitlines()]
    versions = {name: version for name, sign, version in lines if sign}
    name = next((name for name in names if name in versions), "")
    return {"name": name, "version": _vendor_version(versions.get(name, ""))}


# Without epoch and revision. A pre-release is 6.3.0-beta.2 in deb, 6.3.0_beta.2 in rpm packages
# (EMQX deploy/packages).
_PACKAGE_VERSION = re.compile(
    r"(?:\d+:)?(?P<number>\d+\.\d+\.\d+)(?:[-_~](?P<pre>(?:alpha|beta|rc)[.\d]*))?"
)


def _vendor_version(version: str) -> str:
    match = _PACKAGE_VERSION.match(version)
    if match is None:
        return version
    return match.group("number") + (f"-{match.group('pre')}" if match.group("pre") else "")


def release_version(root: str) -> str:
    """Return REL_VSN of the EMQX release unpacked below ``root``, empty where there is none."""
    found = re.search(
        r'^REL_VSN="?([^"\s]+)"?', read_text(f"{root}/releases/emqx_vars") or "", re.MULTILINE
    )
    return found.group(1) if found else ""


def container(run: Runner, wanted: t.Mapping[str, str], unit: str) -> dict[str, t.Any]:
    """Return what there is for a node in a container: ``engine`` (bool), ``image`` (``id`` and
    ``names``), ``network`` (its subnets, None where there is none), and the ``version`` that the
    unit starts in one.

    ``wanted`` names ``engine``, ``image`` and ``network``; {} where no container is wanted.
    """
    answer: dict[str, t.Any] = {
        "engine": False,
        "image": _container.parse_image(""),
        "network": None,
        "version": _container.unit_version(read_text(f"/etc/systemd/system/{unit}") or ""),
    }
    engine = f"/usr/bin/{wanted['engine']}" if wanted else ""
    if not os.path.exists(engine):
        return answer
    answer["engine"] = True
    # Both print [] and fail where there is none.
    _rc, stdout, _stderr = run([engine, "image", "inspect", wanted["image"]])
    answer["image"] = _container.parse_image(stdout)
    if wanted["network"] != "host":
        _rc, stdout, _stderr = run([engine, "network", "inspect", wanted["network"]])
        answer["network"] = _container.parse_network(stdout)
    return answer


_UNIT_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
)


def service(run: Runner, unit: str) -> dict[str, t.Any]:
    """Return ``exists``, ``enabled``, ``active``, ``waiting``, ``outdated`` (bool: systemd has
    not read the unit's files of now) and ``state`` (in words) of a systemd unit.

    A unit that waits for its next automatic restart (120 s with EMQX) is not active: it is
    started like one that is down.
    """
    _rc, stdout, _stderr = run(
        ["systemctl", "show", f"--property={','.join(_UNIT_PROPERTIES)}", unit]
    )
    shown = dict(line.split("=", 1) for line in stdout.splitlines() if "=" in line)
    active = shown.get("ActiveState", "inactive")
    waiting = shown.get("SubState") == "auto-restart"
    return {
        "exists": shown.get("LoadState") == "loaded",
        "enabled": shown.get("UnitFileState") == "enabled",
        "active": active in ("active", "activating", "reloading") and not waiting,
        "waiting": waiting,
        "outdated": shown.get("NeedDaemonReload") == "yes",
        "state": f"{active} ({shown.get('SubState', 'dead')})",
    }


def stale_boot_files(current: t.Mapping[str, str | None], record: str) -> list[str]:
    """Return what differs between boot-time files and the copies made when the node started.

    ``current`` maps their paths to their texts.
    """
    if not os.path.isdir(record):
        return [UNKNOWN_BOOT]
    booted = {path: read_text(f"{record}/{os.path.basename(path)}") for path in current}
    return boot_changes(booted, current)


def data_nodes(data_dir: str) -> list[str]:
    """Return the node names that a data directory holds a database of (data_dir/mnesia/NAME)."""
    return [name for name in _names_in(f"{data_dir}/mnesia") if "@" in name]


def free_bytes(path: str) -> int:
    """Return the free space for ordinary users where ``path`` lies or, not made yet, would lie."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    info = os.statvfs(path)
    return info.f_bavail * info.f_frsize


def sysctl(key: str) -> str | None:
    """Return a kernel value with single blanks, None where this kernel does not know the key."""
    try:
        text = read_text("/proc/sys/" + key.replace(".", "/"))
    except OSError:
        return None
    return None if text is None else " ".join(text.split())


def nft_revision(run: Runner, table: str) -> dict[str, t.Any]:
    """Return whether nft is there, and the revision mark of our loaded table ("" if not loaded)."""
    try:
        rc, stdout, _stderr = run(["nft", "list", "table", "inet", table])
    except OSError:
        return {"available": False, "revision": ""}
    found = re.search(r"chain revision_([0-9a-f]+)", stdout) if rc == 0 else None
    return {"available": True, "revision": found.group(1) if found else ""}


def firewall(run: Runner, zones: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the firewall managers at work (``active``) and our rules in ``firewalld``, ``ufw``.

    ``zones`` are those of firewalld to read besides the default one and all that hold ours.
    """
    daemon = os.path.exists(_FIREWALLD_COMMAND) and service(run, "firewalld.service")["active"]
    configured = re.search(r"^ENABLED=yes", read_text("/etc/ufw/ufw.conf") or "", re.M | re.I)
    enabled = configured is not None and os.path.exists(_UFW_COMMAND)
    return {
        "active": [name for name, here in (("firewalld", daemon), ("ufw", enabled)) if here],
        "firewalld": _firewalld_state(run, zones, daemon),
        "ufw": _ufw_state(),
    }


_FIREWALLD_COMMAND, _UFW_COMMAND = "/usr/sbin/firewalld", "/usr/sbin/ufw"
_FIREWALLD = ("org.fedoraproject.FirewallD1", "/org/fedoraproject/FirewallD1")
_FIREWALLD_ZONES = "/etc/firewalld/zones"


def _firewalld_state(run: Runner, zones: t.Sequence[str], active: bool) -> dict[str, t.Any]:
    # What was removed with its package kept has no rules at work and nothing to remove them.
    files = _names_in(_FIREWALLD_ZONES) if os.path.exists(_FIREWALLD_COMMAND) else []
    permanent = {
        name[: -len(".xml")]: firewalld.parse_zone(read_text(f"{_FIREWALLD_ZONES}/{name}") or "")
        for name in files
        if name.endswith(".xml")
    }

    def ask(interface: str, method: str, *arguments: str) -> list[str]:
        # firewall-cmd answers the same, and takes 20 times as long.
        argv = ["busctl", "--auto-start=no", "call", *_FIREWALLD, _FIREWALLD[0] + interface]
        rc, stdout, _stderr = run([*argv, method, *arguments])
        return firewalld.parse_reply(stdout) if rc == 0 else []

    default = "".join(ask("", "getDefaultZone")) if active else ""
    found = {}
    for zone in {*zones, default, *(zone for zone, rules in permanent.items() if rules)} - {""}:
        shown = ask(".zone", "getRichRules", "s", zone) if active else []
        found[zone] = {
            "runtime": sorted(rule for rule in shown if firewalld.is_ours(rule)),
            "permanent": sorted(permanent.get(zone, [])),
        }
    return {
        "default_zone": default,
        "known_zones": sorted(ask(".zone", "getZones")) if active else [],
        "zones": found,
    }


def _ufw_state() -> dict[str, t.Any]:
    installed = os.path.exists(_UFW_COMMAND)
    setting = re.search(r"^IPV6=[\"']?(\w+)", read_text("/etc/default/ufw") or "", re.M)
    rules = {
        f"v{version}": ufw.parse_rules(
            (read_text(f"/etc/ufw/user{suffix}.rules") or "") if installed else ""
        )
        for version, suffix in ((4, ""), (6, "6"))
    }
    return {"ipv6": setting is not None and setting.group(1).lower() == "yes", **rules}


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def addresses(run: Runner, besides: t.Iterable[str] = ()) -> list[str]:
    """Return the host's own global addresses, IPv4 first, but for those in networks ``besides``."""
    _rc, stdout, _stderr = run(["ip", "-o", "address", "show", "scope", "global"])
    # A point-to-point link has "inet 10.8.0.1 peer 10.8.0.2/32".
    found = re.findall(r"\sinet6?\s+([0-9a-fA-F.:]+)(?:/|\s+peer\s)", stdout)
    inner = [ipaddress.ip_network(network) for network in besides]
    return [
        str(ip)
        for ip in sorted(map(ipaddress.ip_address, found), key=lambda ip: ip.version)
        if not any(ip in network for network in inner)
    ]


def certificates(run: Runner, files: t.Mapping[str, str]) -> dict[str, str]:
    """Return the PEM texts ``certificate``, ``ca`` and ``public_key`` (of the private key).

    ``files`` has the paths ``certificate``, ``ca`` and ``key``. What is not there is "".
    ``ends`` is when the certificate does, as 2029-02-27T12:00:00Z.
    """
    if not files:
        return {}

    def ask(*argv: str) -> str:
        try:
            rc, stdout, _stderr = run(["openssl", *argv])
        except OSError:
            return ""
        return stdout if rc == 0 else ""

    end = ask("x509", "-in", files["certificate"], "-noout", "-enddate").strip()
    return {
        "certificate": read_text(files["certificate"]) or "",
        "ca": read_text(files["ca"]) or "",
        "public_key": ask("pkey", "-in", files["key"], "-pubout"),
        "ends": _utc(end.partition("=")[2]) if end.startswith("notAfter=") else "",
    }


def _utc(moment: str) -> str:
    """Return a time as openssl prints it in the form of ISO 8601.

    >>> _utc("Feb 27 12:00:00 2029 GMT")
    '2029-02-27T12:00:00Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ssl.cert_time_to_seconds(moment)))


def search_path() -> str:
    """Return PATH with the folders of system commands, which a plain ``su`` leaves out."""
    return ":".join([os.environ.get("PATH", "/usr/bin:/bin"), "/usr/sbin", "/sbin"])


def resolve(name: str) -> list[str]:
    """Return the addresses a name has on this host, sorted; empty where it has none."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return sorted({str(item[4][0]) for item in found})
