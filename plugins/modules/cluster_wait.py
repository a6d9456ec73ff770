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
    RefusedError,
    WaitTimeout,
)
from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Record
from ansible_collections.mqttops.emqx.plugins.module_utils._node.describe import describe
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import node_atom
from ansible_collections.mqttops.emqx.plugins.module_utils._node.options import ctl_of, ctl_options
from ansible_collections.mqttops.emqx.plugins.module_utils._node.wait import Deadline, wait_for
from ansible_collections.mqttops.emqx.plugins.module_utils._node.waiting import (
    Seen,
    look,
)


def check_input(params: Record) -> None:
    if params["interval"] < 1:
        raise InputError(f"interval is {params['interval']}: expected at least 1 second")
    for name in [*params["members"], *params["may_be_stopped"], *params["starting"]]:
        node_atom(name)


def result_of(seen: Seen) -> Json:
    result = {"reached": seen.decision.do == "nothing", "reason": seen.decision.reason}
    return result if seen.view is None else {**result, "emqx": describe(seen.view)}


def run(module: AnsibleModule) -> Json:
    params = module.params
    check_input(params)
    ctl = ctl_of(params, module.run_command)
    if module.check_mode:
        return result_of(look(ctl, params, params["timeout"]))
    seen = wait_for(
        lambda left: look(ctl, params, left),
        lambda seen: seen.decision.do != "wait",
        Deadline(params["timeout"]),
        params["interval"],
    )
    if seen.decision.do == "refuse":
        raise RefusedError(seen.decision.reason)
    return result_of(seen)


def main() -> None:
    options = {
        **ctl_options(timeout=120),
        "members": {"type": "list", "elements": "str", "default": []},
        "may_be_stopped": {"type": "list", "elements": "str", "default": []},
        "others": {"type": "bool", "default": False},
        "starting": {"type": "list", "elements": "str", "default": []},
        "interval": {"type": "int", "default": 2},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        result = run(module)
    except WaitTimeout as error:
        last = result_of(error.last)
        module.fail_json(
            msg=f"{error.message}: {last['reason']}",
            failure={"code": error.code, "details": {"reason": last["reason"]}},
            hopeless=error.last.hopeless,
            **last,
        )
    except EmqxError as error:
        module.fail_json(msg=error.message, failure=error.as_failure())
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
