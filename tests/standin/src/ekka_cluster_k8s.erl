%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The ready addresses of an Endpoints object, asked for with the token of the ServiceAccount. The API is
%% verified by the CA beside it, as by default from OTP 26 on, and by nothing where there is none.
-module(ekka_cluster_k8s).
-behaviour(ekka_cluster_strategy).
-export([discover/1, lock/1, unlock/1, register/1]).

-define(SERVICE_ACCOUNT, "/var/run/secrets/kubernetes.io/serviceaccount/").
-define(TIMEOUT, 5000).

discover(#{apiserver := Server, service_name := Service, namespace := Namespace} = Options) ->
    Url = lists:concat([Server, "/api/v1/namespaces/", Namespace, "/endpoints/", Service]),
    case ekka_httpc:get(Url, [{"authorization", "Bearer " ++ token()}], tls(), ?TIMEOUT) of
        {ok, Endpoints} ->
            Short = ekka_cluster_strategy:short_name(),
            {ok, lists:usort([list_to_atom(Short ++ "@" ++ Host) || Host <- hosts(Options, Endpoints)])};
        Error ->
            Error
    end.

hosts(#{address_type := Type} = Options, Endpoints) ->
    [named(Type, Host, Options) || Subset <- list(<<"subsets">>, Endpoints),
                                   Address <- list(<<"addresses">>, Subset),
                                   Host <- host(Type, Address)].

list(Key, Object) ->
    case maps:get(Key, Object, null) of
        null -> [];
        List -> List
    end.

host(hostname, #{<<"hostname">> := Name}) -> [binary_to_list(Name)];
host(hostname, _) -> [];
host(dns, #{<<"ip">> := Ip}) -> [[case C of $. -> $-; _ -> C end || C <- binary_to_list(Ip)]];
host(ip, #{<<"ip">> := Ip}) -> [binary_to_list(Ip)].

named(dns, Host, #{suffix := [_ | _] = Suffix, namespace := Namespace}) ->
    lists:concat([Host, ".", Namespace, ".", Suffix]);
named(hostname, Host, #{suffix := [_ | _] = Suffix, namespace := Namespace, service_name := Service}) ->
    lists:concat([Host, ".", Service, ".", Namespace, ".", Suffix]);
named(_, Host, _) ->
    Host.

token() ->
    case file:read_file(?SERVICE_ACCOUNT "token") of
        {ok, Token} -> string:trim(binary_to_list(Token));
        {error, _} -> ""
    end.

tls() ->
    CA = ?SERVICE_ACCOUNT "ca.crt",
    case filelib:is_file(CA) of
        true -> [{verify, verify_peer}, {cacertfile, CA}];
        false -> [{verify, verify_none}]
    end.

lock(_) -> ignore.
unlock(_) -> ignore.
register(_) -> ignore.
