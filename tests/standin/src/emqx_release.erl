%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(emqx_release).
-export([version/0, version_with_prefix/0, edition/0, description/0, timestamp/0]).

version() ->
    {ok, Vsn} = application:get_key(emqx, vsn),
    Vsn.

version_with_prefix() -> case edition() of ce -> "v"; ee -> "e" end ++ version().

%% ce, or ee: that of 5.9 and newer. Also known where the application does not run.
edition() ->
    _ = application:load(emqx),
    {ok, Edition} = application:get_env(emqx, edition),
    Edition.

description() -> case edition() of ce -> "EMQX"; ee -> "EMQX Enterprise" end.

%% for file names, UTC: 2026.11.23.11.39.07.726
timestamp() ->
    Ms = os:system_time(millisecond),
    {{Y, Mo, D}, {H, Mi, S}} = calendar:system_time_to_universal_time(Ms, millisecond),
    lists:flatten(io_lib:format("~b.~2..0b.~2..0b.~2..0b.~2..0b.~2..0b.~3..0b",
                                [Y, Mo, D, H, Mi, S, Ms rem 1000])).
