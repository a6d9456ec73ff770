# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The environment of a node's process: its file, and names that do not do what they promise.

EMQX reads the value of each EMQX_* variable as HOCON (hocon_tconf:read_hocon_val), in which #
begins a comment, = a field, and a number loses its leading zeros. So a value is written as HOCON
that reads as what the user gave, and that is quoted once more for systemd.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import environment_key
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import render_value
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import parse_value
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._findings import WARNING, Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.schema import (
    known_roots,
    nearest_root,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

# What bin/emqx reads itself, as plain text (EMQX 5.0 to 6.3).
_OF_THE_SCRIPT = frozenset(
    (
        "EMQX_DEFAULT_LOG_HANDLER",
        "EMQX_ETC_DIR",
        "EMQX_LOG_DIR",
        "EMQX_NODE_COOKIE",
        "EMQX_NODE_NAME",
        "EMQX_SSL_DIST_OPTFILE",
        "EMQX_WAIT_FOR_START",
        "EMQX_WAIT_FOR_STOP",
    )
)
# Keys whose value is a text whatever it looks like.
_TEXT_KEY = re.compile(r"(password|passphrase|passwd|secret|token|cookie)$")


def value_text(name: str, value: t.Any) -> str:
    """Return the value of a variable so that EMQX reads what the user wrote.

    Numbers, booleans, lists and dictionaries become HOCON. A text stays as it is where that reads
    as one HOCON value and loses nothing by it (5, true, 30s, "quoted", [1, 2], {a = 1}), else it is
    quoted; below a key for a password or token it is quoted unless it is in quotes already.
    """
    key = environment_key(name)
    if not key or name in _OF_THE_SCRIPT:
        return _plain(value)
    if not isinstance(value, str):
        return render_value(value, name)
    if not value or (value[0] == '"' and _reads_as(value)):
        return value
    is_text = _TEXT_KEY.search(key) is not None
    return value if _reads_as(value) and not is_text else render_value(value, name)


def _plain(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reads_as(text: str) -> bool:
    """Tell whether EMQX reads a text as one HOCON value that means all of it."""
    try:
        value = parse_value(text)
    except InputError:
        return False
    if isinstance(value, dict):
        return text.lstrip().startswith("{")
    # A list, or a text in quotes.
    if text.startswith(("[", '"')):
        return True
    # Else it has to come out as it went in: not 007, nor what has a comment.
    return text == (value if isinstance(value, str) else render_value(value, ""))


def values(settings: Settings) -> dict[str, str]:
    """Return the variables of the node's process with their texts, sorted by name."""
    return {
        name: value_text(name, settings.environment[name]) for name in sorted(settings.environment)
    }


def quoted(value: str) -> str:
    """Return a value as systemd reads it in an EnvironmentFile (systemd.exec(5)).

    >>> quoted('say "hi"')
    '"say \\\\"hi\\\\""'
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def environment_findings(settings: Settings) -> list[Finding]:
    """Return warnings about names in emqx_environment that do nothing, or nothing good."""
    return [
        *_name_findings(settings),
        *(
            literal_finding("emqx_environment", name)
            for name, value in settings.environment.items()
            if is_literal_reference(environment_key(name), value)
        ),
    ]


# Names of the image's entry point and of EMQX 4.x, and what takes their place.
_OTHER_NAMES = {
    "EMQX_NAME": "remove it: emqx_node_name is the name of the node",
    "EMQX_HOST": "remove it: emqx_node_address is the host part of the node's name",
    "EMQX_CLUSTER__DISCOVERY": "remove it: emqx_discovery_strategy is the strategy",
    "EMQX_LOADED_PLUGINS": "use plugins.states in emqx_config",
    "EMQX_LOADED_MODULES": "remove it: modules of 4.x are features with keys of their own",
    "EMQX_ALLOW_ANONYMOUS": "remove it: without authentication in emqx_config all clients may "
    "connect",
    "EMQX_ADMIN_PASSWORD": "use EMQX_DASHBOARD__DEFAULT_PASSWORD",
    "EMQX_DASHBOARD__DEFAULT_USER__LOGIN": "use EMQX_DASHBOARD__DEFAULT_USERNAME",
    "EMQX_DASHBOARD__DEFAULT_USER__PASSWORD": "use EMQX_DASHBOARD__DEFAULT_PASSWORD",
}
_OTHER_STARTS = {
    "EMQX_LISTENER__": "use EMQX_LISTENERS__, as in EMQX_LISTENERS__TCP__DEFAULT__BIND",
    "EMQX_AUTH__": "use authentication in emqx_config",
    "EMQX_ZONE__": "use EMQX_ZONES__, or EMQX_MQTT__ for all zones",
    "EMQX_BRIDGE__": "use connectors and actions in emqx_config",
    "EMQX_MANAGEMENT__": "use EMQX_DASHBOARD__LISTENERS__: it serves the API as well",
}


def _name_findings(settings: Settings) -> t.Iterator[Finding]:
    for name in settings.environment:
        remedy = _remedy(str(name), settings.version)
        if remedy:
            yield Finding(
                "unknown_variable_name",
                f"a name that EMQX {settings.version} takes, such as EMQX_MQTT__MAX_PACKET_SIZE",
                f"{name} in emqx_environment",
                remedy,
                subject="emqx_environment",
                severity=WARNING,
            )


def _remedy(name: str, version: str) -> str:
    """Return what to do about a name, "" where nothing is known against it."""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    for start, remedy in _OTHER_STARTS.items():
        if name.startswith(start):
            return remedy
    root = environment_key(name).partition(".")[0]
    if root:
        known = "__" not in name or root in known_roots(version)
        near = "" if known else nearest_root(root, version)
        return f"use EMQX_{near.upper()}__...: there is no root {root}" if near else ""
    whole = name.upper()
    if whole.startswith("EMQX_"):
        return f"use {whole}: EMQX reads names in capital letters"
    return f"use EMQX_{whole}: EMQX reads names with EMQX_ before them" if "__" in name else ""


_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}(?!/)")


def is_literal_reference(key: str, value: t.Any) -> bool:
    """Tell whether a text refers to a variable of the environment where EMQX takes it literally.

    Placeholders such as ${clientid} are in small letters, and a path may begin with a variable.
    """
    path = key.rpartition(".")[2].endswith(("file", "path", "dir"))
    return isinstance(value, str) and not path and _REFERENCE.search(value) is not None


def literal_finding(variable: str, where: str) -> Finding:
    """Return the warning about such a text at ``where`` in a variable; it never quotes it."""
    return Finding(
        "literal_reference",
        "a value: EMQX takes ${NAME} in quotes literally, and text of emqx_config is always quoted",
        f"a reference to a variable of the environment at {where} in {variable}",
        "give the value itself, by a lookup (\"{{ lookup('ansible.builtin.env', 'NAME') }}\") or "
        "from a vault, or set the key by its EMQX_* name in emqx_environment",
        subject=variable,
        severity=WARNING,
    )
