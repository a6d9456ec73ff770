# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the value of a public variable may be, as one table.

What follows from other hosts, from discovery, names or certificates is checked where that is
modelled; here stands what can be said of one value by itself.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import cookie_problem
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.default_ports import MAX_INSTANCE
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import PHASES
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.shown import (
    finding,
    kind_of,
    shown,
)

# A time in UTC, as users write it and runs print it.
MOMENT = "%Y-%m-%dT%H:%M:%SZ"

# Files of the control node or their text.
_PEM = frozenset(
    {"etcd_ca", "etcd_certificate", "etcd_key", "k8s_ca", "tls_ca", "tls_certificate", "tls_key"}
)

CHOICES: t.Mapping[str, tuple[str, ...]] = {
    "discovery_strategy": ("static", "manual", "dns", "etcd", "k8s", "singleton"),
    "dns_record_type": ("a", "aaaa", "srv"),
    "k8s_address_type": ("ip", "dns", "hostname"),
    "proto_dist": ("inet_tcp", "inet6_tcp", "inet_tls", "inet6_tls"),
    "rpc_port_discovery": ("", "stateless", "manual"),
    "node_role": ("core", "replicant"),
    "edition": ("", "opensource", "enterprise"),
    "deployment": ("package", "container"),
    "container_engine": ("podman", "docker"),
    "package_type": ("package", "tarball"),
    "package_source": ("download", "controller", "host", "repository"),
    "firewall_backend": ("auto", "nftables", "firewalld", "ufw", "none"),
    "status_format": ("table", "json"),
    "drain_state": ("stopped", "evacuated", "serving"),
    "phases": PHASES,
}

# The smallest and the largest value, and what is counted.
RANGES: t.Mapping[str, tuple[int, int, str]] = {
    "rpc_server_port": (1, 65535, "port"),
    "instance": (0, MAX_INSTANCE, "instance"),
    "min_free_mb": (0, 10**9, "MB"),
    "ready_timeout": (1, 86400, "seconds"),
    "cluster_timeout": (1, 86400, "seconds"),
    "gate_timeout": (1, 86400, "seconds"),
    "gate_clients_share": (0, 100, "percent"),
    "evacuate_rate": (1, 10**6, "clients a second"),
    "evacuate_health_check": (1, 86400, "seconds"),
    "evacuate_takeover": (1, 86400, "seconds"),
    "evacuate_timeout": (1, 86400, "seconds"),
    "upgrade_batch": (1, 1000, "replicants"),
    "backup_keep": (0, 10000, "backups"),
    # The kernel's own limit of fs.nr_open on 64 bits.
    "tuning_nofile": (1024, 2147483584, "open files"),
    "min_cores": (1, 1000, "cores"),
}


class Rule(t.NamedTuple):
    """What a value, or each element of a list, has to be; ``found`` says what is wrong with one
    that is not shown."""

    holds: t.Callable[[str], bool]
    expected: str
    remedy: str = "correct it"
    code: str = "bad_value"
    found: t.Callable[[str], str] | None = None


def _matches(pattern: str, empty: bool = False) -> t.Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: (empty and not text) or compiled.fullmatch(text) is not None


_FEW_CHARACTERS = 5


def _too_simple(password: str) -> str:
    """Return why EMQX would not take a password, "" if it does (emqx_dashboard_admin, 5.0-6.3)."""
    if not 8 <= len(password) <= 64:
        return f"{len(password)} characters"
    kinds = [kind for kind in ("[0-9]", "[A-Za-z]", "[^0-9A-Za-z]") if re.search(kind, password)]
    return "" if len(kinds) > 1 else "characters of one kind"


def _weakness(cookie: str) -> str:
    if not cookie:
        return ""
    few = len(set(cookie)) < _FEW_CHARACTERS
    return cookie_problem(cookie) or (
        f"it has fewer than {_FEW_CHARACTERS} different characters" if few else ""
    )


def _is_subnet(text: str) -> bool:
    try:
        return "/" in text and ipaddress.IPv4Network(text) is not None
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return not text or dt.datetime.strptime(text, MOMENT) is not None
    except ValueError:
        return False


