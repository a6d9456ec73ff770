# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""From what a user wrote to types: the one place where text becomes a boolean, number or list.

Values come as text by ``-e``, from INI inventories and from lookups, and as anything that YAML
has. What is not of a variable's type, or not allowed as its value, becomes a finding, and the
variable's default takes its place, so that all findings are seen at once.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model import checks_values as checks
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.contradictions import (
    contradictions,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import (
    Keys,
    Numbers,
    Settings,
    Texts,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.shown import finding, shown

PREFIX = "emqx_"
# Added to the name of a file with a cookie that is to take the place of the one in that file.
NEXT_COOKIE = ".next"


@dataclasses.dataclass(frozen=True)
class Reading:
    """The settings of a host, and what is wrong with what they were made from."""

    settings: Settings
    findings: tuple[Finding, ...] = ()


class _UnfitError(Exception):
    """A value is not of its type; ``found`` is the value or the element that is not."""

    def __init__(self, found: t.Any) -> None:
        super().__init__("unfit")
        self.found = found


def read(variables: Record, host: str, inventory_dir: str) -> Reading:
    """Return the settings of a host from its variables, which are templated already.

    ``variables`` may hold others as well; one that is absent has its default. ``inventory_dir`` is
    where the cookie and the CA of the cluster are kept unless variables say otherwise; where the
    inventory is no file, the caller gives the working directory.
    """
    values: Json = {}
    findings: list[Finding] = []
    for name, kind in _KINDS.items():
        given = variables.get(PREFIX + name, _ABSENT)
        if given is _ABSENT or (name in _FOLLOWING and given in (None, "")):
            continue
        try:
            value = kind.read(plain(given))
        except _UnfitError as error:
            findings.append(_wrong_type(name, host, kind, given, error.found))
            continue
        problem = checks.problem(name, value, host)
        if problem:
            findings.append(problem)
        else:
            values[name] = value
    settings = Settings(**values)
    findings += contradictions(settings, host)
    return Reading(_resolved(settings, "rpc_tls" in values, inventory_dir), tuple(findings))


def missing(variables: Record, names: t.Iterable[str], host: str) -> list[Finding]:
    """Return a finding for each of the variables, by names in Settings, that is not set."""
    return [
        finding("missing", name, host, "a value", "none", f"set it, as -e {PREFIX}{name}=...")
        for name in names
        if variables.get(PREFIX + name) in (None, "", [], ())
    ]


_ALIKE = 0.84
# Public names that are no variables of the role: of playbooks, and a fact that it sets.
_OTHER_NAMES = ("cluster_group", "firewall_rules")


def unknown_variables(names: t.Iterable[str], host: str) -> list[Finding]:
    """Return a warning for each name that is nearly one of the role's variables.

    Others that begin with emqx_ may be a user's own. So may one that adds a word to a known name.
    """
    known = [*_KINDS, *_OTHER_NAMES]
    findings = []
    for name in sorted(set(names)):
        word = name[len(PREFIX) :] if name.startswith(PREFIX) else ""
        near = difflib.get_close_matches(word, known, n=1, cutoff=_ALIKE) if word else []
        if not near or word in known or _extends(word, known):
            continue
        findings.append(
            Finding(
                "unknown_variable",
                "a variable of the role",
                "a name that nothing reads",
                f"did you mean {PREFIX}{near[0]}?",
                hosts=(host,),
                subject=name,
                severity=WARNING,
            )
        )
    return findings


def _extends(word: str, known: t.Iterable[str]) -> bool:
    return any(word.startswith(f"{name}_") or word.endswith(f"_{name}") for name in known)


def plain(value: t.Any) -> t.Any:
    """Return a value without the types by which Ansible keeps track of where it comes from."""
    if isinstance(value, t.Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    for base in (str, float, int):
        if isinstance(value, base) and not isinstance(value, bool):
            return base(value)
    return value


# As ansible.module_utils.parsing.convert_bool has them.
_TRUE = frozenset(("y", "yes", "on", "1", "true", "t", 1))
_FALSE = frozenset(("n", "no", "off", "0", "false", "f", 0))
_LARGEST = 10**18
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


def _boolean(value: t.Any) -> bool:
    if isinstance(value, (str, bool, int, float)):
        word = value.lower().strip() if isinstance(value, str) else value
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    raise _UnfitError(value)


def _number(value: t.Any) -> int:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    raise _UnfitError(value)


def _text(value: t.Any) -> str:
    if isinstance(value, str):
        return value
    raise _UnfitError(value)


def _trimmed(value: t.Any) -> str:
    return _text(value).strip()


def _port(value: t.Any) -> str:
    return value if isinstance(value, str) else str(_number(value))


def _dictionary(value: t.Any) -> Keys:
    if isinstance(value, dict):
        return value
    raise _UnfitError(value)


def _list(element: t.Callable[[t.Any], t.Any]) -> t.Callable[[t.Any], tuple[t.Any, ...]]:
    def reader(value: t.Any) -> tuple[t.Any, ...]:
        if not isinstance(value, list):
            raise _UnfitError(value)
        return tuple(element(item) for item in value)

    return reader


def _names(value: t.Any) -> Texts:
    """Return names that are given as a list or with commas."""
    parts = [value] if isinstance(value, str) else _list(_text)(value)
    return tuple(name.strip(" \t") for part in parts for name in part.split(",") if name.strip())


class _Kind(t.NamedTuple):
    """The type of a variable: ``read`` takes what plain() returned and raises _UnfitError."""

    expected: str
    read: t.Callable[[t.Any], t.Any]


_AS_LIST = "a list of strings"
_BY_ANNOTATION: t.Mapping[t.Any, _Kind] = {
    str: _Kind("a string", _text),
    bool: _Kind("true or false", _boolean),
    int: _Kind("a whole number", _number),
    Texts: _Kind(_AS_LIST, _list(_text)),
    Numbers: _Kind("a list of whole numbers", _list(_number)),
    Keys: _Kind("a dictionary", _dictionary),
}
_WITH_COMMAS = _Kind("a list of names, or names with commas", _names)
_BY_NAME: t.Mapping[str, _Kind] = {
    "new_hosts": _WITH_COMMAS,
    "remove_hosts": _WITH_COMMAS,
    "phases": _WITH_COMMAS,
    "container_ports": _Kind("a list of ports", _list(_port)),
    # What an encrypted file or block gives has a newline at its end.
    "license": _Kind("a string", _trimmed),
    "k8s_token": _Kind("a string", _trimmed),
}
_HINTS = t.get_type_hints(Settings)
_KINDS: t.Mapping[str, _Kind] = {
    field.name: _BY_NAME.get(field.name) or _BY_ANNOTATION[_HINTS[field.name]]
    for field in dataclasses.fields(Settings)
}
# Where null means that another variable decides.
_FOLLOWING = frozenset({"rpc_tls"})
_ABSENT = object()


def _wrong_type(name: str, host: str, kind: _Kind, given: t.Any, unfit: t.Any) -> Finding:
    seen = shown(name, unfit)
    element = isinstance(given, (list, tuple)) and kind.expected.startswith("a list")
    return finding(
        "wrong_type",
        name,
        host,
        kind.expected,
        f"a list with {seen}" if element else seen,
        _remedy(name, kind.expected, unfit, element),
    )


def _remedy(name: str, expected: str, unfit: t.Any, element: bool) -> str:
    what = "that element" if element else "it"
    if isinstance(unfit, (bool, int, float)) and "string" in expected:
        return f"put {what} in quotes"
    if element:
        return f"correct {what}"
    if unfit is None:
        return "remove the variable to have its default, or give it a value"
    if isinstance(unfit, str) and expected.startswith(("a list", "a dictionary")):
        example = "[...]" if expected.startswith("a list") else "{...}"
        return f"write {expected} in YAML, with -e in JSON: -e '{{\"{PREFIX}{name}\": {example}}}'"
    return f"make it {expected}"


def _resolved(settings: Settings, own_rpc_tls: bool, inventory_dir: str) -> Settings:
    """Fill in what "" stands for where that follows from other settings."""
    kept = f"{inventory_dir.rstrip('/')}/.emqx/{settings.cluster_name}"
    named = settings.cluster_name != Settings.cluster_name
    number = f"-{settings.instance}" if settings.instance else ""
    discovery = "manual" if settings.in_container else "stateless"
    new_cookie = settings.new_cookie and not settings.cookie
    return dataclasses.replace(
        settings,
        rpc_tls=settings.rpc_tls if own_rpc_tls else settings.dist_tls,
        rpc_port_discovery=settings.rpc_port_discovery or discovery,
        container_name=settings.container_name or f"emqx{number}",
        etcd_prefix=settings.etcd_prefix or (settings.cluster_name if named else ""),
        cookie_file=(settings.cookie_file or f"{kept}.cookie") + NEXT_COOKIE * new_cookie,
        new_cookie=new_cookie,
        dashboard_password_file=settings.dashboard_password_file or f"{kept}.dashboard-password",
        backup_dir=settings.backup_dir or f"{inventory_dir.rstrip('/')}/.emqx/backups",
        tls_ca_dir=settings.tls_ca_dir or f"{kept}-ca",
    )
