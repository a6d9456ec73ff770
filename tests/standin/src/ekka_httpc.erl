%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Requests to services that talk JSON, each on a connection of its own: one that waits for its
%% answer holds up no other.
-module(ekka_httpc).
-export([get/4, post/4, ssl_options/1]).

-define(CONNECT_TIMEOUT, 1000).

%% -> {ok, Answer :: map()} | {error, Reason}
get(Url, Headers, Ssl, Timeout) ->
    request(get, {Url, [{"connection", "close"} | Headers]}, Ssl, Timeout).

post(Url, Body, Ssl, Timeout) ->
    request(post, {Url, [{"connection", "close"}], "application/json", emqx_utils_json:encode(Body)}, Ssl, Timeout).

request(Method, Request, Ssl, Timeout) ->
    Options = [{connect_timeout, ?CONNECT_TIMEOUT}, {timeout, Timeout}, {ssl, Ssl}],
    case httpc:request(Method, Request, Options, [{body_format, binary}]) of
        {ok, {{_, 200, _}, _, Answer}} -> emqx_utils_json:decode(Answer);
        {ok, {{_, Status, Reason}, _, _}} -> {error, {Status, Reason}};
        {error, Reason} -> {error, Reason}
    end.

%% The `ssl_options' of a configuration; none where they are not enabled.
ssl_options(#{enable := true} = Options) ->
    Verify = binary_to_existing_atom(maps:get(verify, Options, <<"verify_none">>)),
    [{verify, Verify} | [{K, V} || {K, V} <- maps:to_list(Options), lists:member(K, [cacertfile, certfile, keyfile])]];
ssl_options(_) ->
    none.
