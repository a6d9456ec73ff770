%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The node's configuration: base.hocon < cluster.hocon < emqx.conf < EMQX_* environment.
-module(emqx_conf).
-export([load/1, init/0, get/1, get/2, raw/0, files/0, apply_local/2, apply_cluster/2]).
-export([cluster_hocon/0, read_cluster_hocon/0, copy_cluster_hocon/1]).

-define(HEADER, "# This file is generated. Do not edit.\n"
                "# The configs are results of online config changes from UI/API/CLI.\n"
                "# To persist configs in this file, copy the content to etc/base.hocon.\n").

load(Files) -> load(Files, #{}).

load([], Conf) ->
    {ok, hocon:merge(Conf, hocon:env_overrides(emqx_schema:roots()))};
load([File | Files], Conf) ->
    case hocon:parse_file(File) of
        {ok, More} -> load(Files, hocon:merge(Conf, More));
        Error -> Error
    end.

%% Reads and checks everything; the node does not boot on a bad configuration.
init() ->
    {ok, Raw} = load(files()),
    {ok, Checked} = emqx_conf_schema:check_all(Raw),
    persistent_term:put(?MODULE, {Raw, Checked}),
    ok.

%% lowest in precedence first
files() ->
    Etc = env(etc_dir),
    [F || F <- [filename:join(Etc, "base.hocon"), cluster_hocon()], filelib:is_regular(F)] ++
        [filename:join(Etc, "emqx.conf")].

%%-- changes at run time: a root as a whole, in memory and with what follows from it -----------------
apply_local(Root, Value) ->
    {Raw, Checked} = persistent_term:get(?MODULE),
    New = Raw#{Root => Value},
    case emqx_conf_schema:check_root(Root, New) of
        {ok, Part} ->
            persistent_term:put(?MODULE, {New, Checked#{binary_to_atom(Root) => Part}}),
            changed(Root);
        Error ->
            Error
    end.

changed(Root) when Root =:= <<"listeners">>; Root =:= <<"dashboard">> -> emqx_listeners:update();
changed(<<"api_key">>) -> emqx_mgmt_auth:init();
changed(_Root) -> ok.

%% And on disk, with all defaults, as each node does with a change of the cluster.
apply_cluster(Root, Value) ->
    {ok, Kept} = hocon:parse(read_cluster_hocon()),
    Log = #{<<"log">> => #{<<"console">> => #{}, <<"file">> => #{}}},
    Full = (maps:merge(Log, Kept))#{Root => emqx_conf_schema:with_defaults(Root, #{Root => Value})},
    ok = file:write_file(cluster_hocon(), unicode:characters_to_binary([?HEADER, hocon:pp(Full)])),
    apply_local(Root, Value).

env(Key) ->
    {ok, Value} = application:get_env(emqx, Key),
    Value.

get(Path) ->
    {_, Checked} = persistent_term:get(?MODULE),
    {ok, Value} = hocon:get(Path, Checked),
    Value.

get(Path, Default) ->
    {_, Checked} = persistent_term:get(?MODULE),
    case hocon:get(Path, Checked) of
        {ok, Value} -> Value;
        error -> Default
    end.

raw() -> element(1, persistent_term:get(?MODULE)).

cluster_hocon() -> filename:join([env(data_dir), "configs", "cluster.hocon"]).

read_cluster_hocon() ->
    case file:read_file(cluster_hocon()) of
        {ok, Text} -> Text;
        {error, enoent} -> <<>>
    end.

%% A joiner takes over the cluster's file and keeps its own as a backup.
copy_cluster_hocon(Peer) ->
    Text = rpc:call(Peer, ?MODULE, read_cluster_hocon, []),
    true = is_binary(Text),
    File = cluster_hocon(),
    case file:read_file(File) of
        {ok, Text} ->
            ok;
        _ ->
            _ = file:rename(File, File ++ "." ++ emqx_release:timestamp() ++ ".bak"),
            ok = file:write_file(File, Text)
    end.
