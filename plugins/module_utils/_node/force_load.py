# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Have a node take its own copies of tables, for which it waits, as the newest ones."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import CommandError
from ansible_collections.mqttops.emqx.plugins.module_utils._node.ctl import VIEW_TIMEOUT, Ctl
from ansible_collections.mqttops.emqx.plugins.module_utils._node.view import View

# Tables that the node cannot read, and of which no node that runs has a copy.
_LOAD = """
[mnesia:force_load_table(Tab) || Tab <- mnesia:system_info(tables),
    mnesia:table_info(Tab, where_to_read) =:= nowhere,
    mnesia:table_info(Tab, active_replicas) =:= []],
ok
"""


def force_load(ctl: Ctl) -> None:
    """Do so; what came of it is to be looked at, as the exit code means nothing."""
    ctl.run(["eval", " ".join(_LOAD.split())], VIEW_TIMEOUT)


def look(ctl: Ctl, timeout: float) -> View:
    """Return the node's view; one that cannot be asked is booting."""
    try:
        return ctl.view(timeout=timeout)
    except CommandError as error:
        return View(state="booting", reason=error.message)
