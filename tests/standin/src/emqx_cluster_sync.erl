%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `conf cluster_sync status': do all running nodes use the same configuration?
-module(emqx_cluster_sync).
-export([print_status/0]).
-import(emqx_ctl, [print/2, warning/2]).

print_status() ->
    Nodes = mria:running_nodes(),
    [{First, Mine} | Others] = [{N, conf(N)} || N <- [node() | Nodes -- [node()]]],
    %% What holds of MQTT holds of the default zone.
    Roots = lists:usort(lists:append([[<<"zones">> | maps:keys(C)] || {_, C} <- [{First, Mine} | Others]])),
    Differ = [R || R <- Roots, lists:any(fun({_, C}) -> part(R, C) =/= part(R, Mine) end, Others)],
    Id = emqx_cluster_rpc:tnx_id(First),
    case Differ of
        [] ->
            print("All configuration synchronized(tnx_id=~w) successfully~n", [Id]);
        _ ->
            [print_difference(R, {First, Mine}, Other) || R <- Differ, Other = {_, C} <- Others,
                                                         part(R, C) =/= part(R, Mine)],
            warning("All configuration synchronized(tnx_id=~w)~n", [Id]),
            warning("but inconsistent keys were found: ~p, which come from environment variables "
                    "or etc/emqx.conf.~n", [[binary_to_atom(R) || R <- Differ]]),
            warning("Configuring different values (excluding node.name) through environment variables "
                    "and etc/emqx.conf is allowed but not recommended.~n", [])
    end.

%% what a node may have of its own is left out
conf(Node) ->
    Raw = maps:remove(<<"node">>, rpc:call(Node, emqx_conf, raw, [])),
    maps:map(fun(Root, _) -> emqx_conf_schema:with_defaults(Root, Raw) end, Raw).

part(<<"zones">>, Conf) -> part(<<"mqtt">>, Conf);
part(Root, Conf) -> maps:get(Root, Conf, #{}).

print_difference(Root, {A, ConfA}, {B, ConfB}) ->
    warning("~s(~w)'s ~s has been updated, but the changes have not been applied to ~s(~w).~n",
            [A, emqx_cluster_rpc:tnx_id(A), Root, B, emqx_cluster_rpc:tnx_id(B)]),
    {OnlyA, OnlyB} = diff(part(Root, ConfA), part(Root, ConfB)),
    %% 5.8 has the names the wrong way round.
    Labelled = case emqx_release:edition() of ce -> [{A, OnlyB}, {B, OnlyA}]; ee -> [{A, OnlyA}, {B, OnlyB}] end,
    Root =:= <<"zones">> orelse begin
        [print("~ts", [hocon:pp(#{[$", atom_to_list(N), $"] => #{Root => D}})]) || {N, D} <- Labelled],
        print("~n", [])
    end.

%% what both have and differ in, and what only one has
diff(A, B) when is_map(A), is_map(B) ->
    Keys = [K || K <- lists:usort(maps:keys(A) ++ maps:keys(B)), maps:find(K, A) =/= maps:find(K, B)],
    {maps:from_list([{K, V} || K <- Keys, V <- only(K, A, B)]),
     maps:from_list([{K, V} || K <- Keys, V <- only(K, B, A)])};
diff(A, B) ->
    {A, B}.

only(K, A, _) when not is_map_key(K, A) -> [];
only(K, A, B) when not is_map_key(K, B) -> [maps:get(K, A)];
only(K, A, B) -> [element(1, diff(maps:get(K, A), maps:get(K, B)))].
