%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% One listening socket, plain or with TLS; each connection runs Module:serve(Socket) in its own
%% process and dies with the listener.
-module(emqx_listener).
-include_lib("kernel/include/logger.hrl").
-export([start_link/4, init/5, format_bind/1, recv/2, send/2, close/1, setopts/2]).

-define(HANDSHAKE_TIMEOUT, 15000).

%% Tls: none, or certfile, keyfile and cacertfile
start_link(Id, Module, Bind, Tls) -> proc_lib:start_link(?MODULE, init, [self(), Id, Module, Bind, Tls]).

init(Parent, Id, Module, Bind, Tls) ->
    process_flag(trap_exit, true),
    {Address, Port} =
        case Bind of
            {_, _} -> Bind;
            _ -> {{0, 0, 0, 0}, Bind}
        end,
    Family = case tuple_size(Address) of 4 -> inet; 8 -> inet6 end,
    Options = [binary, Family, {ip, Address}, {reuseaddr, true}, {active, false}, {backlog, 1024}],
    case readable(Tls) =:= ok andalso gen_tcp:listen(Port, Options) of
        {ok, Listen} ->
            proc_lib:init_ack(Parent, {ok, self()}),
            Owner = self(),
            spawn_link(fun() -> accept(Owner, {Module, Tls}, Listen) end),
            loop(Parent, Listen);
        false ->
            failed(Id, Module, Bind, readable(Tls));
        {error, Reason} ->
            failed(Id, Module, {Address, Port}, Reason)
    end.

%% -> ok, or why a file cannot be used. EMQX looks at them before it listens; its text is inferred.
readable(none) -> ok;
readable(Tls) ->
    hd([{bad_ssl_config, #{which_option => Option, file_read => Reason}}
        || {Option, File} <- maps:to_list(Tls), {error, Reason} <- [file:read_file(file(File))]] ++ [ok]).

%% The dashboard's are Ranch's words.
failed(Id, emqx_dashboard, {Address, Port}, Reason) when is_atom(Reason) ->
    ?LOG_ERROR("Failed to start Ranch listener ~p in ranch_tcp:listen(~0p) for reason ~p (~s)",
               [Id, [{ip, Address}, {port, Port}], Reason, inet:format_error(Reason)]),
    exit({shutdown, {failed_to_start, Id, Reason}});
failed(Id, _Module, Bind, Reason) ->
    ?LOG_ERROR("Failed to start listener ~ts on ~ts: ~0p.", [Id, format_bind(Bind), Reason]),
    exit({shutdown, {failed_to_start, Id, Reason}}).

format_bind(Port) when is_integer(Port) -> io_lib:format(":~b", [Port]);
format_bind({Ip, Port}) when tuple_size(Ip) =:= 4 -> io_lib:format("~s:~b", [inet:ntoa(Ip), Port]);
format_bind({Ip, Port}) -> io_lib:format("[~s]:~b", [inet:ntoa(Ip), Port]).

loop(Parent, Listen) ->
    receive
        {'EXIT', Parent, Reason} ->
            gen_tcp:close(Listen),
            exit(Reason);
        {'EXIT', _Connection, _} ->
            loop(Parent, Listen)
    end.

accept(Owner, Served, Listen) ->
    case gen_tcp:accept(Listen) of
        {ok, Socket} ->
            Pid = spawn(fun() ->
                link(Owner),
                receive
                    go -> serve(Served, Socket)
                end
            end),
            ok = gen_tcp:controlling_process(Socket, Pid),
            Pid ! go,
            accept(Owner, Served, Listen);
        {error, closed} ->
            ok;
        {error, _} ->
            accept(Owner, Served, Listen)
    end.

serve({Module, none}, Socket) ->
    Module:serve(Socket);
serve({Module, Tls}, Socket) ->
    Files = [{K, file(V)} || {K, V} <- maps:to_list(Tls)],
    case ssl:handshake(Socket, Files, ?HANDSHAKE_TIMEOUT) of
        {ok, Secure} -> Module:serve(Secure);
        {error, _} -> gen_tcp:close(Socket)
    end.

file(Name) ->
    {ok, Etc} = application:get_env(emqx, etc_dir),
    unicode:characters_to_list(string:replace(Name, "${EMQX_ETC_DIR}", Etc, all)).

%%-- sockets of both kinds -------------------------------------------------------------------------
recv(Socket, Length) when is_port(Socket) -> gen_tcp:recv(Socket, Length);
recv(Socket, Length) -> ssl:recv(Socket, Length).

send(Socket, Data) when is_port(Socket) -> gen_tcp:send(Socket, Data);
send(Socket, Data) -> ssl:send(Socket, Data).

close(Socket) when is_port(Socket) -> gen_tcp:close(Socket);
close(Socket) -> ssl:close(Socket).

setopts(Socket, Options) when is_port(Socket) -> inet:setopts(Socket, Options);
setopts(Socket, Options) -> ssl:setopts(Socket, Options).
