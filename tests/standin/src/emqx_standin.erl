%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Settings of the stand-in itself: from the environment, else from releases/standin_vars
%% (which systemd-started nodes see as well).
-module(emqx_standin).
-export([milliseconds/1]).

milliseconds(Name) ->
    Text =
        case os:getenv(Name) of
            false -> from_file(Name);
            Value -> Value
        end,
    case string:to_float(Text) of
        {F, _} when is_float(F) -> round(F * 1000);
        _ -> list_to_integer(Text) * 1000
    end.

from_file(Name) ->
    File = filename:join([os:getenv("RUNNER_ROOT_DIR", "."), "releases", "standin_vars"]),
    {ok, Bin} = file:read_file(File),
    {match, [Value]} = re:run(Bin, "^" ++ Name ++ "=([0-9.]+)", [multiline, {capture, [1], list}]),
    Value.
