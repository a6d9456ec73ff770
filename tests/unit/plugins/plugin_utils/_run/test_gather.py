# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""What a run takes from Ansible, with the templates of the inventory filled in."""

from __future__ import annotations

import typing as t

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import deployment, gather
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import DEPLOY, RunInput

Variables = t.Dict[str, t.Any]


class HostVars(t.Dict[str, Variables]):
    """As those of Ansible, as far as they are asked here."""

    def raw_get(self, host: str) -> Variables:
        return self[host]


def limited(**left_out: t.Any) -> RunInput:
    """Return the input of a run for n1 of two hosts; n2 has these variables."""
    members = {"emqx_cluster_hosts": ["n1", "n2"], "emqx_cookie": "CookieOfThisCluster0"}
    answer = {"variables": members, "management": "10.0.0.1", "findings": [], "survey": {}}
    hostvars = HostVars(
        n1={gather.STATE: answer},
        n2={"ansible_host": "10.0.0.2", **left_out},
    )
    task_vars = {"hostvars": hostvars, "ansible_play_hosts_all": ["n1"], "inventory_dir": "/x"}
    templar = Templar(loader=DataLoader(), variables=hostvars["n1"])
    return gather.run_input(templar, task_vars, DEPLOY, check_mode=False)


def test_a_member_that_is_left_out_is_known_by_its_inventory() -> None:
    run = limited(emqx_node_name=trust_as_template("mq@{{ ansible_host }}"))
    assert list(run.hosts) == ["n1"]
    assert deployment.model(run).nodes["n2"].name == "mq@10.0.0.2"


def test_its_templates_may_refer_to_defaults_of_the_role_and_to_other_hosts() -> None:
    run = limited(
        # Not asked for, as it is nothing that others have to know.
        emqx_cookie_file=trust_as_template("{{ of_no_host }}/{{ emqx_cluster_name }}.cookie"),
        emqx_node_address=trust_as_template("{{ emqx_cluster_name }}.{{ hostvars.n2.domain }}"),
        domain="example",
    )
    assert deployment.model(run).nodes["n2"].name == "emqx@emqxcl.example"
    assert run.others["n2"].findings == ()


def test_a_template_of_it_that_cannot_be_filled_in_is_a_finding() -> None:
    plan = deployment.plan(limited(emqx_node_name=trust_as_template("emqx@{{ of_no_host }}")))
    found = [f for f in plan.findings if f.code == "template"]
    assert [(f.hosts, f.subject) for f in found] == [(("n2",), "emqx_node_name")]
    assert not plan.passed
