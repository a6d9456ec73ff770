%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% epmd without a daemon: the distribution port follows from the node's short name,
%% 4370 + its trailing digits. Helper nodes (remsh*) have no port.
-module(ekka_epmd).
-export([start_link/0, register_node/2, register_node/3, port_please/2, port_please/3,
         listen_port_please/2, address_please/3, names/1, offset/1]).

-define(BASE_PORT, 4370).

start_link() -> ignore.

register_node(Name, Port) -> register_node(Name, Port, inet).
register_node(_Name, _Port, _Family) -> {ok, 1}.

port_please(Name, Ip) -> port_please(Name, Ip, infinity).
port_please("remsh" ++ _, _Ip, _Timeout) -> noport;
port_please(Name, _Ip, _Timeout) -> {port, dist_port(Name), 6}.

listen_port_please(Name, _Host) -> {ok, dist_port(Name)}.

address_please(_Name, Host, Family) -> inet:getaddr(Host, Family).

names(_Host) -> {error, address}.

dist_port(Name) -> ?BASE_PORT + offset(Name).

%% the number formed by all trailing digits before the @
offset(Name) ->
    [Short | _] = string:split(to_list(Name), "@"),
    case re:run(Short, "[0-9]+$", [{capture, first, list}]) of
        {match, [Digits]} -> list_to_integer(Digits) rem 60000;
        nomatch -> 0
    end.

to_list(Name) when is_atom(Name) -> atom_to_list(Name);
to_list(Name) -> Name.
