%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Cluster-wide configuration changes: what each node has applied.
-module(emqx_cluster_rpc).
-export([status/0, tnx_id/1, commit/2, catch_up/0]).

status() -> mnesia:transaction(fun() -> mnesia:foldl(fun row/2, [], cluster_rpc_commit) end).

row({cluster_rpc_commit, Node, TnxId}, Acc) ->
    case mnesia:read(cluster_rpc_mfa, TnxId) of
        [{cluster_rpc_mfa, TnxId, MFA, CreatedAt, Initiator}] ->
            [#{node => Node, tnx_id => TnxId, mfa => MFA, initiator => Initiator,
               created_at => CreatedAt} | Acc];
        [] ->
            Acc
    end.

tnx_id(Node) ->
    case mnesia:dirty_read(cluster_rpc_commit, Node) of
        [{cluster_rpc_commit, Node, TnxId}] -> TnxId;
        [] -> 0
    end.

latest() -> lists:max([0 | mnesia:dirty_all_keys(cluster_rpc_mfa)]).

%% A root's new value, on all running nodes.
commit(Root, Value) ->
    Nodes = mria:running_nodes(),
    Initiator = node(),
    MFA = {emqx_conf, apply_cluster, [Root, Value]},
    {atomic, ok} = mria:transaction(fun() ->
        Id = lists:max([0 | mnesia:all_keys(cluster_rpc_mfa)]) + 1,
        ok = mnesia:write({cluster_rpc_mfa, Id, MFA, erlang:localtime(), Initiator}),
        lists:foreach(fun(N) -> ok = mnesia:write({cluster_rpc_commit, N, Id}) end, Nodes)
    end),
    Results = [erpc:call(N, emqx_conf, apply_cluster, [Root, Value]) || N <- [node() | Nodes -- [node()]]],
    hd([R || R <- Results, R =/= ok] ++ [ok]).

%% A node that was down, or has joined, takes over what was changed meanwhile.
catch_up() ->
    case {tnx_id(node()), latest(), mria:running_nodes() -- [node()]} of
        {Id, Id, _} -> ok;
        {_, _, []} -> ok;
        {_, Latest, [Peer | _]} ->
            ok = emqx_conf:copy_cluster_hocon(Peer),
            mria:dirty_write({cluster_rpc_commit, node(), Latest})
    end.
