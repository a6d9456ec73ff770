%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `data export|import': cluster.hocon and the tables that hold users' data, in a tar archive.
-module(emqx_mgmt_data_backup).
-export([export/1, import/1]).
-import(emqx_ctl, [print/1, print/2]).

tables() ->
    [emqx_app, emqx_banned_rules, emqx_banned, emqx_retainer_message, emqx_psk, emqx_authn_mnesia,
     emqx_authn_scram_mnesia, emqx_acl, emqx_admin].

export(Dir) ->
    Base = "emqx-export-" ++ stamp(),
    File = filename:join(Dir, Base ++ ".tar.gz"),
    print("Exporting data to ~p...~n", [File]),
    case filelib:is_dir(Dir) of
        true ->
            case write(File, Base) of
                ok -> {ok, File};
                Error -> Error
            end;
        false -> {error, enoent}
    end.

write(File, Base) ->
    print("Exporting cluster configuration...~n"),
    print("Exporting additional files from EMQX data_dir: ~p...~n", [emqx:data_dir()]),
    print("Exporting built-in database...~n"),
    Meta = io_lib:format("version = ~p~nedition = ~p~n", [emqx_release:version(), emqx_release:edition()]),
    Members = [{"META.hocon", iolist_to_binary(Meta)}, {"cluster.hocon", emqx_conf:read_cluster_hocon()} |
               [{filename:join("mnesia", Tab), dump(Tab)} || Tab <- tables()]],
    erl_tar:create(File, [{filename:join(Base, N), B} || {N, B} <- Members], [compressed]).

%% 2026-11-23-11-39-07.726
stamp() ->
    {Head, Milliseconds} = lists:split(19, emqx_release:timestamp()),
    lists:flatten(string:replace(Head, ".", "-", all)) ++ Milliseconds.

dump(Tab) ->
    print("Exporting ~p database table...~n", [Tab]),
    term_to_binary(ets:tab2list(Tab)).

import(File) ->
    Path = case filelib:is_regular(File) of true -> File; false -> filename:join([emqx:data_dir(), "backup", File]) end,
    case filelib:is_regular(Path) andalso erl_tar:extract(Path, [memory, compressed]) of
        false -> {error, "backup file not found"};
        {error, Reason} -> {error, Reason};
        {ok, Members} ->
            Own = filename:basename(Path, ".tar.gz"),
            case lists:all(fun({Name, _}) -> hd(filename:split(Name)) =:= Own end, Members) of
                true -> restore(Path, [{filename:basename(Name), Content} || {Name, Content} <- Members]);
                false -> {error, "invalid backup archive content: all files in the archive must be under "
                                 "<backup name> directory"}
            end
    end.

restore(Path, Members) ->
    print("Importing data from ~p...~n", [Path]),
    print("Importing cluster configuration...~n"),
    {ok, Conf} = hocon:parse(proplists:get_value("cluster.hocon", Members, <<>>)),
    [ok = emqx_cluster_rpc:commit(Root, V) || {Root, V} <- lists:sort(maps:to_list(Conf))],
    print("Importing built-in database...~n"),
    [restore_table(Tab, Dump) || Tab <- lists:reverse(tables()), Dump <- [proplists:get_value(atom_to_list(Tab), Members)],
                                 is_binary(Dump)],
    ok.

restore_table(Tab, Dump) ->
    print("Importing ~p database table...~n", [Tab]),
    Records = binary_to_term(Dump),
    {atomic, ok} = mria:transaction(fun() -> lists:foreach(fun mnesia:write/1, Records) end),
    Tab =:= emqx_retainer_message andalso
        print("Starting reindexing retained messages ~nReindexed ~b messages~nReindexing retained messages finished~n",
              [length(Records)]).
