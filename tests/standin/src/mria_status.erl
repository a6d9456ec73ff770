%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Which core a replicant takes its data from, and which replicants a core serves.
-module(mria_status).
-export([upstream_node/1, replicants/0]).

upstream_node(_Shard) ->
    case mria_replica:upstream() of
        undefined -> disconnected;
        Core -> {ok, Core}
    end.

replicants() -> mria_replica:served().
