%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Alarms of this node, by their names. Nothing here raises one: tests do so.
-module(emqx_alarm).
-export([activate/3, deactivate/1, get_alarms/0, get_alarms/1]).

activate(Name, Details, Message) -> put_all((all())#{Name => {Details, Message, os:system_time(microsecond)}}).

deactivate(Name) -> put_all(maps:remove(Name, all())).

%% as GET /alarms has them
get_alarms() ->
    Now = os:system_time(microsecond),
    [#{name => Name, node => node(), message => iolist_to_binary(Message), details => Details,
       duration => (Now - Since) div 1000, activate_at => time(Since)}
     || {Name, {Details, Message, Since}} <- maps:to_list(all())].

%% there are no others
get_alarms(activated) -> get_alarms().

all() -> persistent_term:get(?MODULE, #{}).

put_all(Alarms) -> persistent_term:put(?MODULE, Alarms).

time(Microseconds) ->
    list_to_binary(calendar:system_time_to_rfc3339(Microseconds, [{unit, microsecond}, {offset, "+00:00"}])).
