# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""A node's view of itself and its cluster, read from the answers to one question.

The answers are a node's, and as little to be trusted as the user that runs it: whatever they are,
they make a View or raise ParseError.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import CommandError, ParseError
from ansible_collections.mqttops.emqx.plugins.module_utils._node.expression import (
    OTHER,
    PREFIX,
    TABLES,
)

# Who is meant by lines that name no other node, and what a node answers that does not know.
_SELF, UNKNOWN = "", "unknown"
# Characters of an answer that an error quotes.
_SHOWN = 600

Row = t.Tuple[str, str]

# Texts about the call, not about the node: no statement on the node's state follows from them.
_BAD_CALL: t.Mapping[str, str] = {
    "You need to be root": "run the task as root (become) or as the user that runs EMQX",
    "More than one EMQX node found running": (
        "either EMQX was started twice a moment ago (it mends itself within seconds), or several "
        "nodes run from one installation: set EMQX_NODE__NAME in the option environment"
    ),
    "is different from the cookie used by": "take EMQX_NODE__COOKIE out of the environment",
}
_NOT_INSTALLED = re.compile(
    r"runuser: user \S+ does not exist|failed to (?:run command|execute)|No such file or directory"
)


@dataclass(frozen=True)
class Peer:
    """What another node answered when this node asked it over the Erlang distribution."""

    reachable: bool
    running: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    role: str | None = None
    ready: bool = False
    config: t.Mapping[str, str] | None = None


@dataclass(frozen=True)
class View:
    """A node and its cluster, as seen by that node at one moment.

    ``state`` is ``down``, ``booting`` or ``ready``; ``reason`` says why it is not ready. What an
    EMQX version does not say is None. Of tables, ``copying_tables`` are on their way from another
    member, ``waiting_for_tables`` wait for a member that holds newer copies to start, one of
    ``waiting_for_nodes``, which are down. ``config`` maps the root keys of cluster.hocon to a hash;
    ``default_login`` tells whether the dashboard's user admin has the vendor's first password;
    ``upstream`` names the cores from which a replicant takes its data; ``others`` has what other
    running members said of themselves, by name, where they were asked.
    """

    state: str
    reason: str = ""
    installed: bool = True
    node: str | None = None
    version: str | None = None
    edition: str | None = None
    role: str | None = None
    running: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    copying_tables: tuple[str, ...] = ()
    waiting_for_tables: tuple[str, ...] = ()
    waiting_for_nodes: tuple[str, ...] = ()
    uptime_ms: int | None = None
    discovery: str | None = None
    proto_dist: str | None = None
    rpc_port_discovery: str | None = None
    rpc_protocol: str | None = None
    rpc_server_port: int | None = None
    data_dir: str | None = None
    cookie_fingerprint: str | None = None
    default_login: bool | None = None
    sync: t.Mapping[str, int] | None = None
    data: t.Mapping[str, int] = field(default_factory=dict)
    config: t.Mapping[str, str] | None = None
    peers: t.Mapping[str, Peer] = field(default_factory=dict)
    others: t.Mapping[str, View] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        """The other members this node knows of, running or stopped."""
        return frozenset(self.running + self.stopped) - {self.node or ""}


def members(seen: View | Peer) -> dict[str, list[str]]:
    """Return the member lists, sorted, for results and diffs."""
    return {"running_nodes": sorted(seen.running), "stopped_nodes": sorted(seen.stopped)}


def read_view(rc: int, out: str, err: str) -> View:
    """Turn the answer of the view expression, or the CLI's refusal, into a View."""
    lines = [line[len(PREFIX) :] for line in out.splitlines() if line.startswith(PREFIX)]
    if not lines:
        return _no_view(rc, out, err)
    answers: dict[str, list[Row]] = {_SELF: []}
    for line in lines:
        key, _blank, value = line.partition(" ")
        who = _SELF
        if key == OTHER:
            who, key, value = [*value.split(" ", 2), "", ""][:3]
        answers.setdefault(who, []).append((key, value))
    rows = answers.pop(_SELF)
    if "done" not in dict(rows) or "node" not in dict(rows):
        raise ParseError("emqx eval broke off in the middle of its answer", rc=rc, stderr=_end(err))
    return _build_view(rows, {name: _build_view(said, {}) for name, said in answers.items()})


class Answers:
    """The answers of one node, by their keys: words, numbers, and "" for what it does not say."""

    def __init__(self, rows: t.Sequence[Row]) -> None:
        self._values = dict(rows)

    def text(self, key: str) -> str:
        value = self._values.get(key, UNKNOWN).strip()
        return "" if value == UNKNOWN else value

    def words(self, key: str) -> tuple[str, ...]:
        return tuple(self.text(key).split())

    def number(self, key: str) -> int | None:
        return _number(self.text(key))

    def pairs(self, key: str) -> dict[str, str] | None:
        """Return NAME=VALUE words; None where the node does not know."""
        unknown = self._values.get(key, UNKNOWN) == UNKNOWN
        return None if unknown else _pairs(self.words(key))


