%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Cluster membership on Mnesia: a core that joins deletes its own schema and copies the target's.
%% A replicant is in no schema but its own.
-module(mria).
-include_lib("kernel/include/logger.hrl").
-export([start/0, join/1, leave/0, force_leave/1, running_nodes/0, cluster_nodes/1, info/0,
         is_member/1, boot_time/0, copying/1, del_member/1, transaction/1, dirty_write/1, dirty_delete/2]).

-define(WAIT_ROUND, 5000).
-define(COPYING, {?MODULE, copying}).

%%-- boot ------------------------------------------------------------------------
%% Returns when all tables are loaded: never, while a peer that stopped later is missing, or on
%% a replicant a core.
start() ->
    create_schema(),
    case mria_rlog:role() of
        core -> start_core();
        replicant -> start_replicant()
    end,
    persistent_term:put({?MODULE, boot_time}, os:system_time(millisecond)).

create_schema() ->
    Dir = mnesia:system_info(directory),
    ok = filelib:ensure_path(filename:dirname(Dir)),
    case mnesia:create_schema([node()]) of
        ok -> ok;
        {error, {_, {already_exists, _}}} -> ok
    end.

start_core() ->
    case expelled_by() of
        [] -> ok;
        Peers -> exit({not_a_member_any_more, #{node => node(), peers => Peers}})
    end,
    ok = mnesia:start(),
    ok = wait_for_tables([schema]),
    ok = wait_for_tables(mnesia:system_info(local_tables)),
    ensure_tables().

start_replicant() ->
    ok = mnesia:start(),
    ok = wait_for_tables([schema]),
    Local = mnesia:system_info(local_tables),
    [{atomic, ok} = mnesia:create_table(Tab, [{attributes, Attrs}, {ram_copies, [node()]}])
     || {Tab, Attrs} <- mria_schema:tables(), not lists:member(Tab, Local)],
    ok = mria_lb:wait_for_core(),
    ok = emqx_conf:copy_cluster_hocon(mria_replica:upstream()).

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
     || {Tab, Attrs} <- mria_schema:tables(), not lists:member(Tab, Local)
    ],
    wait_for_tables([Tab || {Tab, _} <- mria_schema:tables()]).

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
        yes -> members(mria_rlog:role(), Which);
        _ -> []
    end.

members(core, cores) -> lists:sort(mnesia:system_info(db_nodes));
members(replicant, cores) -> mria_lb:core_nodes();
members(core, running) -> lists:usort(mnesia:system_info(running_db_nodes) ++ mria_membership:running_replicant_nodelist());
members(replicant, running) ->
    lists:usort(mria_membership:running_core_nodelist() ++ mria_membership:running_replicant_nodelist());
members(Role, stopped) -> members(Role, all) -- members(Role, running);
%% A replicant that is down is in no list.
members(Role, all) -> lists:usort(members(Role, running) ++ db_nodes(Role)).

db_nodes(core) ->
    mnesia:system_info(db_nodes);
db_nodes(replicant) ->
    Known = [N || Core <- mria_membership:running_core_nodelist(),
                  N <- [rpc:call(Core, mnesia, system_info, [db_nodes])], is_list(N)],
    lists:append(lists:sublist(Known, 1)).

is_member(Node) -> lists:member(Node, cluster_nodes(all)).

info() ->
    #{backend => rlog, role => mria_rlog:role(), cores => cluster_nodes(cores),
      db_nodes => cluster_nodes(all), running_nodes => running_nodes(), shards => []}.

%%-- writing: where this node only has a copy, its core does it ------------------------
transaction(Fun) -> on_core(mnesia, transaction, [Fun]).
dirty_write(Record) -> on_core(mnesia, dirty_write, [Record]).
dirty_delete(Table, Key) -> on_core(mnesia, dirty_delete, [Table, Key]).

on_core(Module, Function, Args) ->
    case mria_rlog:role() of
        core -> apply(Module, Function, Args);
        replicant -> erpc:call(mria_replica:upstream(), Module, Function, Args)
    end.

%%-- join --------------------------------------------------------------------------
%% -> ok | ignore | {error, Reason}. The applications come back after the return.
join(Node) when Node =:= node() ->
    ignore;
join(Node) ->
    locked(Node, fun() ->
        case {is_member(Node), rpc:call(Node, mnesia, system_info, [is_running]), mria_rlog:role(Node)} of
            {true, _, _} -> {error, {already_in_cluster, Node}};
            {false, yes, core} -> do_join(mria_rlog:role(), Node);
            {false, yes, replicant} -> {error, {cannot_join_to_replicant, Node}};
            {false, _, _} -> {error, {node_down, Node}}
        end
    end).

locked(Node, Fun) -> global:trans({{?MODULE, join}, self()}, Fun, [node(), Node]).

do_join(replicant, Node) ->
    mria_lb:join_cluster(Node);
do_join(core, Node) ->
    wait_for_copies(Node, 2000),
    ?LOG_WARNING("joining the cluster of ~p, dropping all local data", [Node]),
    emqx_machine:stop_apps(),
    reset(),
    Copy = emqx_standin:milliseconds("EMQX_STANDIN_COPY_SECONDS"),
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
        persistent_term:put(?COPYING, true),
        emqx_machine:start_apps(Copy)
    end.

%% Whoever joins meanwhile would take the copies that cannot be read for such as are not there, for good.
wait_for_copies(Node, Rounds) ->
    Cores = [N || N <- rpc:call(Node, mnesia, system_info, [running_db_nodes]), N =/= node()],
    case [N || N <- Cores, true =:= rpc:call(N, persistent_term, get, [?COPYING, false])] of
        [_ | _] when Rounds > 0 ->
            timer:sleep(50),
            wait_for_copies(Node, Rounds - 1);
        _ ->
            ok
    end.

%% Until Fun returns, this node's copies cannot be read, as while Mnesia loads them: a peer that has them
%% runs, where tables that wait for a peer have none.
copying(Fun) ->
    Tables = [T || {T, _} <- mria_schema:tables(), mnesia:table_info(T, where_to_read) =:= node(),
                   mnesia:table_info(T, active_replicas) =/= [node()]],
    [mnesia_lib:set({T, where_to_read}, nowhere) || T <- Tables],
    Fun(),
    [mnesia_lib:set({T, where_to_read}, node()) || T <- Tables],
    persistent_term:erase(?COPYING),
    ok.

%% Mnesia running with an empty schema in memory
reset() ->
    ok = mria_membership:reset(),
    stopped = mnesia:stop(),
    ok = mnesia:delete_schema([node()]),
    ok = mnesia:start().

%%-- leave ---------------------------------------------------------------------------
leave() ->
    case {mria_rlog:role(), running_nodes() -- [node() | mria_membership:running_replicant_nodelist()]} of
        {_, []} -> {error, node_not_in_cluster};
        {replicant, _} -> mria_lb:leave_cluster();
        {core, Peers} -> locked(hd(Peers), fun() -> do_leave(Peers) end)
    end.

do_leave(Peers) ->
    emqx_machine:stop_apps(),
    ok = mria_membership:reset(),
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
