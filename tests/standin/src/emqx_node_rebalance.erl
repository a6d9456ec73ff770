%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `rebalance' of the enterprise edition. An evacuation refuses new connections until it is
%% stopped; there are no sessions to be moved.
-module(emqx_node_rebalance).
-export([cli/1, usage/0, is_evacuating/0]).
-import(emqx_ctl, [print/1, print/2]).

usage() ->
    [{"rebalance start --evacuation [options]", "Start evacuation of this node"},
     {"rebalance start --purge [options]", "Start purge of this node"},
     {"rebalance start [options]", "Start rebalance"},
     {"rebalance node-status [\"node1@host1\"]", "Get status of this or another node"},
     {"rebalance status", "Get status of all nodes"},
     {"rebalance stop", "Stop rebalance on this node"}].

is_evacuating() -> type() =:= evacuation.

type() -> persistent_term:get(?MODULE, disabled).

cli(["start", "--evacuation" | _]) -> start(evacuation, "Rebalance(evacuation) started~n");
cli(["start", "--purge" | _]) -> start(purge, "Rebalance(purge) started~n");
cli(["start" | _]) -> start(rebalance, "Rebalance started~n");
cli(["node-status"]) -> node_status(node());
cli(["node-status", Name]) -> node_status(list_to_atom(Name));
cli(["status"]) ->
    [begin
         print("--------------------------------------------------------------------~n"),
         print("Node ~p: ", [N]),
         node_status(N)
     end || N <- mria:running_nodes()],
    ok;
cli(["stop"]) ->
    case type() of
        disabled ->
            print("Rebalance is already disabled~n"),
            {error, disabled};
        Type ->
            persistent_term:put(?MODULE, disabled),
            print("Rebalance(~s) stopped~n", [Type])
    end;
cli(_) ->
    emqx_ctl:usage(usage()).

start(Type, Text) ->
    case type() of
        disabled ->
            persistent_term:put(?MODULE, Type),
            print(Text);
        _ ->
            print("Rebalance is already enabled~n"),
            {error, enabled}
    end.

node_status(Node) ->
    case rpc:call(Node, persistent_term, get, [?MODULE, disabled]) of
        disabled -> print("Rebalance disabled~n");
        Type -> print("Rebalance type: ~s~nRebalance state: prohibiting~n", [Type])
    end.