_PUBLISHED = re.compile(
    r"(?:(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:]+\]):)?([0-9]{1,5})(?:-([0-9]{1,5}))?"
    r":([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(?:tcp|udp|sctp))?|([0-9]{1,5})"
)


def _is_published(text: str) -> bool:
    match = _PUBLISHED.fullmatch(text)
    return match is not None and all(
        0 < int(port) <= RANGES["rpc_server_port"][1] for port in match.groups() if port
    )


# Directories that belong to the system, and those below which nothing of a node may lie: what is
# put there is executed, is lost at a boot or can be replaced by any user of the host.
_SYSTEM = re.compile(
    "/|/(home|media|mnt|opt|srv|usr|var)|/usr/local|/var/(cache|lib|local|log|opt)"
)
_SYSTEM_TREE = re.compile(
    "/(bin|boot|dev|etc|lib(32|64)?|lost\\+found|proc|root|run|sbin|sys|tmp"
    "|usr/(local/)?(bin|etc|include|lib(32|64|exec)?|sbin|share|src)|var/(lock|mail|run|spool|tmp)"
    "|var/lib/(apt|containerd|containers|dnf|docker|dpkg|rpm|systemd))(/.*)?"
)


def _is_own(path: str) -> bool:
    return not (_SYSTEM.fullmatch(path) or _SYSTEM_TREE.fullmatch(path))


# Such a path needs no quotes in a shell, a unit, a mount option or emqx.conf.
_DIRECTORY = r"(?!.*/\.\.?(?:/|$))(?=.{2,200}$)(?:/[0-9A-Za-z._+@-]+)+"
_URL = r"(?:https?|ftp|file)://[0-9A-Za-z._~:/?#\[\]@!$&()*+,;=%-]+"
_OBJECT = r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}"
# Modes of podman and docker that are no network of several containers.
_MODES = "none|bridge|default|private|nat|pasta|slirp4netns"


def _directory(empty: bool) -> tuple[Rule, ...]:
    return (
        Rule(
            _matches(_DIRECTORY, empty),
            "an absolute path such as /data/emqx, out of letters, digits and the characters "
            "._+@- with no .. in it and no slash at its end",
        ),
        Rule(
            _is_own,
            "a directory of its own",
            "choose another, such as /data/emqx: this one belongs to the system",
        ),
    )


_FILE = (Rule(_matches(r"(?:.*/)?(?!\.{1,2}$)[^/]+", empty=True), "a file on the control node"),)
_FOLDER = (Rule(_matches(r".*[^./].*", empty=True), "a directory of its own on the control node"),)
_LINK = (Rule(_matches(_URL, empty=True), "a URL that begins with https://"),)

