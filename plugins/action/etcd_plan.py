# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a host and plan what the role etcd does there."""

from __future__ import annotations

import datetime as dt

from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reported import reported
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import etcd
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.addresses import addresses
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.control_files import ControlFiles

ARGUMENT_SPEC: Options = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "archive": {"type": "str", "default": ""},
    "archive_sha256": {"type": "str", "default": ""},
    "data_dir": {"type": "path", "required": True},
    "ca_dir": {"type": "path", "required": True},
    "ca_days": {"type": "int", "required": True},
    "days": {"type": "int", "required": True},
}


class ActionModule(ActionBase):
    """Read the host, decide, change nothing."""

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validation, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        hosts, known = options.pop("hosts"), variables["hostvars"]
        of_hosts = {host: known[host] for host in hosts if host in known}
        settings = etcd.EtcdSettings(addresses(hosts, of_hosts, "etcd_address"), **options)
        read = self._execute_module(
            module_name="mqttops.emqx.host_info",
            module_args={
                "packages": [etcd.PACKAGE],
                "service": etcd.UNIT,
                "files": settings.paths,
                "certificates": etcd.PATHS,
            },
            task_vars=variables,
        )
        if read.get("failed") or read.get("unreachable"):
            return {**result, **read}
        state = HostState.of(read["host"])
        ports = {} if state.service.active else self._ports(variables)
        if ports.get("failed"):
            return {**result, **ports}
        plan = etcd.plan(
            str(variables["inventory_hostname"]),
            settings,
            state,
            ports.get("ansible_facts", {}).get("tcp_listen", []),
            ControlFiles(),
            dt.datetime.now(dt.timezone.utc).replace(tzinfo=None),
        )
        found = reported(plan["findings"])
        return {
            **result,
            "changed": False,
            "plan": {**plan, "findings": found["findings"]},
            "errors": found["errors"],
        }

    def _ports(self, task_vars: Json) -> Json:
        answer: Json = self._execute_module(
            module_name="community.general.listen_ports_facts",
            module_args={"command": "ss"},
            task_vars=task_vars,
        )
        return answer
