# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action host_state: the variables of a host as they are for it, and what is on it."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reading import plain, read
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.settings import Settings
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.layout import layout
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import gather, reads

Answer = Json
HOST, VIEW, EVIDENCE, LINKS, UPGRADE = "host", "view", "evidence", "links", "upgrade"
PARTS = [HOST, VIEW, EVIDENCE, LINKS, UPGRADE]


class ActionModule(ActionBase):
    """Fill in the templates of a host's variables, then run the module that reads what is asked."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        """Return ``variables``, ``management``, ``findings`` and the answers; a host out of reach
        is one that says so, and no failure."""
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validated, options = self.validate_argument_spec(
            argument_spec={
                "parts": {"type": "list", "elements": "str", "choices": PARTS, "default": []},
                "before_deployment": {"type": "bool", "default": False},
            }
        )
        host = str(variables["inventory_hostname"])
        own, findings = gather.own_variables(self._templar, variables, host)
        management = self._templar.template(variables.get("ansible_host") or host)
        result.update(
            changed=False,
            variables=own,
            management=str(management),
            findings=[finding.as_dict() for finding in findings],
        )
        if options["parts"]:
            settings = read(own, host, gather.inventory_dir(variables)).settings
            result.update(self._ask(settings, options, variables))
        return result

    def _ask(self, settings: Settings, options: Json, variables: Json) -> Json:
        wanted = self._wanted(settings, options, variables)
        alone = list(wanted) == ["host_info"]
        name, arguments = ("host_info", wanted["host_info"]) if alone else ("survey_info", wanted)
        try:
            answer = self._execute_module(
                module_name=f"mqttops.emqx.{name}", module_args=arguments, task_vars=variables
            )
        except AnsibleConnectionFailure as error:
            answer = {"unreachable": True, "msg": str(error)}
        answer = plain({**_reason(answer), **answer})
        survey = {"host_info": answer} if alone else answer
        reason = answer.get("msg") or "no answer"
        whole = "failed" in answer or "unreachable" in answer
        found: Json = {"survey": survey}
        if HOST in options["parts"]:
            part = {} if whole else survey["host_info"]
            found["host"] = part.get("host") or {"unreachable": str(part.get("msg") or reason)}
        return found

    def _wanted(self, settings: Settings, options: Json, variables: Json) -> Json:
        """Return the options of the modules that are asked, by their names."""
        parts, where = options["parts"], layout(settings)
        wanted: Json = {}
        if HOST in parts:
            wanted["host_info"] = reads.host_info(settings, where, UPGRADE in parts)
        if VIEW in parts:
            wanted["cluster_info"] = reads.cluster_info(where)
        if EVIDENCE not in parts and LINKS not in parts:
            return wanted
        plan = gather.registered(variables, gather.PLAN)
        host = str(variables["inventory_hostname"])
        if host not in plan.get("cluster", {}).get("nodes", {}):
            raise AnsibleActionFail(f"expected a plan of the cluster with {host} in it, found none")
        node = plan["cluster"]["nodes"][host]
        if EVIDENCE in parts:
            wanted["evidence_info"] = reads.evidence_info(settings, where, node, plan["salt"])
        if LINKS in parts:
            forks = int(variables.get("ansible_forks") or 0)
            wanted["cluster_probe"] = reads.cluster_probe(plan, host, forks)
        if options["before_deployment"]:
            wanted["stand_in"] = True
            wanted["speaks_for_others"] = host == plan["speaker"]
        return wanted


def _reason(answer: Answer) -> Answer:
    """Return why a module ended, which ansible-core gives in its record of the error alone."""
    event = getattr(answer.get("exception"), "event", None)
    reason = getattr(event, "msg", "")
    return {"msg": f"Reading the host failed: {reason}"} if reason else {}
