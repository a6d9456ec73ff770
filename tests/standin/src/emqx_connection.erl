%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% MQTT 3.1.1 and 5.0 as far as tests need it: CONNECT, PINGREQ, DISCONNECT, SUBSCRIBE (to a topic without wildcards, with
%% QoS 1, answered with its retained messages) and PUBLISH, which is acknowledged once the subscribers on all nodes were
%% sent it. There are no sessions: who is not connected gets nothing, and only retained messages are kept.
-module(emqx_connection).
-export([init/0, serve/1, count/0, evict/1, deliver/2]).

-define(CHANNELS, emqx_channel).
%% {Topic, Pid, Socket, Version} of those that are connected here
-define(SUBSCRIBERS, emqx_subscriber).

init() ->
    ?CHANNELS = ets:new(?CHANNELS, [named_table, public]),
    ?SUBSCRIBERS = ets:new(?SUBSCRIBERS, [named_table, public, bag]),
    ok.

%% clients that are connected to this node
count() -> length(connected()).

connected() ->
    Pids = [Pid || {Pid} <- ets:tab2list(?CHANNELS)],
    [ets:delete(?CHANNELS, Pid) || Pid <- Pids, not is_process_alive(Pid)],
    [Pid || Pid <- Pids, is_process_alive(Pid)].

%% Close that many of them.
evict(Count) -> [exit(Pid, kill) || Pid <- lists:sublist(connected(), Count)].

serve(Socket) -> packet(Socket, 4).

packet(Socket, Version) ->
    case emqx_listener:recv(Socket, 1) of
        {ok, <<Type:4, Flags:4>>} ->
            case body(Socket, allowed(remaining(Socket, 0, 1))) of
                {ok, Body} -> handle(Type, Flags, Body, Socket, Version);
                {error, _} -> ended(Socket)
            end;
        {error, _} ->
            ended(Socket)
    end.

ended(Socket) ->
    ets:delete(?CHANNELS, self()),
    ets:match_delete(?SUBSCRIBERS, {'_', self(), '_', '_'}),
    emqx_listener:close(Socket).

remaining(Socket, Acc, Factor) ->
    case emqx_listener:recv(Socket, 1) of
        {ok, <<1:1, N:7>>} -> remaining(Socket, Acc + N * Factor, Factor * 128);
        {ok, <<0:1, N:7>>} -> Acc + N * Factor;
        {error, _} -> closed
    end.

allowed(Length) when is_integer(Length) ->
    case Length =< emqx_conf:get([mqtt, max_packet_size]) of true -> Length; false -> closed end;
allowed(closed) -> closed.

body(_Socket, closed) -> {error, closed};
body(_Socket, 0) -> {ok, <<>>};
body(Socket, Length) -> emqx_listener:recv(Socket, Length).

handle(1, _, <<Len:16, _Name:Len/binary, Version, _/binary>>, Socket, _) ->
    case emqx_node_rebalance:is_evacuating() of
        false ->
            ets:insert(?CHANNELS, {self()}),
            send(Socket, 16#20, [<<0, 0>>, properties(Version)]),
            packet(Socket, Version);
        true ->
            %% use another server; before 5.0: server unavailable
            send(Socket, 16#20, [<<0, (case Version of 5 -> 16#9C; _ -> 3 end)>>, properties(Version)]),
            emqx_listener:close(Socket)
    end;
handle(3, Flags, <<Len:16, Topic:Len/binary, Rest/binary>>, Socket, Version) ->
    Qos = (Flags bsr 1) band 3,
    {Id, Rest1} = packet_id(Qos, Rest),
    Payload = skip_properties(Version, Rest1),
    Flags band 1 =:= 1 andalso retain(Topic, Payload),
    erpc:multicall(mria:running_nodes(), ?MODULE, deliver, [Topic, Payload], 5000),
    Qos =:= 1 andalso send(Socket, 16#40, Id),
    Qos =:= 2 andalso send(Socket, 16#50, Id),
    packet(Socket, Version);
handle(4, _, _Acknowledged, Socket, Version) ->
    packet(Socket, Version);
handle(6, _, <<Id:2/binary, _/binary>>, Socket, Version) ->
    send(Socket, 16#70, Id),
    packet(Socket, Version);
handle(8, _, <<Id:2/binary, Rest/binary>>, Socket, Version) ->
    Topics = topics(skip_properties(Version, Rest)),
    [ets:insert(?SUBSCRIBERS, {T, self(), Socket, Version}) || T <- Topics],
    send(Socket, 16#90, [Id, properties(Version), [1 || _ <- Topics]]),
    [send(Socket, 16#31, [<<(byte_size(T)):16>>, T, properties(Version), Payload])
     || T <- Topics, {_, _, Payload, _} <- mnesia:dirty_read(emqx_retainer_message, T)],
    packet(Socket, Version);
handle(12, _, _, Socket, Version) ->
    send(Socket, 16#D0, []),
    packet(Socket, Version);
handle(_DisconnectOrUnknown, _, _, Socket, _) ->
    ended(Socket).

deliver(Topic, Payload) ->
    Id = 1 + erlang:unique_integer([positive]) rem 65535,
    [send(Socket, 16#32, [<<(byte_size(Topic)):16>>, Topic, <<Id:16>>, properties(Version), Payload])
     || {_, Pid, Socket, Version} <- ets:lookup(?SUBSCRIBERS, Topic), is_process_alive(Pid)],
    ok.

properties(5) -> <<0>>;
properties(_) -> <<>>.

skip_properties(5, <<Len, Rest/binary>>) when Len < 128 ->
    <<_:Len/binary, Payload/binary>> = Rest,
    Payload;
skip_properties(_, Payload) ->
    Payload.

packet_id(0, Rest) -> {<<>>, Rest};
packet_id(_, <<Id:2/binary, Rest/binary>>) -> {Id, Rest}.

topics(<<Len:16, Topic:Len/binary, _Options, Rest/binary>>) -> [Topic | topics(Rest)];
topics(<<>>) -> [].

retain(Topic, <<>>) -> mria:dirty_delete(emqx_retainer_message, Topic);
retain(Topic, Payload) -> mria:dirty_write({emqx_retainer_message, Topic, Payload, 0}).

send(Socket, Header, Payload) ->
    Size = iolist_size(Payload),
    true = Size < 16384,
    Length = case Size < 128 of true -> <<Size>>; false -> <<1:1, (Size rem 128):7, (Size div 128)>> end,
    emqx_listener:send(Socket, [Header, Length, Payload]).
