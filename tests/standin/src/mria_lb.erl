%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% On replicants: finds the cores, by a seed given by hand or by the discovery strategy, and keeps
%% the replica with one of exactly this node's version.
-module(mria_lb).
-behaviour(gen_server).
-include_lib("kernel/include/logger.hrl").
-export([start_link/0, wait_for_core/0, core_nodes/0, join_cluster/1, leave_cluster/0, lb_callback/0]).
-export([init/1, handle_call/3, handle_info/2, handle_cast/2]).

-define(INTERVAL, 1000).
-define(TIMEOUT, 5000).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

%% Begin; returns when the replica is complete, never while there is no such core.
wait_for_core() -> gen_server:call(?MODULE, wait, infinity).

core_nodes() -> gen_server:call(?MODULE, core_nodes, 30000).

join_cluster(Core) -> file:write_file(seed_file(), io_lib:format("~p.", [Core])).

leave_cluster() ->
    case file:delete(seed_file()) of
        {error, enoent} -> ok;
        Result -> Result
    end.

seed_file() -> filename:join(mnesia:system_info(directory), "mria_replicant_cluster_seed").

%% What a core says of itself.
lb_callback() ->
    {node(), #{role => mria_rlog:role(), version => emqx_release:version(),
               db_nodes => mnesia:system_info(db_nodes), load => length(mria_replica:served())}}.

init([]) ->
    process_flag(trap_exit, true),
    {ok, #{cores => [], replica => undefined, waiting => []}}.

handle_call(wait, From, #{waiting := Waiting} = State) ->
    self() ! update,
    {noreply, State#{waiting := [From | Waiting]}};
handle_call(core_nodes, _From, #{cores := Cores} = State) ->
    {reply, Cores, State}.

handle_cast(_, State) -> {noreply, State}.

handle_info(update, State) ->
    New = connect(update(State)),
    erlang:send_after(?INTERVAL, self(), update),
    {noreply, New};
handle_info({bootstrapped, _Core}, #{waiting := Waiting} = State) ->
    [gen_server:reply(From, ok) || From <- Waiting],
    {noreply, State#{waiting := []}};
handle_info({'EXIT', Pid, Reason}, #{replica := {Pid, Core}} = State) ->
    ?LOG_WARNING("replica: lost ~p: ~0p", [Core, Reason]),
    persistent_term:erase({mria_replica, upstream}),
    {noreply, State#{replica := undefined}};
handle_info(_, State) ->
    {noreply, State}.

update(#{cores := Old} = State) ->
    {Answers, _} = rpc:multicall(discover(), ?MODULE, lb_callback, [], ?TIMEOUT),
    Infos = maps:from_list([A || {_, #{role := core}} = A <- Answers]),
    Cores = best(Old, lists:usort([lists:sort(D) || #{db_nodes := D} <- maps:values(Infos)]), Infos),
    {Others, _} = rpc:multicall(Cores, mria_membership, running_replicant_nodelist, [], ?TIMEOUT),
    mria_membership:ping(lists:usort(Cores ++ lists:append([L || L <- Others, is_list(L)])) -- [node()]),
    State#{cores := Cores, infos => maps:with(Cores, Infos)}.

discover() ->
    case file:consult(seed_file()) of
        {ok, [Seed]} when is_atom(Seed) ->
            case rpc:call(Seed, mnesia, system_info, [db_nodes], ?TIMEOUT) of
                Nodes when is_list(Nodes) -> Nodes;
                _ -> [Seed]
            end;
        {error, enoent} ->
            ekka_autocluster:core_nodes();
        _ ->
            ?LOG_CRITICAL("~p is corrupt. Delete this file and re-join the node to the cluster. Stopping.", [seed_file()]),
            init:stop(1),
            []
    end.

%% Of several clusters the one with most of the cores so far, then the largest.
best(_Old, [], _Infos) ->
    [];
best(Old, Clusters, Infos) ->
    Score = fun(Cluster) -> {length([N || N <- Cluster, lists:member(N, Old)]), length(Cluster)} end,
    {_, Best} = lists:max([{Score(C), C} || C <- Clusters]),
    [N || N <- Best, is_map_key(N, Infos)].

connect(#{replica := undefined, infos := Infos} = State) ->
    Own = emqx_release:version(),
    case lists:sort([{Load, rand:uniform(), N} || {N, #{version := V, load := Load}} <- maps:to_list(Infos), V =:= Own]) of
        [{_, _, Core} | _] ->
            State#{replica := {mria_replica:start_link(Core, self()), Core}};
        [] ->
            ?LOG_WARNING("replica: no core of version ~s among ~p", [Own, maps:keys(Infos)]),
            State
    end;
connect(State) ->
    State.
