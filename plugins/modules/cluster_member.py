#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import EmqxError
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import node_atom
from ansible_collections.mqttops.emqx.plugins.module_utils._node.membership import (
    Desired,
    Outcome,
    foresee,
    fulfil,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline


def desired_of(params: Record) -> Desired:
    if params["state"] == "left":
        return Desired("left")
    joined = params["state"] == "joined"
    target = params["seed"] if joined else params["node"]
    node_atom(target)
    return Desired(params["state"], target, params["allow_data_loss" if joined else "force"])


def run(module: AnsibleModule) -> Outcome:
    ctl = ctl_of(module.params, module.run_command)
    desired, timeout = desired_of(module.params), module.params["timeout"]
    if module.check_mode:
        return foresee(ctl, desired, timeout)
    return fulfil(ctl, desired, Deadline(timeout))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ctl_options(timeout=120),
            "state": {"choices": ["joined", "left", "evicted"], "default": "joined"},
            "seed": {},
            "node": {},
            "allow_data_loss": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
        },
        required_if=[("state", "joined", ["seed"]), ("state", "evicted", ["node"])],
        supports_check_mode=True,
    )
    try:
        outcome = run(module)
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(
        changed=outcome.action != "none",
        action=outcome.action,
        msg=outcome.reason,
        members={"before": outcome.before, "after": outcome.after},
        diff={"before": outcome.before, "after": outcome.after},
    )


if __name__ == "__main__":
    main()
