%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The RPC port: 5370 + N, or rpc.server_port with manual port discovery. It only listens; with
%% rpc.protocol = ssl it talks to those who show a certificate of its CA, whatever its names.
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
    case emqx_conf:get([rpc]) of
        #{protocol := tcp} ->
            drain(gen_tcp, Socket);
        #{protocol := ssl} = Rpc ->
            Files = maps:to_list(maps:with([certfile, keyfile, cacertfile], Rpc)),
            Options = [{verify, verify_peer}, {fail_if_no_peer_cert, true} | Files],
            case ssl:handshake(Socket, Options, maps:get(authentication_timeout, Rpc)) of
                {ok, Tls} -> drain(ssl, Tls);
                {error, _} -> gen_tcp:close(Socket)
            end
    end.

drain(Transport, Socket) ->
    case Transport:recv(Socket, 0) of
        {ok, _} -> drain(Transport, Socket);
        {error, _} -> ok
    end.
