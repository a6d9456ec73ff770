# Copyright (c) 2026, mqttops contributors
# GNU General Public License v3.0+
# (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the manifests of the role kubernetes."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.mqttops.emqx.plugins.module_utils._json import Json, Options
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reported import reported
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import manifests, topology_nodes

ARGUMENT_SPEC: Options = {
    "cluster": {"type": "dict", "required": True},
    "members": {"type": "str", "required": True, "choices": ["hosts", "pods"]},
    "service_account": {"type": "str", "required": True},
    "token_secret": {"type": "str", "default": "", "no_log": False},
    "replicas": {"type": "int", "default": 3},
    "image": {"type": "str", "default": ""},
    "cookie_secret": {"type": "str", "default": "", "no_log": False},
    "storage": {"type": "str", "default": ""},
    "storage_class": {"type": "str", "default": ""},
}
_CLUSTER_KEYS = ("service_name", "namespace", "address_type", "suffix")


class ActionModule(ActionBase):
    """Decide from the model alone; change nothing, ask nobody."""

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        cluster = options.pop("cluster")
        keys = {key: cluster["discovery"]["k8s"][key] for key in _CLUSTER_KEYS}
        found = manifests.plan(
            topology_nodes.nodes(cluster), manifests.Kubernetes(**keys, **options)
        )
        return {
            **result,
            "changed": False,
            "manifests": list(found.manifests),
            **reported(found.findings),
        }