def _number(text: str) -> int | None:
    # No number of a node has more digits, and Python refuses very long ones.
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _build_view(rows: t.Sequence[Row], others: t.Mapping[str, View]) -> View:
    said = Answers(rows)
    node, running = said.text("node"), said.words("running")
    ready = said.text("ready") == "true" and node in running
    edition, sync = said.text("edition"), said.pairs("sync")
    return View(
        state="ready" if ready else "booting",
        reason="" if ready else _why_booting(said),
        node=node,
        version=said.text("version") or None,
        edition={"ce": "opensource", "ee": "enterprise"}.get(edition, edition or None),
        role=said.text("role") or None,
        running=running,
        stopped=said.words("stopped"),
        upstream=said.words("upstream"),
        copying_tables=said.words("copying_tables"),
        waiting_for_tables=said.words("waiting_tables"),
        waiting_for_nodes=said.words("waiting_nodes"),
        uptime_ms=said.number("uptime"),
        discovery=said.text("discovery") or None,
        proto_dist=said.text("proto_dist") or None,
        rpc_port_discovery=said.text("rpc_port_discovery") or None,
        rpc_protocol=said.text("rpc_protocol") or None,
        rpc_server_port=said.number("rpc_server_port"),
        data_dir=said.text("data_dir") or None,
        cookie_fingerprint=said.text("cookie") or None,
        default_login={"true": True, "false": False}.get(said.text("default_login")),
        sync=None if sync is None else {name: _number(tnx) or 0 for name, tnx in sync.items()},
        data=_data(rows),
        config=said.pairs("config"),
        peers=_peers(rows),
        others=others,
    )


def _why_booting(said: Answers) -> str:
    waiting, copying = said.words("waiting_tables"), said.words("copying_tables")
    nodes = said.words("waiting_nodes")
    if waiting and (nodes or not copying):
        source = f" from {', '.join(nodes)}" if nodes else ""
        return (
            f"still waiting for table(s) {', '.join(waiting[:5])}{source}: "
            "nodes that stopped later hold newer copies, start all cores at once"
        )
    if copying:
        return f"copying table(s) {', '.join(copying[:5])} from the other members"
    if said.text("role") == "replicant" and not said.text("upstream"):
        return _why_no_core(said)
    if said.text("running"):
        return "its applications are still starting"
    return "its database is not up yet"


def _why_no_core(said: Answers) -> str:
    cores = said.words("cores")
    if cores:
        return (
            f"a replicant boots with a core of exactly its own version ({said.text('version')}) "
            f"only, and found {', '.join(cores)}: they run another version, or are not ready"
        )
    return (
        "a replicant boots with a core only, and found none: its discovery names no core that "
        "runs and that it can reach (seeds, ports between the nodes, cookie)"
    )


def _pairs(words: t.Iterable[str]) -> dict[str, str]:
    parts = [word.rpartition("=") for word in words]
    return {name: value for name, _equals, value in parts}


def _data(rows: t.Iterable[Row]) -> dict[str, int]:
    data: dict[str, int] = {}
    for key, value in rows:
        table, _blank, size = value.partition(" ")
        if key == "data" and table in TABLES:
            name = TABLES[table]
            data[name] = data.get(name, 0) + (_number(size) or 0)
    return data


def _peers(rows: t.Iterable[Row]) -> dict[str, Peer]:
    answers: dict[str, dict[str, tuple[str, ...]]] = {}
    for key, value in rows:
        if key.startswith("peer_") and value.strip() not in ("", UNKNOWN):
            name, *words = value.split()
            answers.setdefault(name, {})[key[len("peer_") :]] = tuple(words)
    return {name: _peer(name, said) for name, said in answers.items()}


def _peer(name: str, said: t.Mapping[str, tuple[str, ...]]) -> Peer:
    running = said.get("running", ())
    return Peer(
        reachable="unreachable" not in said,
        running=running,
        stopped=said.get("stopped", ()),
        role=next(iter(said.get("role", ())), None),
        ready=said.get("up") == ("true",)
        and said.get("booted") == ("true",)
        and said.get("booting") != ("true",)
        and name in running,
        config=_pairs(said["config"]) if "config" in said else None,
    )


def _end(text: str) -> str:
    return text[-_SHOWN:]


def _no_view(rc: int, out: str, err: str) -> View:
    lines = [line.strip() for line in (out + "\n" + err).splitlines() if line.strip()]
    text = _end(" ".join(lines[-3:]))
    for sign, advice in _BAD_CALL.items():
        if any(sign in line for line in lines):
            raise CommandError(
                f"emqx eval: {text}: {advice}", ["emqx", "eval"], rc, _end(out), _end(err)
            )
    if rc == 0:
        raise ParseError(
            f"emqx eval printed nothing that is known: {text}", stdout=_end(out), stderr=_end(err)
        )
    missing = any(_NOT_INSTALLED.search(line) for line in lines)
    return View(state="down", reason=text or f"exit code {rc}", installed=not missing)
