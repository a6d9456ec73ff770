%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% By Erlang's own resolver: the host's name servers, never /etc/hosts. Of an SRV record only
%% the target counts.
-module(ekka_cluster_dns).
-behaviour(ekka_cluster_strategy).
-export([discover/1, lock/1, unlock/1, register/1]).

discover(#{name := Name, record_type := Type}) ->
    Short = ekka_cluster_strategy:short_name(),
    Hosts = [host(Type, Data) || Data <- inet_res:lookup(Name, in, Type)],
    {ok, [list_to_atom(Short ++ "@" ++ Host) || Host <- lists:usort(Hosts)]}.

host(srv, {_Priority, _Weight, _Port, Target}) -> Target;
host(_, Address) -> inet:ntoa(Address).

lock(_) -> ignore.
unlock(_) -> ignore.
register(_) -> ignore.
