# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the certificates of a host and plan what the role certificates does there."""

from __future__ import annotations

import datetime as dt

from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import certificate_tasks
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.authority import Authority
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.certificates import Wanted
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import ControlFiles

WANTED: Options = {
    "certificate": {"type": "path", "default": ""},
    "key": {"type": "path", "default": "", "no_log": False},
    "ca": {"type": "path", "default": ""},
    "names": {"type": "list", "elements": "str", "default": []},
    "usage": {
        "type": "list",
        "elements": "str",
        "choices": ["server", "client"],
        "default": ["server", "client"],
    },
    "owner": {"type": "str", "default": ""},
    "group": {"type": "str", "default": ""},
    "mode": {"type": "str", "default": "0640"},
    "directory_mode": {"type": "str", "default": "0750"},
    "given_certificate": {"type": "str", "default": ""},
    "given_key": {"type": "str", "default": "", "no_log": True},
    "trust": {"type": "str", "default": ""},
    "replace": {"type": "bool", "default": True},
}
ARGUMENT_SPEC: Options = {
    "wanted": {"type": "list", "elements": "dict", "required": True, "options": WANTED},
    "found": {"type": "list", "elements": "dict", "default": []},
    "ca_dir": {"type": "path", "required": True},
    "ca_name": {"type": "str", "required": True},
    "ca_passphrase": {"type": "str", "default": "", "no_log": True},
    "ca_days": {"type": "int", "required": True},
    "days": {"type": "int", "required": True},
    "renew_days": {"type": "int", "required": True},
}


class ActionModule(ActionBase):
    """Read what the task does not give as found, decide, change nothing."""

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validation, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        desired = [certificate_tasks.wanted(option) for option in options["wanted"]]
        authority = Authority(
            directory=options["ca_dir"],
            name=options["ca_name"],
            passphrase=options["ca_passphrase"],
            days=options["ca_days"],
            certificate_days=options["days"],
            renew_days=options["renew_days"],
        )
        found = options["found"]
        if len(found) != len(desired):
            found = [self._read(item, variables) for item in desired]
        failed = next((answer for answer in found if answer.get("failed")), None)
        if failed:
            return {**result, **failed}
        plan = certificate_tasks.tasks(
            str(variables.get("inventory_hostname", "")),
            authority,
            desired,
            found,
            ControlFiles(),
            dt.datetime.now(dt.timezone.utc).replace(tzinfo=None),
        )
        return {**result, "changed": False, "plan": {**plan.as_dict(), "found": found}}

    def _read(self, item: Wanted, task_vars: Json) -> Json:
        """Return the PEM texts that a host has of one certificate, or the failure to read them."""
        paths = {"certificate": item.certificate, "key": item.key, "ca": item.ca}
        answer: Json = self._execute_module(
            module_name="mqttops.emqx.host_info",
            # What is not asked for is read from where nothing is.
            module_args={
                "certificates": {part: path or "/nonexistent" for part, path in paths.items()}
            },
            task_vars=task_vars,
        )
        if answer.get("failed") or answer.get("unreachable"):
            return answer
        return dict(answer["host"]["certificates"])
