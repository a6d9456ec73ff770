# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Run action plugins of the role emqx as Ansible does, on hosts that answer as a test says."""

from __future__ import annotations

import typing as t
from unittest import mock

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.gather import PLAN, STATE
from ansible_collections.mqttops.emqx.tests.unit.runs import COOKIE, empty

Result = t.Dict[str, t.Any]
Answer = t.Callable[[str, Result], Result]

PASSWORD = "Dashboard-of-tests-1"


def answer_of(**found: t.Any) -> Result:
    """Return ``host`` as host_info answers it on an empty host, with what was found there."""
    state = empty(**found)
    service = vars(state.service)
    return {
        **{name: getattr(state, name) for name in ("platform", "container", "disks", "sysctls")},
        **{name: getattr(state, name) for name in ("nft", "firewall", "certificates", "release")},
        "addresses": ["10.0.0.1"],
        "package": {"name": "", "version": ""},
        "package_file": {},
        "files": {},
        "service": dict(service),
        "stale": [],
        "data_nodes": [],
        "package_nodes": [],
        "places": {},
    }


class HostVars(t.Dict[str, Result]):
    """Variables by host, as templates see them; here those of the inventory are no others."""

    def raw_get(self, host: str) -> Result:
        return self[host]


class Play:
    """A play on hosts n1..nN with these variables, in which actions run and register results."""

    def __init__(self, count: int = 2, **variables: t.Any) -> None:
        self.hosts = [f"n{number}" for number in range(1, count + 1)]
        shared = {
            "emqx_cluster_hosts": self.hosts,
            "emqx_cookie": COOKIE,
            "emqx_dashboard_password": PASSWORD,
            "inventory_dir": "/srv",
        }
        self.hostvars: HostVars = HostVars(
            {
                host: {**shared, "ansible_host": f"10.0.0.{host[1:]}", **variables}
                for host in self.hosts
            }
        )
        self.play_hosts = list(self.hosts)
        self.asked: list[tuple[str, Result]] = []
        self.answer: Answer = lambda _name, _arguments: {"host": answer_of()}
        self.check_mode = False

    def variables(self, host: str) -> Result:
        return {
            **self.hostvars[host],
            "inventory_hostname": host,
            "hostvars": self.hostvars,
            "ansible_play_hosts_all": self.play_hosts,
            "ansible_forks": 5,
        }

    def run(self, plugin: t.Any, host: str = "n1", **arguments: t.Any) -> Result:
        """Run an action on a host."""
        variables = self.variables(host)
        task = mock.Mock(args=arguments, async_val=0, check_mode=self.check_mode, diff=False)
        loader = DataLoader()
        action = plugin.ActionModule(
            task=task,
            connection=mock.Mock(),
            play_context=mock.Mock(),
            loader=loader,
            templar=Templar(loader, variables=variables),
            shared_loader_obj=None,
        )
        action._execute_module = self._execute
        return dict(action.run(task_vars=variables))

    def _execute(self, module_name: str, module_args: Result, **_more: t.Any) -> Result:
        self.asked.append((module_name.rpartition(".")[2], module_args))
        return self.answer(self.asked[-1][0], module_args)

    def read(self, plugin: t.Any, *parts: str) -> None:
        """Have all hosts been read, as the role does it first."""
        for host in self.play_hosts:
            self.hostvars[host][STATE] = self.run(plugin, host, parts=list(parts or ["host"]))

    def planned(self, result: Result) -> None:
        for host in self.play_hosts:
            self.hostvars[host][PLAN] = result


def template(text: str) -> str:
    """Return a text that Ansible fills in, as one of an inventory is."""
    trusted: str = trust_as_template(text)
    return trusted