_PLACE = (Rule(_matches(r"(?:[^-\s](?:.*\S)?)?"), "a URL or a path"),)
RULES: t.Mapping[str, tuple[Rule, ...]] = {
    "version": (
        # As the vendor's files have it.
        Rule(
            _matches(r"[0-9]+\.[0-9]+\.[0-9]+(?:-(?:alpha|beta|rc)[.0-9]*)?"),
            "three numbers such as 5.8.9",
            "write the full version",
            "bad_version",
        ),
    ),
    "cookie": (
        Rule(
            lambda text: not _weakness(text),
            "a cookie of this cluster's own",
            "leave emqx_cookie unset to have one generated, or set it to 16 to 64 letters, "
            "digits, '_' and '-'",
            "cookie",
            lambda text: f"one that cannot be used: {_weakness(text)}",
        ),
    ),
    "dashboard_password": (
        Rule(
            lambda text: not text or not _too_simple(text),
            "8 to 64 characters of two kinds at least (letters, digits, others), not the vendor's",
            "leave emqx_dashboard_password unset to have one made, or set a better one",
            found=_too_simple,
        ),
    ),
    "license": (Rule(_matches(r"\S*"), "a key, file:///PATH or evaluation, without blanks"),),
    "data_dir": _directory(empty=True),
    "root_dir": _directory(empty=False),
    "download_dir": _directory(empty=False),
    "upgrade_dir": _directory(empty=False),
    "cookie_file": _FILE,
    "dashboard_password_file": _FILE,
    "backup_dir": _FOLDER,
    "backup_vault_password_file": _FILE,
    "restore_from": _FOLDER,
    "tls_ca_dir": _FOLDER,
    "status_json": _FILE,
    "report": _FILE,
    "preflight_json": _FILE,
    "doctor_json": _FILE,
    "plan_json": _FILE,
    "package": _PLACE,
    "rollback_package": _PLACE,
    "package_sha256": (
        Rule(_matches(r"[0-9A-Fa-f]{64}", empty=True), "a SHA-256 of 64 hexadecimal digits"),
    ),
    "download_url": _LINK,
    "repository_url": _LINK,
    "repository_key": _LINK,
    "image": (
        Rule(
            _matches(r"[0-9A-Za-z][0-9A-Za-z._/:@+-]{0,511}", empty=True),
            "the name of an image such as docker.io/emqx/emqx:5.8.9",
        ),
    ),
    "container_name": (
        Rule(
            _matches(_OBJECT, empty=True),
            "a letter or digit, then letters, digits and the characters _.-",
        ),
    ),
    "container_network": (
        Rule(
            _matches(rf"(?!(?:{_MODES})$){_OBJECT}"),
            "host, or the name of a network for containers out of letters, digits and the "
            "characters _.-",
        ),
    ),
    "restart_since": (Rule(_is_moment, "a time in UTC such as 2026-12-01T06:30:00Z"),),
    "evacuate_redirect_to": (
        Rule(_matches(r"[0-9A-Za-z._:\[\]-]+:[0-9]{1,5}"), "an address as HOST:PORT"),
    ),
    "container_subnet": (Rule(_is_subnet, "an IPv4 network such as 10.213.0.0/24"),),
    "container_ports": (
        Rule(
            _is_published,
            "ports from 1 to 65535, each as a number or as HOST:CONTAINER",
        ),
    ),
}


_ONE_LINE = Rule(str.isprintable, "a single line of printable characters")
_NAMED = Rule(bool, "a list without empty strings", "remove the empty one")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")


def _rules(name: str, value: t.Any) -> t.Iterator[Rule]:
    """Yield what counts for a string, or for each element of a list, of a variable."""
    if name in CHOICES:
        allowed = CHOICES[name]
        words = ", ".join(word or '"" (which decides by itself)' for word in allowed)
        yield Rule(
            lambda text: text in allowed, f"one of {words}", "correct its spelling", "bad_choice"
        )
        return
    if isinstance(value, tuple):
        yield _NAMED
    if not (name in _PEM and "-----BEGIN " in str(value)):
        yield _ONE_LINE
    yield from RULES.get(name, ())


def problem(name: str, value: t.Any, host: str) -> Finding | None:
    """Return what is wrong with the value, of the right type, of a variable."""
    if name == "environment":
        return _environment(value, host)
    if name in RANGES:
        low, high, what = RANGES[name]
        if low <= value <= high:
            return None
        expected = f"a whole number from {low} to {high} ({what})"
        return finding("out_of_range", name, host, expected, shown(name, value), "correct it")
    if name == "phases" and not value:
        return finding(
            "bad_value", name, host, "at least one phase", "none", "name those to be run"
        )
    parts = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(part, str) for part in parts):
        return None
    for rule in _rules(name, value):
        for part in parts:
            if not rule.holds(part):
                seen = rule.found(part) if rule.found else shown(name, part)
                return finding(rule.code, name, host, rule.expected, seen, rule.remedy)
    return None


def _environment(value: t.Mapping[t.Any, t.Any], host: str) -> Finding | None:
    for key, item in value.items():
        if not isinstance(key, str) or not _ENVIRONMENT_NAME.fullmatch(key):
            start = _ENVIRONMENT_NAME.match(key) if isinstance(key, str) else None
            return finding(
                "bad_value",
                "environment",
                host,
                "names of letters, digits and _, such as EMQX_LOG__CONSOLE__LEVEL",
                f"a name that begins with {start.group()!r} and goes on otherwise"
                if start
                else "a name that begins with something else",
                "correct that name",
            )
        if not isinstance(item, (str, int, float)) or "\0" in str(item):
            return finding(
                "bad_value",
                "environment",
                host,
                f"a string, a number or a boolean for {key}",
                "a string with a NUL" if isinstance(item, str) else kind_of(item),
                "write the value as a string, as EMQX is to read it",
            )
    return None
