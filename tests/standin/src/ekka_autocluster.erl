%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Automatic discovery, of cores only: after the boot, every five seconds until this node is in a cluster
%% with every discovered node.
-module(ekka_autocluster).
-behaviour(gen_server).
-include_lib("kernel/include/logger.hrl").
-export([start_link/0, enable/0, disable/0, core_nodes/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-define(INTERVAL, 5000).
-define(OLDEST_TIMEOUT, 30000).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).
enable() -> gen_server:cast(?MODULE, enable).
disable() -> gen_server:call(?MODULE, disable).

%% By which replicants find the cores.
core_nodes() ->
    Strategy = emqx_conf:get([cluster, discovery_strategy]),
    case ekka_cluster_strategy:module(Strategy) of
        none -> [];
        Module -> discovered(Module:discover(emqx_conf:get([cluster, Strategy])))
    end.

discovered({ok, Nodes}) ->
    Nodes;
discovered({error, Reason}) ->
    ?LOG_ERROR("Discovery error: ~p", [Reason]),
    [].

%%-- the loop: one worker at a time, so that the server always answers --------------
init([]) -> {ok, idle}.

handle_call(disable, _From, State) ->
    is_pid(State) andalso exit(State, kill),
    {reply, ok, idle}.

handle_cast(enable, State) when is_pid(State) ->
    {noreply, State};
handle_cast(enable, idle) ->
    {Worker, _} = spawn_monitor(fun loop/0),
    {noreply, Worker}.

handle_info({'DOWN', _, process, Worker, Reason}, Worker) ->
    Reason =:= normal orelse ?LOG_ERROR("discovery stopped: ~p", [Reason]),
    {noreply, idle};
handle_info(_, State) ->
    {noreply, State}.

loop() ->
    Strategy = emqx_conf:get([cluster, discovery_strategy]),
    case ekka_cluster_strategy:module(Strategy) of
        none -> ok;
        Module -> loop(Module, emqx_conf:get([cluster, Strategy]))
    end.

loop(Module, Options) ->
    case emqx:is_running() andalso locked_round(Module, Options) of
        true ->
            ok;
        false ->
            timer:sleep(?INTERVAL),
            loop(Module, Options)
    end.

%% -> whether there is nothing left to do
locked_round(Module, Options) ->
    try Module:lock(Options) of
        ok ->
            round(Module, Options);
        ignore ->
            timer:sleep(rand:uniform(3000)),
            round(Module, Options);
        {error, Reason} ->
            ?LOG_ERROR("AutoCluster stopped for lock error: ~p", [Reason]),
            false
    after
        unlock(Module, Options)
    end.

unlock(Module, Options) ->
    case Module:unlock(Options) of
        {error, Reason} -> ?LOG_ERROR("AutoCluster unlock error: ~p", [Reason]);
        _ -> ok
    end.

round(Module, Options) ->
    case Module:discover(Options) of
        {ok, Nodes} ->
            join(Nodes),
            registered(Module:register(Options)) andalso complete(Nodes);
        {error, Reason} ->
            ?LOG_ERROR("Discovery error: ~p", [Reason]),
            false
    end.

registered({error, Reason}) ->
    ?LOG_ERROR("Register error: ~p", [Reason]),
    false;
registered(_) ->
    true.

join(Nodes) ->
    Alive = [N || N <- Nodes, N =:= node() orelse net_adm:ping(N) =:= pong],
    case Alive -- mria:running_nodes() of
        [] ->
            ok;
        _ ->
            {Times, Bad} = rpc:multicall(Alive, mria, boot_time, [], ?OLDEST_TIMEOUT),
            case Bad =:= [] andalso lists:all(fun is_integer/1, Times) of
                true ->
                    {_, Oldest} = lists:min(lists:zip(Times, Alive)),
                    Result = ekka:join(Oldest),
                    ?LOG_NOTICE("discovery: join ~p: ~p", [Oldest, Result]);
                false ->
                    ?LOG_INFO("discovered nodes are not responding: ~p", [Alive])
            end
    end.

complete(Nodes) ->
    Running = mria:running_nodes(),
    length(Running) > 1 andalso lists:member(node(), Nodes) andalso Nodes -- Running =:= [].
