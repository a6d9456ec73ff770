# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a host and plan what the role bind does there, or only make the records."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import HostState
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reported import reported
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import bind, topology_nodes, zone
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.addresses import addresses

ARGUMENT_SPEC: Options = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "cluster": {"type": "dict", "default": {"nodes": {}}},
    "zone": {"type": "str", "required": True},
    "name": {"type": "str", "default": ""},
    "record_type": {"type": "str", "default": "a"},
    "ttl": {"type": "int", "default": 10},
    "extra_records": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "required": True},
            "value": {"type": "str", "required": True},
        },
    },
    "only": {"type": "str", "choices": ["", "records", "addresses"], "default": ""},
}


class ActionModule(ActionBase):
    """Read the host where it is a name server, decide, change nothing."""

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = {**super().run(tmp, task_vars), "changed": False}
        variables = task_vars or {}
        _validation, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        hosts, known = options["hosts"], variables["hostvars"]
        of_hosts = {host: known[host] for host in hosts if host in known}
        servers = addresses(hosts, of_hosts, "bind_address")
        if options["only"] == "addresses":
            return {**result, "plan": {"addresses": list(servers.values())}}
        nodes = topology_nodes.nodes(options["cluster"])
        settings = zone.ZoneSettings(
            zone=options["zone"],
            name=options["name"],
            record_type=options["record_type"],
            extra=tuple(options["extra_records"]),
        )
        if options["only"] == "records":
            found, text = bind.records(nodes, settings, options["ttl"])
            plan: Json = {"records": list(found.records), "text": text}
            return {**result, "plan": plan, **reported(found.findings)}
        read = self._execute_module(
            module_name="mqttops.emqx.host_info",
            module_args={"packages": list(bind.PACKAGES), "service": bind.UNIT},
            task_vars=variables,
        )
        if read.get("failed") or read.get("unreachable"):
            return {**result, **read}
        state = HostState.of(read["host"])
        # A read, so that a check run does it, too. A broken configuration will be replaced.
        shown = self._low_level_execute_command("PATH=$PATH:/usr/sbin named-checkconf -p")
        named_conf = str(shown.get("stdout", "")) if state.package_name else ""
        host = str(variables["inventory_hostname"])
        plan = bind.plan(host, servers, nodes, settings, state, named_conf, options["ttl"])
        return {**result, "plan": plan, **reported(plan.pop("findings"))}
