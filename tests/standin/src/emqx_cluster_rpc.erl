%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Cluster-wide configuration changes: what each node has applied.
-module(emqx_cluster_rpc).
-export([status/0, tnx_id/1]).

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
