%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% `data export|import': cluster.hocon and the tables that hold users' data, in a tar archive.
-module(emqx_mgmt_data_backup).
-export([export/1, import/1]).
-import(emqx_ctl, [print/1, print/2]).

tables() ->
    [emqx_admin, emqx_authn_mnesia, emqx_enhanced_authn_scram_mnesia, emqx_app, emqx_acl, emqx_psk,
     emqx_banned, emqx_retainer_message].

export(Dir) ->
    Base = "emqx-export-" ++ stamp(),
    File = filename:join(Dir, Base ++ ".tar.gz"),
    ok = filelib:ensure_path(Dir),
    print("Exporting data to ~p...~n", [File]),
    print("Exporting cluster configuration...~n"),
    print("Exporting additional files from EMQX data_dir: ~p...~n", [emqx:data_dir()]),
    print("Exporting built-in database...~n"),
    Meta = io_lib:format("edition = ~p~nversion = ~p~n", [emqx_release:edition(), emqx_release:version()]),
    Members = [{"META.hocon", iolist_to_binary(Meta)}, {"cluster.hocon", emqx_conf:read_cluster_hocon()} |
               [{filename:join("mnesia", Tab), dump(Tab)} || Tab <- tables()]],
    case erl_tar:create(File, [{filename:join(Base, N), B} || {N, B} <- Members], [compressed]) of
        ok -> {ok, File};
        Error -> Error
    end.

%% 2026-11-23-11-39-07.726
stamp() ->
    {Head, Milliseconds} = lists:split(19, emqx_release:timestamp()),
    lists:flatten(string:replace(Head, ".", "-", all)) ++ Milliseconds.

dump(Tab) ->
    print("Exporting ~p database table...~n", [Tab]),
    term_to_binary(ets:tab2list(Tab)).

import(File) ->
    Path = case filelib:is_regular(File) of true -> File; false -> filename:join([emqx:data_dir(), "backup", File]) end,
    case erl_tar:extract(Path, [memory, compressed]) of
        {ok, Members} ->
            print("Importing data from ~p...~n", [Path]),
            print("Importing built-in database...~n"),
            [restore(Tab, Bin) || Tab <- tables(), {Name, Bin} <- Members,
                                  filename:basename(Name) =:= atom_to_list(Tab)],
            ok;
        {error, {_, enoent}} -> {error, not_found};
        {error, enoent} -> {error, not_found};
        {error, Reason} -> {error, Reason}
    end.

restore(Tab, Bin) ->
    print("Importing ~p database table...~n", [Tab]),
    {atomic, _} = mria:transaction(fun() -> [mnesia:write(Tab, R, write) || R <- binary_to_term(Bin)] end).
