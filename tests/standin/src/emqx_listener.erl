%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% One listening socket; each connection runs Module:serve(Socket) in its own process and
%% dies with the listener.
-module(emqx_listener).
-include_lib("kernel/include/logger.hrl").
-export([start_link/2, init/3]).

start_link(Module, Bind) -> proc_lib:start_link(?MODULE, init, [self(), Module, Bind]).

init(Parent, Module, Bind) ->
    process_flag(trap_exit, true),
    {Address, Port} =
        case Bind of
            {_, _} -> Bind;
            _ -> {{0, 0, 0, 0}, Bind}
        end,
    Family = case tuple_size(Address) of 4 -> inet; 8 -> inet6 end,
    Options = [binary, Family, {ip, Address}, {reuseaddr, true}, {active, false}, {backlog, 1024}],
    case gen_tcp:listen(Port, Options) of
        {ok, Listen} ->
            proc_lib:init_ack(Parent, {ok, self()}),
            Owner = self(),
            spawn_link(fun() -> accept(Owner, Module, Listen) end),
            loop(Parent, Listen);
        {error, Reason} ->
            ?LOG_ERROR("failed_to_start_listener ~p ~s:~b: ~p",
                       [Module, inet:ntoa(Address), Port, Reason]),
            exit({shutdown, {failed_to_start_listener, Module, Reason}})
    end.

loop(Parent, Listen) ->
    receive
        {'EXIT', Parent, Reason} ->
            gen_tcp:close(Listen),
            exit(Reason);
        {'EXIT', _Connection, _} ->
            loop(Parent, Listen)
    end.

accept(Owner, Module, Listen) ->
    case gen_tcp:accept(Listen) of
        {ok, Socket} ->
            Pid = spawn(fun() ->
                link(Owner),
                receive
                    go -> Module:serve(Socket)
                end
            end),
            ok = gen_tcp:controlling_process(Socket, Pid),
            Pid ! go,
            accept(Owner, Module, Listen);
        {error, closed} ->
            ok;
        {error, _} ->
            accept(Owner, Module, Listen)
    end.
