%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The node's configuration: base.hocon < cluster.hocon < emqx.conf < EMQX_* environment.
-module(emqx_conf).
-export([load/1, init/0, get/1, get/2, raw/0, cluster_hocon/0, read_cluster_hocon/0, copy_cluster_hocon/1]).

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
    Etc = env(etc_dir),
    Files = [F || F <- [filename:join(Etc, "base.hocon"), cluster_hocon()], filelib:is_regular(F)],
    {ok, Raw} = load(Files ++ [filename:join(Etc, "emqx.conf")]),
    {ok, Checked} = emqx_conf_schema:check_all(Raw),
    persistent_term:put(?MODULE, {Raw, Checked}),
    ok.

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
