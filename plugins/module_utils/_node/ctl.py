# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The EMQX command line of one node: run it, and read a node's whole view from one call.

Every call boots a helper VM (0.7 to 2 s), so all questions go into a single ``emqx eval``. The
answers are ``mqttops KEY VALUE...`` lines which the expression writes to the caller's output;
the expression's own value is wrapped by the pretty-printer and ignored. Each question has its
own ``try``: what an EMQX version does not know reads ``unknown``.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import re
import socket
import ssl
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import (
    CommandError,
    InputError,
    ParseError,
)

Runner = t.Callable[[t.List[str], t.Dict[str, str]], t.Tuple[int, str, str]]

# The longest a single read may take: 8 s of connection set-up to an unreachable peer, the rest
# for a slow machine. A read that takes longer is a hanging one.
VIEW_TIMEOUT = 45

# timeout(1) ended the command by TERM, by KILL, or was itself hit by that KILL.
_CUT_OFF = (124, 137, -9)

# CSI sequences, and the G0 charset switch that tput sgr0 prints for TERM=xterm.
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\([AB0])")
_NODE = re.compile(r"[0-9A-Za-z_-]+@[0-9A-Za-z.:_-]+\Z")
_PREFIX = "mqttops "
# The key of a line that another node said, and what stands for the node that was asked.
_OTHER, _SELF = "of", ""

# Mnesia tables whose records are gone after a join, and what people call them. Names as of
# EMQX 5.0 to 6.3; a table that a version does not have is left out of the answer.
_TABLES: t.Mapping[str, str] = {
    "emqx_acl": "acl_rules",
    "emqx_admin": "dashboard_users",
    "emqx_app": "api_keys",
    "emqx_authn_mnesia": "mqtt_users",
    "emqx_authn_scram_mnesia": "mqtt_scram_users",
    "emqx_enhanced_authn_scram_mnesia": "mqtt_scram_users",
    "emqx_banned": "banned",
    "emqx_delayed": "delayed_messages",
    "emqx_psk": "psk_identities",
    "emqx_retainer_message": "retained_messages",
}

