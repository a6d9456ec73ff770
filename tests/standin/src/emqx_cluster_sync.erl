%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `conf cluster_sync status': do all running nodes use the same configuration?
-module(emqx_cluster_sync).
-export([print_status/0]).
-import(emqx_ctl, [print/2, warning/2]).

print_status() ->
    Nodes = mria:running_nodes(),
    [{First, Mine} | Others] = [{N, conf(N)} || N <- [node() | Nodes -- [node()]]],
    Roots = lists:usort(lists:append([maps:keys(C) || {_, C} <- [{First, Mine} | Others]])),
    Differ = [R || R <- Roots, lists:any(fun({_, C}) -> part(R, C) =/= part(R, Mine) end, Others)],
    Id = emqx_cluster_rpc:tnx_id(First),
    case Differ of
        [] ->
            print("All configuration synchronized(tnx_id=~w) successfully~n", [Id]);
        _ ->
            [print_difference(R, {First, Mine}, Other) || R <- Differ, Other = {_, C} <- Others,
                                                         part(R, C) =/= part(R, Mine)],
            warning("All configuration synchronized(tnx_id=~w)~n", [Id]),
            warning("but inconsistent keys were found: ~0p, which come from environment variables "
                    "or etc/emqx.conf.~n", [[binary_to_atom(R) || R <- Differ]]),
            warning("Configuring different values (excluding node.name) through environment variables "
                    "and etc/emqx.conf is allowed but not recommended.~n", [])
    end.

%% what a node may have of its own is left out
conf(Node) -> maps:remove(<<"node">>, rpc:call(Node, emqx_conf, raw, [])).

part(Root, Conf) -> maps:get(Root, Conf, #{}).

print_difference(Root, {A, ConfA}, {B, ConfB}) ->
    warning("~s(~w)'s ~s has been updated, but the changes have not been applied to ~s(~w).~n",
            [A, emqx_cluster_rpc:tnx_id(A), Root, B, emqx_cluster_rpc:tnx_id(B)]),
    {OnlyA, OnlyB} = diff(part(Root, ConfA), part(Root, ConfB)),
    [print("~ts", [hocon:pp(#{[$", atom_to_list(N), $"] => #{Root => D}})]) || {N, D} <- [{A, OnlyA}, {B, OnlyB}]].

diff(A, B) when is_map(A), is_map(B) ->
    Keys = [K || K <- lists:usort(maps:keys(A) ++ maps:keys(B)), maps:find(K, A) =/= maps:find(K, B)],
    {DA, DB} = lists:unzip([diff(maps:get(K, A, #{}), maps:get(K, B, #{})) || K <- Keys]),
    {maps:from_list(lists:zip(Keys, DA)), maps:from_list(lists:zip(Keys, DB))};
diff(A, B) ->
    {A, B}.
