%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
-module(emqx_sys).
-export([uptime/0, version/0, sysdescr/0, datetime/0]).

%% milliseconds since the applications were started
uptime() ->
    case emqx_machine:running_since() of
        undefined -> 0;
        Since -> erlang:monotonic_time(millisecond) - Since
    end.

version() -> emqx_release:version().

sysdescr() -> emqx_release:description() ++ " (stand-in)".

datetime() ->
    calendar:system_time_to_rfc3339(os:system_time(nanosecond), [{unit, nanosecond}, {offset, "+00:00"}]).