# No double quote, dollar, backslash or backtick: bin/emqx re-executes itself through
# `su -c "..."` when a wrapper runs it as root, and that shell must see none of them.
# Not counted as data: what EMQX publishes itself (retained $SYS messages) and API keys that
# every node loads from its bootstrap file.
_VIEW = """
Ask = [{ask}], Seed = {seed},
T = fun T(V) when is_atom(V) -> atom_to_list(V);
        T(V) when is_integer(V) -> integer_to_list(V);
        T([H | _] = V) when is_atom(H) -> lists:join(32, lists:map(T, V));
        T(V) when is_list(V); is_binary(V) -> V end,
Line = fun(K, F) -> io_lib:format('~ts ~ts', [K, try T(F()) catch _:_ -> unknown end]) end,
P = fun(K, F) -> io:format('mqttops ~ts~n', [Line(K, F)]) end,
C = fun(K, Path) -> Line(K, fun() -> emqx_conf:get(Path, unknown) end) end,
L = fun(F) -> try lists:usort(F()) catch _:_ -> [] end end,
Is = fun(F) -> try true =:= F() catch _:_ -> false end end,
Running = fun() -> L(fun() -> mria:running_nodes() end) end,
Stopped = fun() -> L(fun() -> mria:cluster_nodes(stopped) end) end,
Machine = lists:keymember(emqx_machine, 1, application:loaded_applications()),
Booted = fun(Apps) -> not Machine orelse lists:keymember(emqx_machine, 1, Apps) end,
Count = fun(Tab, Size) -> try case Tab of
    emqx_app -> length([R || R <- ets:tab2list(Tab), nomatch =:=
        string:prefix(element(2, R), atom_to_list('from_bootstrap_file_'))]);
    emqx_retainer_message -> Size - ets:select_count(Tab,
        [{{{{'_', [<<36, 83, 89, 83>> | '_'], '_', '_'}}, [], [true]}}]);
    _ -> Size end catch _:_ -> Size end end,
Re = fun(A) -> atom_to_list(A) end,
Empty = Re('^[a-z0-9_]+[[:space:]=]*[{{][[:space:]]*[}}][[:space:]]*(?![^[:space:]])'),
Roots = fun(N) ->
    Dir = erpc:call(N, emqx_conf, get, [[node, data_dir], unknown], 5000),
    File = filename:join([Dir, configs, 'cluster.hocon']),
    case erpc:call(N, file, read_file, [File], 5000) of
        {{error, enoent}} -> [];
        {{ok, Text}} -> [[Root, 61, integer_to_list(erlang:phash2(
            re:replace(Chunk, Re('[[:space:]]+'), <<>>, [global, {{return, binary}}])))] ||
            Chunk <- re:split(Text, Re('^(?=[a-z])'), [multiline]),
            {{match, [Root]}} <- [re:run(Chunk, Re('^[a-z0-9_]+'), [{{capture, first, list}}])],
            nomatch =:= re:run(Chunk, Empty)] end end,
Own = fun() ->
    Up = Is(fun() -> emqx:is_running() end),
    Idle = not Is(fun() -> application:get_env(emqx, boot_in_progress, false) end),
    [Line(node, fun() -> node() end),
    Line(version, fun() -> emqx_release:version() end),
    Line(edition, fun() -> emqx_release:edition() end),
    Line(role, fun() -> mria_rlog:role() end),
    Line(cores, fun() -> mria:cluster_nodes(cores) end),
    Line(upstream, fun() -> replicant = mria_rlog:role(), lists:usort([N ||
        Shard <- mria_schema:shards(), {{ok, N}} <- [mria_status:upstream_node(Shard)]]) end),
    Line(running, Running),
    Line(stopped, Stopped),
    Line(ready, fun() -> Up andalso Idle andalso Booted(application:which_applications()) end),
    Line(uptime, fun() -> element(1, erlang:statistics(wall_clock)) end),
    Line(waiting_tables, fun() -> [Tab || Tab <- mnesia:system_info(tables),
        mnesia:table_info(Tab, where_to_read) =:= nowhere] end),
    Line(waiting_nodes, fun() ->
        mnesia:system_info(db_nodes) -- mnesia:system_info(running_db_nodes) end),
    C(discovery, [cluster, discovery_strategy]),
    C(proto_dist, [cluster, proto_dist]),
    C(rpc_port_discovery, [rpc, port_discovery]),
    C(rpc_protocol, [rpc, protocol]),
    Line(rpc_server_port, fun() -> Old = case emqx_conf:get([rpc, protocol], tcp) of
        ssl -> ssl_server_port; _ -> tcp_server_port end,
        emqx_conf:get([rpc, server_port], emqx_conf:get([rpc, Old], unknown)) end),
    C(data_dir, [node, data_dir]),
    Line(cookie, fun() ->
        <<N:48, _/binary>> = crypto:hash(sha256, atom_to_list(erlang:get_cookie())),
        io_lib:format('~12.16.0b', [N]) end),
    Line(sync, fun() -> true = Up, {{atomic, Rows}} = emqx_cluster_rpc:status(),
        lists:join(32, [[atom_to_list(N), 61, integer_to_list(I)] ||
            #{{node := N, tnx_id := I}} <- Rows]) end),
    Line(config, fun() -> lists:join(32, Roots(node())) end) |
    [Line(lists:concat([data, ' ', Tab]), fun() -> Count(Tab, Size) end) || Tab <- [{tables}],
        Size <- [ets:info(Tab, size)], is_integer(Size)]] end,
[io:format('mqttops ~ts~n', [Row]) || Row <- Own()],
Run = Running(), Stop = Stopped(),
Others = lists:usort(Run ++ Stop) -- [node()],
Peers = case Run of [] -> []; _ -> lists:usort(Run ++
    [A || A <- Ask, Others =:= [] orelse lists:member(A, Others)]) -- [node()] end,
M = fun(Ns, Mod, F, As) -> lists:zip(Ns, erpc:multicall(Ns, Mod, F, As, 8000)) end,
Q = fun(K, Ns, Mod, F, As, G) ->
    [P(K, fun() -> [N | G(V)] end) || {{N, {{ok, V}}}} <- M(Ns, Mod, F, As)] end,
Seen = M(Peers, mria, running_nodes, []),
Alive = [N || {{N, {{ok, _}}}} <- Seen],
[P(peer_unreachable, fun() -> [N] end) || N <- Peers -- Alive],
[P(peer_running, fun() -> [N | lists:sort(V)] end) || {{N, {{ok, V}}}} <- Seen],
Q(peer_stopped, Alive, mria, cluster_nodes, [stopped], fun lists:sort/1),
Q(peer_role, Alive, mria_rlog, role, [], fun(V) -> [V] end),
Q(peer_up, Alive, emqx, is_running, [], fun(V) -> [V] end),
Q(peer_booted, Alive, application, which_applications, [], fun(V) -> [Booted(V)] end),
Q(peer_booting, Alive, application, get_env, [emqx, boot_in_progress, false],
    fun(V) -> [V] end),
[P(peer_config, fun() -> lists:join(32, [atom_to_list(N) | Roots(N)]) end) ||
    N <- Alive, N =:= Seed, Others =:= []],
[io:format('mqttops of ~ts ~ts~n', [N, Row]) ||
    {{N, {{ok, Rows}}}} <- M([N || N <- Alive, {others}], erlang, apply, [Own, []]), Row <- Rows],
P(done, fun() -> ok end)
"""

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
    EMQX version does not tell is None. ``config`` maps the root keys of cluster.hocon to a hash;
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
    uptime_ms: int | None = None
    discovery: str | None = None
    proto_dist: str | None = None
    rpc_port_discovery: str | None = None
    rpc_protocol: str | None = None
    rpc_server_port: int | None = None
    data_dir: str | None = None
    cookie_fingerprint: str | None = None
    sync: t.Mapping[str, int] | None = None
    data: t.Mapping[str, int] = field(default_factory=dict)
    config: t.Mapping[str, str] | None = None
    peers: t.Mapping[str, Peer] = field(default_factory=dict)
    others: t.Mapping[str, View] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        """The other members this node knows of, running or stopped."""
        return frozenset(self.running + self.stopped) - {self.node or ""}


