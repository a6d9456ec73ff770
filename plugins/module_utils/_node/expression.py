# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""The one question to a node: an Erlang expression whose answers make its view.

It writes ``mqttops KEY VALUE...`` lines to the caller's output; the expression's own value is
wrapped by the pretty-printer and ignored. Each question has its own ``try``: what an EMQX version
does not know reads ``unknown``.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mqttops.emqx.plugins.module_utils._errors import InputError

# What lines of the answer begin with; the key of a line that another node said.
PREFIX, OTHER = "mqttops ", "of"

_NODE = re.compile(r"[0-9A-Za-z_-]+@[0-9A-Za-z.:_-]+\Z")

# Mnesia tables whose records are gone after a join, and what people call them. Names as of
# EMQX 5.0 to 6.3; a table that a version does not have is left out of the answer.
TABLES: t.Mapping[str, str] = {
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
# The vendor's first login is compared with the password's hash (emqx_dashboard_admin, EMQX 5.0 to
# 6.3), which is no login that fails: too many of those lock a user out.
# Not counted as configuration: empty roots, and a log with empty handlers, which 5.8 writes itself.
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
Empty = Re('^(?:[a-z0-9_]+[[:space:]=]*[{{]|log[[:space:]=]*[{{][[:space:]a-z{{}}]*)') ++
    Re('[[:space:]]*[}}][[:space:]]*(?![^[:space:]])'),
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
Missing = fun() -> [Tab || Tab <- mnesia:system_info(tables),
    mnesia:table_info(Tab, where_to_read) =:= nowhere] end,
Copies = fun(Tab) -> mnesia:table_info(Tab, active_replicas) end,
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
    Line(copying_tables, fun() -> [Tab || Tab <- Missing(), Copies(Tab) =/= []] end),
    Line(waiting_tables, fun() -> [Tab || Tab <- Missing(), Copies(Tab) =:= []] end),
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
    Line(default_login, fun() ->
        case emqx_dashboard_admin:check(atom_to_binary(admin), atom_to_binary(public)) of
            ok -> true; {{ok, _}} -> true; {{error, _}} -> false end end),
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


def node_atom(name: str) -> str:
    """Return the Erlang term of a node name; raise InputError unless it is NAME@HOST."""
    if not _NODE.match(name):
        raise InputError(
            f"{name!r} is not a node name: expected NAME@HOST, as in emqx@10.0.0.1", node=name
        )
    return f"'{name}'"


def view_expression(ask: t.Iterable[str] = (), seed: str = "", others: bool = False) -> str:
    """Return the expression in one line.

    ``ask`` names further nodes to ask: former or future members. ``seed`` is one whose
    configuration is compared. With ``others``, running members say of themselves what this one
    does. Raise InputError for what is no node name.
    """
    names = sorted({*ask, *([seed] if seed else [])})
    expression = _VIEW.format(
        ask=", ".join(node_atom(name) for name in names),
        seed=node_atom(seed) if seed else "none",
        tables=", ".join(TABLES),
        others="true" if others else "false",
    )
    return " ".join(expression.split())
