# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""Builders of runs: hosts with their variables, what was read there, and what they answered."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import typing as t

from scenes import Scene

from ansible_collections.mqttops.emqx.plugins.module_utils._findings import Finding
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.reading import PREFIX, read
from ansible_collections.mqttops.emqx.plugins.plugin_utils._model.records import (
    Directory,
    FileState,
    HostState,
    ManagedFile,
    ServiceState,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan import tuning
from ansible_collections.mqttops.emqx.plugins.plugin_utils._plan.firewall import nftables
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run import deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.draft import Deployment
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.hosts import HostPlan
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.inputs import (
    DEPLOY,
    HostInput,
    RunInput,
    Written,
)
from ansible_collections.mqttops.emqx.plugins.plugin_utils._run.result import as_result
from ansible_collections.mqttops.emqx.tests.unit import plans

COOKIE = "Qm7rT2xw9LkPz4aB"
SHA256 = "ab" * 32
# As a fresh system has them: 0 for all, but for the ports, of which none is reserved.
_SYSCTL = {"writable": True, "reason": "", "asked": "", "kept": ""}
RUNNING = ServiceState(exists=True, enabled=True, active=True, state="active")
STOPPED = ServiceState(exists=True, enabled=True, state="inactive")


def empty(**found: t.Any) -> HostState:
    """Return a Debian host as host_info reads it before anything of ours is there."""
    names = [*plans.settings().tuning_sysctl, tuning.RESERVED_PORTS]
    sysctls = {name: {**_SYSCTL, "value": "0"} for name in names}
    sysctls[tuning.RESERVED_PORTS]["value"] = ""
    given: dict[str, t.Any] = {
        "sysctls": sysctls,
        "nft": {"available": True, "revision": ""},
        "firewall": {
            "active": [],
            "firewalld": {"default_zone": "", "known_zones": [], "zones": {}},
            "ufw": {"ipv6": True, **{v: {"ours": [], "count": 0} for v in ("v4", "v6")}},
        },
        "disks": {"/usr": 9 << 30, "/var/lib/emqx": 9 << 30, "/etc/emqx": 9 << 30},
        **found,
    }
    return plans.host(**given)


def file_state(item: ManagedFile | Directory) -> FileState:
    """Return the state of a file, or a directory, that is as it is to be."""
    content = getattr(item, "content", None)
    checksum = "" if content is None else hashlib.sha256(content.encode()).hexdigest()
    return FileState(True, item.mode, item.owner, item.group, "0", "0", checksum)


def converged(plan: HostPlan, host: HostState) -> HostState:
    """Return a host once its plan was carried out, with its node running."""
    where, what, name = plan.layout, plan.release, plan.node.name
    links = [nftables.AT_BOOT, where.laid_out] if where.instanced else [nftables.AT_BOOT]
    items: list[ManagedFile | Directory] = [*plan.files, *plan.directories]
    items += [*plan.tuning.files, *plan.firewall.files]
    values = {key: {**_SYSCTL, "value": value} for key, value in plan.tuning.values.items()}
    contained = {
        "engine": True,
        "image": {"id": "sha256:1", "names": [what.image]},
        "network": ["10.213.0.0/24"],
        "version": what.version,
    }
    return dataclasses.replace(
        host,
        package_name=what.package if what.kind == "package" else "",
        package_version=what.version if what.kind == "package" else "",
        release=what.version if what.kind == "tarball" else "",
        container=contained if what.kind == "container" else host.container,
        files={
            **host.files,
            **{path: FileState(exists=True) for path in links},
            **{item.path: file_state(item) for item in items},
        },
        service=RUNNING,
        sysctls={**host.sysctls, **values},
        nft={"available": True, "revision": plan.firewall.revision},
        data_nodes=(name,),
        running={
            "running": True,
            "node": name,
            "root": where.installed_root,
            "data_dir": where.data,
            "kind": what.kind,
            "data_dirs_found": {where.data: [name]},
        },
    )


class Run:
    """A run of hosts n1..nN at 10.0.0.1..N, to be shaped before it is planned.

    ``variables`` of all hosts have no prefix. ``states`` is what was read, ``answers`` are further
    fields of HostInput, ``more`` those of RunInput; ``hosts`` are those of the play, which leaves
    ``others`` of the inventory out.
    """

    def __init__(self, count: int = 3, **variables: t.Any) -> None:
        self.hosts = [f"n{number}" for number in range(1, count + 1)]
        self.others: list[str] = []
        shared = {"cluster_hosts": self.hosts, "cluster_name": "plant", "cookie": COOKIE}
        self.variables = {host: {**shared, **variables} for host in self.hosts}
        self.states: dict[str, HostState | None] = {host: empty() for host in self.hosts}
        self.answers: dict[str, dict[str, t.Any]] = {host: {} for host in self.hosts}
        self.more: dict[str, t.Any] = {}
        self.purpose = DEPLOY

    def everywhere(self, **variables: t.Any) -> None:
        for own in self.variables.values():
            own.update(variables)

    def on(self, host: str, **variables: t.Any) -> None:
        self.variables[host].update(variables)

    def state(self, host: str) -> HostState:
        found = self.states[host]
        assert found is not None
        return found

    def found(self, host: str, **changes: t.Any) -> None:
        """Have something else been read on a host."""
        self.states[host] = dataclasses.replace(self.state(host), **changes)

    def limit(self, *hosts: str) -> None:
        """Leave all other hosts out of the run."""
        self.others = [host for host in self.hosts if host not in hosts]
        self.hosts = [host for host in self.hosts if host in hosts]

    def outside(self, *hosts: str) -> None:
        """Have the cluster not have these hosts as members."""
        members = [host for host in self.variables if host not in hosts]
        self.everywhere(cluster_hosts=members)

    def converge(self, *hosts: str) -> None:
        """Carry the plan out on these hosts, by default on all."""
        # A container's unit names the ID of its image, an instance's links are seen afterwards.
        for _pass in range(2):
            plan = self.plan()
            for host in hosts or tuple(plan.hosts):
                self.states[host] = converged(plan.hosts[host], self.state(host))

    def stop(self, host: str) -> None:
        """Stop a node, which keeps its database."""
        state = self.state(host)
        self.found(host, service=STOPPED, running={**state.running, "running": False})

    def trial(self, host: str, *stale: str, path: str = "/etc/emqx/emqx.conf") -> None:
        """Have EMQX accepted the new configuration, of which the node does not know these keys."""
        self.answers[host]["trial"] = Written(stale, (path,), {path: stale})

    def written(self, host: str, *stale: str) -> None:
        path = "/etc/emqx/emqx.conf"
        self.answers[host]["written"] = Written(stale, (path,), {path: stale})

    def views(self, scene: Scene) -> None:
        """Have all hosts of the run been asked for their node's view."""
        for host in self.hosts:
            self.answers[host]["survey"] = {"cluster_info": scene.evidence[host]["view"]}

    def survey(self, scene: Scene, **more: t.Any) -> None:
        """Have all hosts of the run been asked for everything."""
        for host in self.hosts:
            found = scene.evidence[host]
            self.answers[host]["survey"] = {
                "cluster_info": found["view"],
                "evidence_info": found["host"],
                "cluster_probe": found["links"],
                **more,
            }

    def _given(self, host: str, state: HostState | None, answers: dict[str, t.Any]) -> HostInput:
        own = {PREFIX + name: value for name, value in self.variables[host].items()}
        found = read(own, host, "/inventory")
        block, rest = divmod(int(host[1:]) - 1, 250)
        given = {"management": f"10.0.{block}.{rest + 1}", "findings": found.findings, **answers}
        return HostInput(settings=found.settings, host=state, **given)

    def input(self) -> RunInput:
        now = dt.datetime.now(dt.timezone.utc)
        given: dict[str, t.Any] = {
            "now": now.replace(tzinfo=None),
            "began": now.timestamp() - 60,
            "salt": "5a17",
            **self.more,
        }
        return RunInput(
            purpose=self.purpose,
            hosts={h: self._given(h, self.states[h], self.answers[h]) for h in self.hosts},
            others={h: self._given(h, None, {}) for h in self.others},
            **given,
        )

    def plan(self) -> Deployment:
        return deployment.plan(self.input())

    def result(self) -> dict[str, t.Any]:
        run = self.input()
        return as_result(run, deployment.plan(run))


def codes(findings: t.Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def phases(todo: t.Mapping[str, bool]) -> set[str]:
    """Return the phases that have something to do."""
    return {phase for phase, needed in todo.items() if needed}


def todo(run: Run) -> dict[str, set[str]]:
    """Return by host the phases that have something to do."""
    return {host: phases(own["todo"]) for host, own in run.result()["hosts"].items()}
