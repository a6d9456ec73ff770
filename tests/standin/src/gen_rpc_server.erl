%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The RPC port: 5370 + N, or rpc.server_port with manual port discovery. It only listens.
-module(gen_rpc_server).
-export([bind/0, serve/1]).

-define(BASE_PORT, 5370).

bind() ->
    #{port_discovery := Discovery, server_port := Port, listen_address := Address} = emqx_conf:get([rpc]),
    case Discovery of
        manual -> {Address, Port};
        stateless -> {Address, ?BASE_PORT + ekka_epmd:offset(node())}
    end.

serve(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, _} -> serve(Socket);
        {error, _} -> ok
    end.
