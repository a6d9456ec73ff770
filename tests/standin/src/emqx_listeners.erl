%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% The listeners of MQTT and of the dashboard, as the configuration has them: at the start of the applications,
%% and again whenever it changes. QUIC is left out.
-module(emqx_listeners).
-behaviour(supervisor).
-export([start_link/0, init/1, update/0, list/0, serve/1]).

-define(SUP, emqx_sup).
%% 0.0.0.0 and this port, unless `bind' says otherwise
-define(MQTT, [{tcp, 1883}, {ssl, 8883}, {ws, 8083}, {wss, 8084}]).

start_link() -> supervisor:start_link({local, ?SUP}, ?MODULE, []).

%% One that cannot listen ends the boot, as in EMQX.
init([]) -> {ok, {#{strategy => one_for_one, intensity => 0}, [spec(L) || {_, #{enable := true}} = L <- configured()]}}.

spec({Id, #{module := Module, bind := Bind} = Listener}) ->
    #{id => Id, start => {emqx_listener, start_link, [Id, Module, Bind, maps:get(tls, Listener, none)]}}.

%% -> ok | {error, Reason}; nothing to do while the applications are down
update() ->
    case whereis(?SUP) of
        undefined ->
            ok;
        _ ->
            New = [spec(L) || {_, #{enable := true}} = L <- configured()],
            Old = [element(2, supervisor:get_childspec(?SUP, Id)) || {Id, _, _, _} <- supervisor:which_children(?SUP)],
            Stays = fun(#{id := Id, start := Start}, Others) ->
                lists:any(fun(#{id := I, start := S}) -> {I, S} =:= {Id, Start} end, Others)
            end,
            [ok = close(Id) || #{id := Id} = Spec <- Old, not Stays(Spec, New)],
            Results = [supervisor:start_child(?SUP, Spec) || Spec <- New, not Stays(Spec, Old)],
            hd([E || {error, _} = E <- Results] ++ [ok])
    end.

close(Id) ->
    ok = supervisor:terminate_child(?SUP, Id),
    supervisor:delete_child(?SUP, Id).

%% -> [{Id, #{module, bind, enable, tls => Options where it is TLS, config}}]
configured() -> mqtt() ++ dashboard().

mqtt() ->
    [{name(Type, Name), mqtt(Type, maps:merge(#{bind => {{0, 0, 0, 0}, Port}, enable => true}, Listener))}
     || {Type, Port} <- ?MQTT,
        {Name, Listener} <- lists:sort(maps:to_list(maps:merge(#{default => #{}}, emqx_conf:get([listeners, Type], #{}))))].

mqtt(Type, #{bind := Bind, enable := Enable} = Listener) ->
    Module = case Type of tcp -> emqx_connection; ssl -> emqx_connection; _ -> ?MODULE end,
    Base = #{module => Module, bind => Bind, enable => Enable, config => Listener},
    case lists:member(Type, [ssl, wss]) of
        true -> Base#{tls => tls(Listener)};
        false -> Base
    end.

dashboard() ->
    Listeners = emqx_conf:get([dashboard, listeners], #{}),
    [{name(Protocol, dashboard),
      maps:merge(#{module => emqx_dashboard, bind => address(Bind, Listener), config => Listener,
                   enable => Bind =/= 0 andalso maps:get(enable, Listener, true)},
                 case Protocol of https -> #{tls => tls(Listener)}; http -> #{} end)}
     || {Protocol, Default} <- [{http, 18083}, {https, 0}],
        Listener <- [maps:get(Protocol, Listeners, #{})],
        Bind <- [maps:get(bind, Listener, Default)]].

address(Port, #{inet6 := true}) when is_integer(Port) -> {{0, 0, 0, 0, 0, 0, 0, 0}, Port};
address(Bind, _) -> Bind.

name(Type, Name) -> list_to_atom(lists:concat([Type, ":", Name])).

tls(Listener) ->
    Vendor = maps:map(fun(_, File) -> "${EMQX_ETC_DIR}/certs/" ++ File end,
                      #{certfile => "cert.pem", keyfile => "key.pem", cacertfile => "cacert.pem"}),
    maps:merge(Vendor, maps:with([certfile, keyfile, cacertfile], maps:get(ssl_options, Listener, #{}))).

%%-- `ctl listeners' -----------------------------------------------------------------------------
list() ->
    Running = [Id || {Id, Pid, _, _} <- supervisor:which_children(?SUP), is_pid(Pid)],
    [{Id, [{"listen_on", emqx_listener:format_bind(Bind)},
           {"acceptors", integer_to_list(maps:get(acceptors, Config, 16))},
           {"running", atom_to_list(lists:member(Id, Running))}]}
     || {Id, #{bind := Bind, config := Config, module := Module}} <- configured(), Module =/= emqx_dashboard].

%% WebSocket: an answer, and no more
serve(Socket) ->
    _ = emqx_listener:recv(Socket, 0),
    _ = emqx_listener:send(Socket, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nserver: Cowboy\r\n\r\n"),
    emqx_listener:close(Socket).
