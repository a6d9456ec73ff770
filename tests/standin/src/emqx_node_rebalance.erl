%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `rebalance' of the enterprise edition. An evacuation refuses new connections until it is stopped, and closes
%% those that there are, so many a second; there are no sessions to be moved. Texts by the vendor's documentation.
%% Exit codes are not recorded: from the source, where `start' and `stop' answer true or false, and only `ok' makes 0.
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

is_evacuating() -> type(status()) =:= evacuation.

%% disabled | #{type, rate, initial}
status() -> persistent_term:get(?MODULE, disabled).

type(#{type := Type}) -> Type;
type(disabled) -> disabled.

cli(["start", "--evacuation" | Options]) -> start(evacuation, rate(Options), "Rebalance(evacuation) started~n");
cli(["start", "--purge" | _]) -> start(purge, 0, "Rebalance(purge) started~n");
cli(["start" | _]) -> start(rebalance, 0, "Rebalance started~n");
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
            print("Rebalance(~s) stopped~n", [Type]),
            true
    end;
cli(_) ->
    emqx_ctl:usage(usage()).

rate(["--conn-evict-rate", Rate | _]) -> list_to_integer(Rate);
rate([_ | Options]) -> rate(Options);
rate([]) -> ?EVICT_RATE.

start(Type, Rate, Text) ->
    case status() of
        disabled ->
            persistent_term:put(?MODULE, #{type => Type, rate => Rate, initial => emqx_connection:count()}),
            Type =:= evacuation andalso spawn(fun() -> evict(Rate) end),
            print(Text),
            true;
        _ ->
            print("Rebalance is already enabled~n"),
            false
    end.

evict(Rate) ->
    emqx_connection:evict(Rate),
    timer:sleep(1000),
    is_evacuating() andalso emqx_connection:count() > 0 andalso evict(Rate).

local_status(Node) ->
    case rpc:call(Node, ?MODULE, format, []) of
        {badrpc, _} -> disabled;
        Status -> Status
    end.

format() ->
    case status() of
        disabled ->
            disabled;
        #{type := Type, rate := Rate, initial := Initial} ->
            Clients = emqx_connection:count(),
            State = case Clients of 0 -> prohibiting; _ -> evicting_conns end,
            {Type, io_lib:format(
                "Rebalance state: ~s~nConnection eviction rate: ~b connections/second~n"
                "Session eviction rate: ~b sessions/second~nConnection goal: 0~nSession goal: 0~n"
                "Channel statistics:~n  current_connected: ~b~n  current_sessions: ~b~n"
                "  initial_connected: ~b~n  initial_sessions: ~b~n",
                [State, Rate, Rate, Clients, Clients, Initial, Initial])}
    end.
