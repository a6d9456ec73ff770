# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the module discovery_info asks a service: its options, and the answer."""

from __future__ import annotations

import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._discovery import (
    dns,
    etcd,
    k8s,
    matching,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._emqx.service_account import (
    SERVICE_ACCOUNT,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError, WaitTimeout
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for

Params = t.Mapping[str, t.Any]


def _seeds(params: Params) -> dict[str, t.Any]:
    entries = [{"name": str(seed)} for seed in params["settings"]["seeds"]]
    return {"entries": entries, "asked": "", "failure": "", "detail": ""}


# By strategy, who asks. A further one is a file _x.py with ask(settings, timeout), a line here,
# and a choice in the documentation.
ASK: dict[str, t.Callable[[Params], dict[str, t.Any]]] = {
    "static": _seeds,
    "dns": lambda params: dns.ask(params["settings"], params["timeout"]),
    "etcd": lambda params: etcd.ask(params["settings"], params["timeout"]),
    "k8s": lambda params: k8s.ask(params["settings"], params["timeout"], params["service_account"]),
}

OPTIONS: dict[str, t.Any] = {
    "strategy": {"type": "str", "choices": list(ASK), "required": True},
    "settings": {"type": "dict", "required": True},
    "node": {"type": "str", "required": True},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "service_account": {"type": "path", "default": SERVICE_ACCOUNT},
    "timeout": {"type": "float", "default": 5},
    "settle": {"type": "float", "default": 0},
}


def read(params: Params) -> dict[str, t.Any]:
    """Return the answer of the module: ``discovery``.

    Raise InputError where this host lacks what it takes to ask.
    """
    strategy, settings = params["strategy"], params["settings"]
    if strategy == "dns" and dns.MISSING:
        raise InputError(f"asking DNS needs {dns.PACKAGE} on this host")

    def ask(_left: float) -> dict[str, t.Any]:
        answer = ASK[strategy](params)
        return matching.report(strategy, settings, params["node"], params["nodes"], answer)

    try:
        found = wait_for(ask, matching.is_settled, Deadline(params["settle"]), interval=0.5)
    except WaitTimeout as error:
        found = dict(error.last)
    return {"discovery": found}
