# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What the module cluster_info asks a node: its options, and the answer."""

from __future__ import annotations

from ansible_collections.mqttops.emqx.plugins.module_utils._host.certificates import certificates
from ansible_collections.mqttops.emqx.plugins.module_utils._host.run import RunCommand, runner
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.describe import describe
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options

OPTIONS: Options = {
    **ctl_options(timeout=45),
    "certificates": {"type": "dict", "default": {}},
    "others": {"type": "bool", "default": False},
}


def read(params: Record, run_command: RunCommand) -> Json:
    """Return the answer of the module: ``emqx``, ``tls`` and ``others`` where asked for."""
    others = params["others"]
    view = ctl_of(params, run_command).view(timeout=params["timeout"], others=others)
    tls = certificates(runner(run_command), params["certificates"])
    answer = {"emqx": describe(view), **({"tls": tls} if tls else {})}
    if others:
        answer["others"] = {name: describe(other) for name, other in view.others.items()}
    return answer
