#!/usr/bin/python
# Copyright (c) 2026, mqttops contributors
# At your choice: Apache License 2.0 (see LICENSE) or GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    EmqxError,
    InputError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import node_atom
from ansible_collections.mqttops.emqx.plugins.module_utils._node.gate import Whole, least, look
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for


def whole_of(params: Record) -> Whole:
    for name in params["members"]:
        node_atom(name)
    if params["interval"] < 1:
        raise InputError(f"interval is {params['interval']}: expected at least 1 second")
    alarms = None if params["alarms"] is None else frozenset(params["alarms"])
    clients = least(params["clients_before"], params["clients_share"])
    return Whole(tuple(params["members"]), clients, alarms, params["version"])


def run(module: AnsibleModule) -> Json:
    params = module.params
    whole, ctl = whole_of(params), ctl_of(params, module.run_command)
    if module.check_mode:
        return look(ctl, whole, params["timeout"]).as_dict()
    return wait_for(
        lambda left: look(ctl, whole, left),
        lambda glance: not glance.missing,
        Deadline(params["timeout"]),
        params["interval"],
    ).as_dict()


def main() -> None:
    options = {
        **ctl_options(timeout=300),
        "members": {"type": "list", "elements": "str", "required": True},
        "clients_before": {"type": "int", "default": 0},
        "clients_share": {"type": "int", "default": 0},
        "alarms": {"type": "list", "elements": "str"},
        "version": {"type": "str", "default": ""},
        "interval": {"type": "int", "default": 2},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        result = run(module)
    except WaitTimeout as error:
        last = error.last.as_dict()
        module.fail_json(
            msg=f"{error.message}: {last['reason']}", failure={"code": error.code}, **last
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
