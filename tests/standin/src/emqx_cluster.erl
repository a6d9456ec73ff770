%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% May a node join this one? From 5.9 on the licence of the node that is joined decides.
-module(emqx_cluster).
-export([check_permission/1, can_i_join/1]).

check_permission(Peer) ->
    try
        erpc:call(Peer, ?MODULE, can_i_join, [node()])
    catch
        error:{erpc, noconnection} -> {error, {node_down, Peer}}
    end.

can_i_join(_Joiner) ->
    case emqx_license:is_single_node() of
        true -> {error, lists:flatten(io_lib:format("Node ~s has a single node license", [node()]))};
        false -> ok
    end.
