%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Reports nothing; it keeps node.uuid and cluster.uuid in the data directory, as EMQX's does.
-module(emqx_telemetry).
-export([ensure_uuids/0, cluster_uuid/0]).

ensure_uuids() ->
    _ = ensure("node.uuid", fun uuid/0),
    _ = cluster_uuid(),
    ok.

%% one for all members, the first of whom made it
cluster_uuid() ->
    ensure("cluster.uuid", fun() ->
        case mria:running_nodes() -- [node()] of
            [Peer | _] -> rpc:call(Peer, ?MODULE, cluster_uuid, []);
            [] -> uuid()
        end
    end).

ensure(Name, Make) ->
    File = filename:join(emqx:data_dir(), Name),
    case file:read_file(File) of
        {ok, <<Uuid:36/binary>>} ->
            Uuid;
        _ ->
            Uuid = Make(),
            ok = file:write_file(File, Uuid),
            Uuid
    end.

uuid() ->
    <<A:32, B:16, C:16, D:16, E:48>> = crypto:strong_rand_bytes(16),
    iolist_to_binary(io_lib:format("~8.16.0B-~4.16.0B-~4.16.0B-~4.16.0B-~12.16.0B", [A, B, C, D, E])).
