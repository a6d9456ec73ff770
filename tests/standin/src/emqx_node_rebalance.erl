%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `rebalance' of the enterprise edition. An evacuation refuses new connections until it is stopped, also after a
%% restart, and closes those that there are, so many a second; there are no sessions to be moved. Texts and states by the
%% vendor's documentation and source, where `start' and `stop' answer true or false, of which neither makes exit code 0.
-module(emqx_node_rebalance).
-export([cli/1, usage/0, is_evacuating/0, format/0]).

%% connections a second, the vendor's default
-define(EVICT_RATE, 500).

-import(emqx_ctl, [print/1, print/2]).

usage() ->
    [{"rebalance start --evacuation [options]", "Start evacuation of this node"},
     {"rebalance start --purge [options]", "Start purge of this node"},
     {"rebalance start [options]", "Start rebalance"},
     {"rebalance node-status [\"node1@host1\"]", "Get status of this or another node"},
     {"rebalance status", "Get status of all nodes"},
     {"rebalance stop", "Stop rebalance on this node"}].

is_evacuating() ->
    case status() of
        #{type := evacuation, state := State} -> State =/= waiting_health_check;
        _ -> false
    end.

%% disabled | #{type, rate, initial, state}
status() ->
    case persistent_term:get(?MODULE, unread) of
        unread -> restored(file:read_file(file()));
        Status -> Status
    end.

restored({ok, _}) -> started(#{type => evacuation, rate => ?EVICT_RATE, initial => 0, state => prohibiting});
restored({error, _}) -> disabled.

started(Status) ->
    persistent_term:put(?MODULE, Status),
    Status.

file() -> filename:join(emqx:data_dir(), ".evacuation").

cli(["start", "--evacuation" | Options]) -> start(evacuation, Options, "Rebalance(evacuation) started~n");
cli(["start", "--purge" | Options]) -> start(purge, Options, "Rebalance(purge) started~n");
cli(["start" | Options]) -> start(rebalance, Options, "Rebalance started~n");
cli(["node-status"]) -> cli(["node-status", atom_to_list(node())]);
cli(["node-status", Name]) ->
    case local_status(list_to_atom(Name)) of
        disabled -> print("Rebalance disabled~n");
        {Type, Text} -> print("Rebalance type: ~s~n~ts~n", [Type, Text])
    end;
cli(["status"]) ->
    [print("~68..-s~nNode ~p: ~s~n~ts", ["", N, Type, Text])
     || N <- mria:running_nodes(), {Type, Text} <- [local_status(N)]],
    ok;
cli(["stop"]) ->
    case status() of
        disabled ->
            print("Rebalance is already disabled~n"),
            false;
        #{type := Type} ->
            persistent_term:put(?MODULE, disabled),
            file:delete(file()),
            print("Rebalance(~s) stopped~n", [Type]),
            true
    end;
cli(_) ->
    emqx_ctl:usage(usage()).

%% EMQX takes positive numbers alone.
option(Name, Default, [Name, Value | _]) when is_integer(Default) -> max(1, list_to_integer(Value));
option(Name, Default, [_ | Options]) -> option(Name, Default, Options);
option(_, Default, []) -> Default.

start(Type, Options, Text) ->
    case status() of
        disabled ->
            started(#{type => Type, rate => option("--conn-evict-rate", ?EVICT_RATE, Options),
                      initial => emqx_connection:count(), state => waiting_health_check}),
            Type =:= evacuation andalso file:write_file(file(), <<"{}">>),
            Type =:= evacuation andalso spawn(fun() -> evacuate(Options) end),
            print(Text),
            true;
        _ ->
            print("Rebalance is already enabled~n"),
            false
    end.

evacuate(Options) ->
    timer:sleep(1000 * option("--wait-health-check", 60, Options)),
    next(evicting_conns) andalso evict() andalso next(waiting_takeover) andalso begin
        timer:sleep(1000 * option("--wait-takeover", 60, Options)),
        next(evicting_sessions) andalso next(prohibiting)
    end.

%% -> whether it goes on
next(State) ->
    case status() of
        #{type := evacuation} = Status -> started(Status#{state := State}), true;
        _ -> false
    end.

evict() ->
    case {status(), emqx_connection:count()} of
        {#{type := evacuation}, 0} -> true;
        {#{type := evacuation, rate := Rate}, _} -> emqx_connection:evict(Rate), timer:sleep(1000), evict();
        _ -> false
    end.

local_status(Node) ->
    case rpc:call(Node, ?MODULE, format, []) of
        {badrpc, _} -> disabled;
        Status -> Status
    end.

format() ->
    case status() of
        disabled ->
            disabled;
        #{type := Type, rate := Rate, initial := Initial, state := State} ->
            Clients = emqx_connection:count(),
            %% counted again only once it is the turn of the sessions
            Sessions = case State of prohibiting -> 0; _ -> Initial end,
            {Type, io_lib:format(
                "Rebalance state: ~s~nConnection eviction rate: ~b connections/second~n"
                "Session eviction rate: ~b sessions/second~nConnection goal: 0~nSession goal: 0~n"
                "Channel statistics:~n  current_connected: ~b~n  current_sessions: ~b~n"
                "  initial_connected: ~b~n  initial_sessions: ~b~n",
                [State, Rate, Rate, Clients, Sessions, Initial, Initial])}
    end.