def strip_ansi(text: str) -> str:
    """Return text without terminal control sequences (emqx ctl prints warnings in red)."""
    return _ANSI.sub("", text)


def node_atom(name: str) -> str:
    """Return the Erlang term of a node name; raise InputError unless it is NAME@HOST."""
    if not _NODE.match(name):
        raise InputError(
            f"{name!r} is not a node name: expected NAME@HOST, as in emqx@10.0.0.1", node=name
        )
    return f"'{name}'"


def _home(user: str) -> dict[str, str]:
    """Return HOME of a user, as runuser leaves the caller's in place; {} for an unknown user."""
    try:
        return {"HOME": pwd.getpwnam(user).pw_dir}
    except KeyError:
        return {}


class Ctl:
    """The command line of the node on this host.

    ``command`` is the argv that starts it; ``user`` the runner user, taken on by runuser when
    the caller is root (bin/emqx would go through a login shell, which loses EMQX_* variables);
    ``environment`` reaches the command as variables and never as arguments.
    """

    def __init__(
        self,
        runner: Runner,
        command: t.Sequence[str] = ("emqx",),
        user: str = "emqx",
        environment: t.Mapping[str, str] | None = None,
        as_root: bool | None = None,
    ) -> None:
        is_root = os.geteuid() == 0 if as_root is None else as_root
        self._runner = runner
        self._command = list(command)
        self._switch = ["runuser", "-u", user, "--"] if user and is_root else []
        home = _home(user) if self._switch else {}
        self._environment = {**home, **(environment or {}), "LC_ALL": "C", "TERM": "dumb"}

    def run(self, arguments: t.Sequence[str], timeout: float) -> tuple[int, str, str]:
        """Run one command and return its exit code, output and error output without colours.

        A command still running after ``timeout`` seconds is ended with all its children (a ctl
        call has no limit of its own) and raised as CommandError.
        """
        limit = max(1, round(timeout))
        argv = [*self._switch, "timeout", "-k", "5", str(limit), *self._command, *arguments]
        rc, out, err = self._runner(argv, dict(self._environment))
        out, err = strip_ansi(out), strip_ansi(err)
        if rc in _CUT_OFF:
            # The view expression is long and says nothing to people.
            shown = ["eval", "..."] if arguments[:1] == ["eval"] else list(arguments)
            argv[len(argv) - len(arguments) :] = shown
            raise CommandError(
                f"{' '.join([*self._command, *shown])} gave no answer within {limit} s: "
                "the node hangs or is overloaded",
                argv,
                rc,
                out,
                err,
            )
        return rc, out, err

    def status(self, timeout: float = VIEW_TIMEOUT) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the running and the stopped nodes as ``cluster status --json`` has them."""
        argv = ["ctl", "cluster", "status", "--json"]
        rc, out, err = self.run(argv, timeout)
        try:
            answer = json.loads(out)
            return tuple(sorted(answer["running_nodes"])), tuple(sorted(answer["stopped_nodes"]))
        except (ValueError, KeyError, TypeError):
            raise ParseError(
                f"expected JSON from emqx {' '.join(argv)}, found: {out.strip() or err.strip()}",
                rc=rc,
                stdout=out,
                stderr=err,
            ) from None

    def cluster(self, *arguments: str, timeout: float) -> str:
        """Run ``ctl cluster ...`` and return what it printed; its exit code means nothing."""
        _rc, out, err = self.run(["ctl", "cluster", *arguments], timeout)
        return "\n".join(line for line in (out + "\n" + err).splitlines() if line.strip())

    def view(
        self,
        ask: t.Iterable[str] = (),
        seed: str = "",
        timeout: float = VIEW_TIMEOUT,
        others: bool = False,
    ) -> View:
        """Return this node's view, and through it what it gets to know of the running members.

        ``ask`` names further nodes to ask: former or future members. They are left alone when
        this node is in a cluster that does not know them. ``seed`` is one of them whose
        configuration is compared with ours. With ``others``, each of them says of itself all
        that this one does, if it runs the same release of Erlang/OTP: a function of the shell
        is understood by no other.
        """
        names = sorted({*ask, *([seed] if seed else [])})
        expression = _VIEW.format(
            ask=", ".join(node_atom(name) for name in names),
            seed=node_atom(seed) if seed else "none",
            tables=", ".join(_TABLES),
            others="true" if others else "false",
        )
        arguments = ["eval", " ".join(expression.split())]
        rc, out, err = self.run(arguments, min(timeout, VIEW_TIMEOUT))
        return read_view(rc, out, err)


def read_view(rc: int, out: str, err: str) -> View:
    """Turn the answer of the view expression, or the CLI's refusal, into a View."""
    lines = [line[len(_PREFIX) :] for line in out.splitlines() if line.startswith(_PREFIX)]
    if not lines:
        return _no_view(rc, out, err)
    told: dict[str, list[tuple[str, str]]] = {_SELF: []}
    for line in lines:
        key, _blank, value = line.partition(" ")
        who = _SELF
        if key == _OTHER:
            who, key, value = [*value.split(" ", 2), ""][:3]
        told.setdefault(who, []).append((key, value))
    rows = told.pop(_SELF)
    if "done" not in dict(rows):
        raise ParseError("emqx eval broke off in the middle of its answer", rc=rc, stderr=err)
    return _build_view(rows, {name: _build_view(said, {}) for name, said in told.items()})


