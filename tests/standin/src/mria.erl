%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Cluster membership on Mnesia: a joiner deletes its own schema and copies the target's.
-module(mria).
-include_lib("kernel/include/logger.hrl").
-export([start/0, join/1, leave/0, force_leave/1, running_nodes/0, cluster_nodes/1, info/0,
         is_member/1, boot_time/0, del_member/1]).

-define(WAIT_ROUND, 5000).

%% {Table, Attributes}; all kept on disc by every core
tables() ->
    [{emqx_admin, [username, pwdhash, description, role, extra]},
     {emqx_admin_jwt, [token, username, exptime, extra]},
     {emqx_app, [name, api_key, api_secret_hash, enable, desc, expired_at, created_at, extra]},
     {emqx_authn_mnesia, [user_id, password_hash, salt, is_superuser]},
     {emqx_enhanced_authn_scram_mnesia, [user_id, stored_key, server_key, salt, is_superuser]},
     {emqx_acl, [who, rules]}, {emqx_banned, [who, by, reason, at, until]},
     {emqx_psk, [psk_id, shared_secret, extra]}, {emqx_retainer_message, [topic, msg, expiry_time]},
     {cluster_rpc_commit, [node, tnx_id]}, {cluster_rpc_mfa, [tnx_id, mfa, created_at, initiator]}].

%%-- boot ------------------------------------------------------------------------
%% Returns when all tables are loaded: never, while a peer that stopped later is missing.
start() ->
    Dir = mnesia:system_info(directory),
    ok = filelib:ensure_path(filename:dirname(Dir)),
    case mnesia:create_schema([node()]) of
        ok -> ok;
        {error, {_, {already_exists, _}}} -> ok
    end,
    case expelled_by() of
        [] -> ok;
        Peers -> exit({not_a_member_any_more, #{node => node(), peers => Peers}})
    end,
    ok = mnesia:start(),
    ok = wait_for_tables([schema]),
    ok = wait_for_tables(mnesia:system_info(local_tables)),
    ensure_tables(),
    persistent_term:put({?MODULE, boot_time}, os:system_time(millisecond)).

%% The peers on disc that have removed this node while it was down. Mnesia itself would merge
%% it back in; EMQX does not boot on such data, so this looks before Mnesia starts.
expelled_by() ->
    [N || N <- mnesia:system_info(db_nodes), N =/= node(),
          Members <- [rpc:call(N, ?MODULE, cluster_nodes, [all])],
          is_list(Members), Members =/= [], not lists:member(node(), Members)].

ensure_tables() ->
    Known = mnesia:system_info(tables),
    Local = mnesia:system_info(local_tables),
    [
        {atomic, ok} =
            case lists:member(Tab, Known) of
                true -> mnesia:add_table_copy(Tab, node(), disc_copies);
                false -> mnesia:create_table(Tab, [{attributes, Attrs}, {disc_copies, [node()]}])
            end
     || {Tab, Attrs} <- tables(), not lists:member(Tab, Local)
    ],
    wait_for_tables([Tab || {Tab, _} <- tables()]).

wait_for_tables(Tables) ->
    case mnesia:wait_for_tables(Tables, ?WAIT_ROUND) of
        ok ->
            ok;
        {timeout, Missing} ->
            ?LOG_WARNING("mria_mnesia: still waiting for table(s): ~p", [Missing]),
            [?LOG_WARNING("Table ~p is waiting for one of the nodes: ~p",
                          [T, mnesia:table_info(T, all_nodes) -- [node()]]) || T <- Missing],
            wait_for_tables(Tables);
        {error, Reason} ->
            exit({mnesia_failed, Reason})
    end.

%% Order of age in the cluster; not before this node can be joined.
boot_time() -> persistent_term:get({?MODULE, boot_time}).

%%-- views -----------------------------------------------------------------------
running_nodes() -> cluster_nodes(running).

cluster_nodes(Which) ->
    case mnesia:system_info(is_running) of
        yes ->
            All = lists:sort(mnesia:system_info(db_nodes)),
            Running = lists:sort(mnesia:system_info(running_db_nodes)),
            case Which of
                running -> Running;
                stopped -> All -- Running;
                replicants -> [];
                _ -> All
            end;
        _ ->
            []
    end.

is_member(Node) -> lists:member(Node, cluster_nodes(all)).

info() ->
    #{backend => rlog, role => mria_rlog:role(), cores => cluster_nodes(cores),
      db_nodes => cluster_nodes(all), running_nodes => running_nodes(), shards => []}.

%%-- join --------------------------------------------------------------------------
%% -> ok | ignore | {error, Reason}. The applications come back after the return.
join(Node) when Node =:= node() ->
    ignore;
join(Node) ->
    locked(Node, fun() ->
        case {is_member(Node), rpc:call(Node, mnesia, system_info, [is_running])} of
            {true, _} -> {error, {already_in_cluster, Node}};
            {false, yes} -> do_join(Node);
            {false, _} -> {error, {node_down, Node}}
        end
    end).

locked(Node, Fun) -> global:trans({{?MODULE, join}, self()}, Fun, [node(), Node]).

do_join(Node) ->
    ?LOG_WARNING("joining the cluster of ~p, dropping all local data", [Node]),
    emqx_machine:stop_apps(),
    reset(),
    try
        {ok, [Node]} = mnesia:change_config(extra_db_nodes, [Node]),
        {atomic, ok} = mnesia:change_table_copy_type(schema, node(), disc_copies),
        ok = ensure_tables(),
        ok = emqx_conf:copy_cluster_hocon(Node)
    catch
        error:{badmatch, Reason} ->
            ?LOG_ERROR("failed to copy the schema of ~p: ~p", [Node, Reason]),
            reset(),
            stopped = mnesia:stop(),
            start(),
            {error, Reason}
    after
        emqx_machine:start_apps()
    end.

%% Mnesia running with an empty schema in memory
reset() ->
    stopped = mnesia:stop(),
    ok = mnesia:delete_schema([node()]),
    ok = mnesia:start().

%%-- leave ---------------------------------------------------------------------------
leave() ->
    case running_nodes() -- [node()] of
        [] -> {error, node_not_in_cluster};
        Peers -> locked(hd(Peers), fun() -> do_leave(Peers) end)
    end.

do_leave(Peers) ->
    emqx_machine:stop_apps(),
    stopped = mnesia:stop(),
    Result =
        case lists:any(fun(P) -> rpc:call(P, ?MODULE, del_member, [node()]) =:= ok end, Peers) of
            true -> mnesia:delete_schema([node()]);
            false -> {error, {failed_to_leave, Peers}}
        end,
    start(),
    emqx_machine:start_apps(),
    Result.

force_leave(Node) when Node =:= node() ->
    ignore;
force_leave(Node) ->
    case {is_member(Node), lists:member(Node, running_nodes())} of
        {false, _} -> {error, node_not_in_cluster};
        {true, true} -> rpc:call(Node, ?MODULE, leave, []);
        {true, false} -> del_member(Node)
    end.

del_member(Node) ->
    wait_stopped(Node, 100),
    case mnesia:del_table_copy(schema, Node) of
        {atomic, ok} -> mnesia:dirty_delete(cluster_rpc_commit, Node);
        {aborted, Reason} -> {error, Reason}
    end.

wait_stopped(Node, Rounds) ->
    case lists:member(Node, mnesia:system_info(running_db_nodes)) of
        true when Rounds > 0 ->
            timer:sleep(50),
            wait_stopped(Node, Rounds - 1);
        _ ->
            ok
    end.
