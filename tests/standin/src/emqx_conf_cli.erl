%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `ctl conf': `load' changes roots on all nodes and in their cluster.hocon, `reload' takes this node's emqx.conf
%% to this node alone and leaves no trace.
-module(emqx_conf_cli).
-export([cli/1, usage/0]).
-import(emqx_ctl, [print/1, print/2, warning/2]).

usage() ->
    [{"conf reload --replace|--merge", "reload etc/emqx.conf on local node"},
     {"conf show_keys", "print all the currently used configuration keys."},
     {"conf show [<key>]", "Print in-use configs (including default values) under the given key."},
     {"conf load --replace|--merge <path>", "Load a HOCON format config file."},
     {"conf cluster_sync status", "Show cluster config sync status summary for all nodes."}].

cli(["show_keys"]) ->
    print("~1p~n", [[binary_to_atom(R) || R <- emqx_schema:shown_roots()]]);
cli(["show"]) ->
    print("~ts~n", [hocon:pp(maps:from_list([shown(R) || R <- emqx_schema:shown_roots()]))]);
cli(["show", Key]) ->
    Path = [Root | _] = binary:split(unicode:characters_to_binary(Key), <<".">>, [global]),
    Shown = [shown(Root) || lists:member(Root, emqx_schema:roots())],
    case hocon:get(Path, maps:from_list(Shown)) of
        {ok, V} -> print("~ts~n", [hocon:pp(#{unicode:characters_to_binary(Key) => V})]);
        error -> warning("key_not_found~n", [])
    end;
cli(["load", "--merge", File]) -> load(File, merge);
cli(["load", "--replace", File]) -> load(File, replace);
cli(["load", File]) -> load(File, merge);
cli(["reload", "--merge"]) -> reload(merge);
cli(["reload", "--replace"]) -> reload(replace);
cli(["reload"]) -> reload(merge);
cli(["cluster_sync", "status"]) ->
    print("~47..-s~n", [""]),
    emqx_cluster_sync:print_status(),
    print("~47..-s~n", [""]);
cli(_) ->
    emqx_ctl:usage(usage()).

shown(Root) -> {Root, emqx_conf_schema:masked(emqx_conf_schema:with_defaults(Root, emqx_conf:raw()))}.

%%-- load ----------------------------------------------------------------------------------
load(File, Mode) ->
    case hocon:parse_file(File) of
        {error, {enoent, _}} ->
            warning("~ts file is not found~n", [File]),
            {error, not_found};
        {error, Reason} ->
            warning("load ~ts failed~n~p~n", [File, Reason]),
            {error, bad_hocon_file};
        {ok, Conf} ->
            load_roots(Conf, Mode)
    end.

load_roots(Conf, Mode) ->
    case {lists:append([read_only(R, V) || {R, V} <- maps:to_list(Conf)]),
          [{R, E} || R <- lists:sort(maps:keys(Conf)), {error, E} <- [check(R, Conf)]]} of
        {[], []} ->
            each(fun(R, V) -> emqx_cluster_rpc:commit(R, V) end, Conf, Mode, "load ~ts on cluster ok~n", []);
        {[], Errors} ->
            warning("load schema check failed~n", []),
            [warning("~ts: ~p~n", [R, E]) || {R, E} <- Errors],
            {error, Errors};
        {ReadOnly, _} ->
            warning("load config failed~nCannot update read-only key '~ts'.~n", [lists:join(",", ReadOnly)]),
            warning("Maybe try `emqx_ctl conf reload` to reload etc/emqx.conf on local node~n", []),
            {error, read_only}
    end.

read_only(<<"cluster">>, Keys) -> [[<<"cluster.">>, K] || K <- maps:keys(Keys), K =/= <<"links">>];
read_only(Root, _) -> [Root || emqx_schema:read_only(Root)].

check(Root, Conf) ->
    case lists:member(Root, emqx_schema:roots()) of
        true -> emqx_conf_schema:check_root(Root, Conf);
        false -> {error, {root_key_not_found, Root}}
    end.

%%-- reload --------------------------------------------------------------------------------
reload(Mode) ->
    {ok, Etc} = emqx_conf:load([lists:last(emqx_conf:files())]),
    {ok, All} = emqx_conf:load(emqx_conf:files()),
    case emqx_conf_schema:check_all(All) of
        {ok, _} ->
            Roots = [R || R <- maps:keys(Etc), lists:member(R, emqx_schema:roots()), not emqx_schema:read_only(R)],
            each(fun emqx_conf:apply_local/2, maps:with(Roots, All), Mode, "load ~ts on ~p ok~n", [node()]);
        {error, Error} ->
            warning("check config failed~n~p~n", [Error]),
            {error, Error}
    end.

%% -> ok, or the error of the first root that could not be changed
each(Apply, Conf, Mode, Text, Args) ->
    Results = [one(Root, Apply(Root, combined(Mode, Root, V)), Mode, Text, Args)
               || {Root, V} <- lists:sort(maps:to_list(Conf))],
    hd([R || R <- Results, R =/= ok] ++ [ok]).

one(Root, ok, _Mode, Text, Args) ->
    print(Text, [Root | Args]);
one(Root, {error, Reason} = Error, Mode, _Text, _Args) ->
    warning("Can't ~ts the new configurations!~nRoot key: ~ts~nReason: ~p~n", [Mode, Root, Reason]),
    Error.

combined(merge, Root, V) -> hocon:merge(maps:get(Root, emqx_conf:raw(), #{}), V);
combined(replace, _Root, V) -> V.
