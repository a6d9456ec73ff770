# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A command line that answers from a script, and the answers of a node's view."""

from __future__ import annotations

import typing as t

Answer = t.Tuple[int, str, str]

# Word for word from EMQX 5.8.9.
DOWN: Answer = (1, "", "Node 'emqx2@127.0.0.1' not responding to pings.\n")
TWICE: Answer = (
    1,
    "",
    "ERROR: More than one EMQX node found running (root dir: /opt/n1)\n"
    "ERROR: Running nodes: emqx1@127.0.0.1 emqx1@127.0.0.1 \n"
    "ERROR: Make sure environment variable EMQX_NODE__NAME is set to indicate for which node "
    "this command is intended.\n",
)
JOINED: Answer = (
    0,
    "Join the cluster successfully.\n"
    "Cluster status: #{running_nodes => ['emqx1@127.0.0.1','emqx2@127.0.0.1'],\n"
    "                  stopped_nodes => []}\n",
    "",
)
NODE_DOWN: Answer = (0, "Failed to join the cluster: {node_down,'emqx1@127.0.0.1'}\n", "")
LEFT: Answer = (
    0,
    "Leave the cluster successfully.\n"
    "Cluster status: #{running_nodes => ['emqx2@127.0.0.1'],stopped_nodes => []}\n",
    "",
)
EVICTED: Answer = (
    0,
    "Remove the node from cluster successfully.\n"
    "Cluster status: #{running_nodes => ['emqx1@127.0.0.1'],stopped_nodes => []}\n",
    "",
)
NOT_INSTALLED: Answer = (
    127,
    "",
    "timeout: failed to run command 'emqx': No such file or directory\n",
)

N1, N2, N3 = "emqx1@127.0.0.1", "emqx2@127.0.0.1", "emqx3@127.0.0.1"


class ScriptedRunner:
    """Answers the calls of a script, one by one; any other order or number of calls fails."""

    def __init__(self, *script: tuple[str, Answer]) -> None:
        self._script = list(script)
        self.calls: list[list[str]] = []
        self.environments: list[dict[str, str]] = []

    def __call__(self, argv: list[str], environment: dict[str, str]) -> Answer:
        assert self._script, f"one call too many: {argv}"
        expected, answer = self._script.pop(0)
        call = " ".join(argv)
        assert f"emqx {expected}" in call, f"expected {expected!r}, got {call[:200]}"
        self.calls.append(argv)
        self.environments.append(environment)
        return answer

    def finish(self) -> None:
        assert not self._script, (
            f"calls not made: {[expected for expected, _answer in self._script]}"
        )


def peer(
    running: t.Sequence[str],
    stopped: t.Sequence[str] = (),
    role: str = "core",
    ready: bool = True,
    config: str | None = "",
) -> dict[str, str]:
    said = {
        "running": " ".join(running),
        "stopped": " ".join(stopped),
        "role": role,
        "up": "true" if ready else "false",
        "booted": "true",
        "booting": "false",
    }
    return said if config is None else {**said, "config": config}


UNREACHABLE = {"unreachable": ""}


def view(
    node: str,
    running: t.Sequence[str],
    stopped: t.Sequence[str] = (),
    peers: t.Mapping[str, t.Mapping[str, str]] | None = None,
    data: t.Mapping[str, int] | None = None,
    others: t.Iterable[Answer] = (),
    **values: str,
) -> Answer:
    """Return what the view expression prints on a node; values override single answers.

    ``others`` are those of other nodes, as this one passes them on.
    """
    answers = {
        "node": node,
        "version": "5.8.9",
        "edition": "ce",
        "role": "core",
        "cores": node,
        "upstream": "unknown",
        "running": " ".join(running),
        "stopped": " ".join(stopped),
        "ready": "true",
        "uptime": "61740",
        "waiting_tables": "",
        "waiting_nodes": "",
        "discovery": "manual",
        "proto_dist": "inet_tcp",
        "rpc_port_discovery": "stateless",
        "rpc_protocol": "tcp",
        "rpc_server_port": "5369",
        "data_dir": "/opt/emqx/data",
        "cookie": "ba7816bf8f01",
        "sync": "",
        "config": "",
        **values,
    }
    lines = [f"{key} {value}" for key, value in answers.items()]
    lines += [f"data {table} {size}" for table, size in (data or {"emqx_admin": 1}).items()]
    for name, said in (peers or {}).items():
        lines += [f"peer_{key} {name} {value}" for key, value in said.items()]
    for _rc, out, _err in others:
        told = [line[len("mqttops ") :] for line in out.splitlines()[:-2]]
        lines += [f"of {told[0].split()[1]} {line}" for line in told]
    lines.append("done ok")
    return 0, "".join(f"mqttops {line}\n" for line in lines) + "ok\n", ""
