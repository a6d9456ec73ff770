# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The layers of a node's configuration: what this collection sets by default, and what users set.

EMQX merges, later ones above: its schema's defaults, base.hocon, cluster.hocon (dashboard and API),
emqx.conf, the environment. A default that stands in emqx.conf is left out where base.hocon sets the
same key, as it would stand above it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.changes import environment_key
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon import (
    expand,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_reader import read_variable
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.hocon_tree import flatten, merge
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.versions import compare
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Tree
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.default_ports import (
    DASHBOARD_PORT,
    LISTENER_STEP,
    LISTENERS,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.environment import values
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings

# Up to 6.0.2 the vendor's emqx.conf switches the dashboard on; newer ones do it in base.hocon.
_DASHBOARD_IN_BASE = "6.0.3"
_DASHBOARD: Tree = {"dashboard": {"listeners": {"http": {"bind": DASHBOARD_PORT}}}}
_PASSWORD = "dashboard.default_password"
_CERTIFICATES = {
    "cacertfile": "${EMQX_ETC_DIR}/certs/cacert.pem",
    "certfile": "${EMQX_ETC_DIR}/certs/cert.pem",
    "keyfile": "${EMQX_ETC_DIR}/certs/key.pem",
}


def sets_dashboard_password(settings: Settings) -> bool:
    """Tell whether the configuration says itself which password the user admin gets."""
    try:
        layers = merge(expand(dict(settings.base_config)), expand(dict(settings.config)))
    except InputError:
        # It is refused for that.
        return True
    keys = {environment_key(name) for name in values(settings)}
    return _PASSWORD in flatten(layers) or _PASSWORD in keys


def base_layer(settings: Settings) -> Tree:
    """Return the content of base.hocon, {} where the vendor's is left as it is."""
    given = expand(dict(settings.base_config))
    return merge(_vendor_base(settings), given) if given else {}


def main_layer(settings: Settings, ipv6: bool) -> Tree:
    """Return what emqx.conf has besides what follows from the cluster: defaults and emqx_config.

    ``ipv6`` tells whether nodes talk to one another over IPv6.
    """
    defaults = _without(_defaults(settings, ipv6), expand(dict(settings.base_config)))
    if settings.dashboard_password and not sets_dashboard_password(settings):
        password: Tree = {"dashboard": {"default_password": settings.dashboard_password}}
        defaults = merge(defaults, password)
    return merge(defaults, expand(dict(settings.config)))


def merged(settings: Settings, ipv6: bool) -> Tree:
    """Return what EMQX makes of base.hocon, emqx.conf and the environment.

    What the dashboard and the API set is not in it. Raises InputError for what cannot be merged.
    """
    layers = merge(_vendor_base(settings), base_layer(settings))
    layers = merge(layers, main_layer(settings, ipv6))
    for name, text in values(settings).items():
        key = environment_key(name)
        if key:
            layers = merge(layers, _nested(key, text))
    return layers


def _nested(key: str, text: str) -> Tree:
    value = read_variable(text)
    # EMQX leaves out what is empty between underscores.
    parts = [part for part in key.split(".") if part]
    for part in reversed(parts):
        value = {part: value}
    return t.cast(Tree, value) if parts else {}


def _vendor_base(settings: Settings) -> Tree:
    return _DASHBOARD if compare(settings.version, _DASHBOARD_IN_BASE) >= 0 else {}


def _defaults(settings: Settings, ipv6: bool) -> Tree:
    """Return the defaults in emqx.conf: all listeners with the ports of an instance, over IPv6 on
    IPv6 as well as on IPv4; else those of the vendor's own emqx.conf."""
    if not ipv6 and not settings.instance:
        return {} if _vendor_base(settings) else _DASHBOARD
    step = LISTENER_STEP * settings.instance
    address = "[::]" if ipv6 else "0.0.0.0"
    http: Tree = {"bind": DASHBOARD_PORT + step, **({"inet6": True} if ipv6 else {})}
    # A listener of which anything is set loses the vendor's defaults for it: they stand here, too.
    tls = {"ssl": {"ssl_options": _CERTIFICATES}, "wss": {"ssl_options": _CERTIFICATES}}
    listeners = {
        kind: {"default": {"bind": f"{address}:{LISTENERS[kind] + step}", **tls.get(kind, {})}}
        for kind in ("tcp", "ws", "ssl", "wss")
    }
    return {"dashboard": {"listeners": {"http": http}}, "listeners": listeners}


def _without(defaults: Tree, given: Tree) -> Tree:
    """Return defaults without the keys that ``given`` sets."""
    kept: Tree = {}
    for key, value in defaults.items():
        if key not in given:
            kept[key] = value
        elif isinstance(value, dict) and isinstance(given[key], dict):
            deeper = _without(value, given[key])
            kept.update({key: deeper} if deeper else {})
    return kept