def _build_view(rows: t.Sequence[tuple[str, str]], others: t.Mapping[str, View]) -> View:
    values = {key: "" if value == "unknown" else value.strip() for key, value in rows}
    node, running = values["node"], tuple(values["running"].split())
    ready = values["ready"] == "true" and node in running
    unknown = {key for key, value in rows if value == "unknown"}
    uptime, port = values["uptime"], values["rpc_server_port"]
    return View(
        state="ready" if ready else "booting",
        reason="" if ready else _why_booting(values),
        node=node,
        version=values["version"] or None,
        edition={"ce": "opensource", "ee": "enterprise"}.get(
            values["edition"], values["edition"] or None
        ),
        role=values["role"] or None,
        running=running,
        stopped=tuple(values["stopped"].split()),
        upstream=tuple(values["upstream"].split()),
        uptime_ms=int(uptime) if uptime else None,
        discovery=values["discovery"] or None,
        proto_dist=values["proto_dist"] or None,
        rpc_port_discovery=values["rpc_port_discovery"] or None,
        rpc_protocol=values["rpc_protocol"] or None,
        rpc_server_port=int(port) if port.isdigit() else None,
        data_dir=values["data_dir"] or None,
        cookie_fingerprint=values["cookie"] or None,
        sync=None
        if "sync" in unknown
        else {name: int(tnx) for name, tnx in _pairs(values["sync"].split())},
        data=_data(rows),
        config=None if "config" in unknown else dict(_pairs(values["config"].split())),
        peers=_peers(rows),
        others=others,
    )


