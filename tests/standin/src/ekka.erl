%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(ekka).
-export([join/1, leave/0, force_leave/1, cluster_info/0, autocluster/0]).

%% -> ok | ignore | {error, Reason}
join(Node) ->
    Strategies = [emqx_conf:get([cluster, discovery_strategy]) | peer_strategy(Node)],
    case Node =/= node() andalso lists:member(singleton, Strategies) of
        true -> {error, singleton};
        false when Node =:= node() -> ignore;
        false -> permitted_join(Node)
    end.

permitted_join(Node) ->
    case emqx_cluster:check_permission(Node) of
        ok -> mria:join(Node);
        Error -> Error
    end.

peer_strategy(Node) ->
    case net_adm:ping(Node) of
        pong -> [rpc:call(Node, emqx_conf, get, [[cluster, discovery_strategy], manual])];
        pang -> []
    end.

leave() -> mria:leave().

force_leave(Node) -> mria:force_leave(Node).

cluster_info() ->
    #{running_nodes => mria:running_nodes(), stopped_nodes => mria:cluster_nodes(stopped)}.

autocluster() -> mria_rlog:role() =:= core andalso ekka_autocluster:enable().