def _why_booting(values: t.Mapping[str, str]) -> str:
    tables, nodes = values["waiting_tables"].split(), values["waiting_nodes"].split()
    if tables:
        source = f" from {', '.join(nodes)}" if nodes else ""
        return (
            f"still waiting for table(s) {', '.join(tables[:5])}{source}: "
            "nodes that stopped later hold newer copies, start all cores at once"
        )
    if values["role"] == "replicant" and not values["upstream"]:
        return _why_no_core(values)
    if values["running"]:
        return "its applications are still starting"
    return "its database is not up yet"


def _why_no_core(values: t.Mapping[str, str]) -> str:
    if values["cores"]:
        return (
            f"a replicant boots with a core of exactly its own version ({values['version']}) only, "
            f"and found {', '.join(values['cores'].split())}: they run another version, or are not "
            "ready"
        )
    return (
        "a replicant boots with a core only, and found none: its discovery names no core that "
        "runs and that it can reach (seeds, ports between the nodes, cookie)"
    )


def _pairs(words: t.Iterable[str]) -> t.Iterator[tuple[str, str]]:
    for word in words:
        name, _equals, value = word.rpartition("=")
        yield name, value


def _data(rows: t.Iterable[tuple[str, str]]) -> dict[str, int]:
    data: dict[str, int] = {}
    for key, value in rows:
        if key == "data":
            table, _blank, size = value.partition(" ")
            name = _TABLES[table]
            data[name] = data.get(name, 0) + int(size)
    return data


def _peers(rows: t.Iterable[tuple[str, str]]) -> dict[str, Peer]:
    said: dict[str, dict[str, list[str]]] = {}
    for key, value in rows:
        if key.startswith("peer_") and value != "unknown":
            name, *words = value.split()
            said.setdefault(name, {})[key[len("peer_") :]] = words
    return {
        name: Peer(
            reachable="unreachable" not in told,
            running=tuple(told.get("running", ())),
            stopped=tuple(told.get("stopped", ())),
            role=next(iter(told.get("role", ())), None),
            ready=told.get("up") == ["true"]
            and told.get("booted") == ["true"]
            and told.get("booting") != ["true"]
            and name in told.get("running", ()),
            config=dict(_pairs(told["config"])) if "config" in told else None,
        )
        for name, told in said.items()
    }


def _no_view(rc: int, out: str, err: str) -> View:
    lines = [line.strip() for line in (out + "\n" + err).splitlines() if line.strip()]
    text = " ".join(lines[-3:])
    for sign, advice in _BAD_CALL.items():
        if any(sign in line for line in lines):
            raise CommandError(f"emqx eval: {text}: {advice}", ["emqx", "eval"], rc, out, err)
    if rc == 0:
        raise ParseError(f"emqx eval printed nothing that we know: {text}", stdout=out, stderr=err)
    missing = any(_NOT_INSTALLED.search(line) for line in lines)
    return View(state="down", reason=text or f"exit code {rc}", installed=not missing)


def dial(host: str, port: int, timeout: float = 3.0) -> str:
    """Return how a TCP connection fares: ``tls``, ``open``, ``refused``, ``filtered`` or
    ``unresolved``. An open port is asked for TLS, to tell it from one that speaks plainly."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            return "tls" if _speaks_tls(connection) else "open"
    except socket.gaierror:
        return "unresolved"
    except OSError as error:
        return "refused" if error.errno == errno.ECONNREFUSED else "filtered"


def _speaks_tls(connection: socket.socket) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Only the protocol is looked at; nothing is sent, and nothing believed.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_socket(connection).close()
    except ssl.SSLError as error:
        # An alert is an answer in TLS. A plain port closes, or answers with something else.
        return "ALERT" in (error.reason or "")
    except OSError:
        return False
    return True
