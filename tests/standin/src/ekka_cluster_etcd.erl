%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% By keys in etcd v3, over its JSON gateway: `PREFIX/ekkacl/nodes/NODE' with the node's name as its
%% value. Key and lock are on a lease of five seconds that is kept alive while the node runs. As up
%% to ekka 0.23, a node does not boot without etcd, and one that has lost its lease gets no other
%% before it is restarted.
-module(ekka_cluster_etcd).
-behaviour(ekka_cluster_strategy).
-behaviour(gen_server).
-export([discover/1, lock/1, unlock/1, register/1]).
-export([start_link/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

-define(LEASE_SECONDS, 5).
-define(TIMEOUT, 3000).

discover(_) -> call(discover, 4 * ?TIMEOUT).
lock(_) -> call(lock, infinity).
unlock(_) -> call(unlock, 4 * ?TIMEOUT).
register(_) -> call(register, 4 * ?TIMEOUT).

call(Action, Timeout) ->
    try
        gen_server:call(?MODULE, Action, Timeout)
    catch
        exit:Reason -> {error, Reason}
    end.

start_link(Options) -> gen_server:start_link({local, ?MODULE}, ?MODULE, Options, []).

init(Options) ->
    process_flag(trap_exit, true),
    {ok, #{<<"ID">> := Lease}} = post(Options, "lease/grant", #{'TTL' => ?LEASE_SECONDS}),
    _ = spawn_link(fun() -> keep_alive(Options, Lease, now_ms()) end),
    {ok, #{options => Options, lease => Lease, lock => none}}.

handle_call(discover, _From, #{options := Options} = State) ->
    Folder = folder(Options, "nodes/"),
    End = lists:droplast(Folder) ++ [lists:last(Folder) + 1],
    Result =
        case post(Options, "kv/range", #{key => encode(Folder), range_end => encode(End)}) of
            {ok, Answer} -> {ok, [value(Key) || Key <- maps:get(<<"kvs">>, Answer, [])]};
            Error -> Error
        end,
    {reply, Result, State};
handle_call(register, _From, #{options := Options, lease := Lease} = State) ->
    Name = atom_to_list(node()),
    Key = encode(folder(Options, "nodes/") ++ Name),
    {reply, done(post(Options, "kv/put", #{key => Key, value => encode(Name), lease => Lease})), State};
handle_call(lock, _From, #{options := Options, lease := Lease} = State) ->
    Name = encode(folder(Options, "lock/")),
    case post(Options, "lock/lock", #{name => Name, lease => Lease}, infinity) of
        {ok, #{<<"key">> := Key}} -> {reply, ok, State#{lock := Key}};
        Error -> {reply, Error, State}
    end;
handle_call(unlock, _From, #{lock := none} = State) ->
    {reply, {error, lock_lose}, State};
handle_call(unlock, _From, #{options := Options, lock := Key} = State) ->
    {reply, done(post(Options, "lock/unlock", #{key => Key})), State#{lock := none}}.

handle_cast(_, State) -> {noreply, State}.

handle_info({'EXIT', _, Reason}, State) -> {stop, Reason, State};
handle_info(_, State) -> {noreply, State}.

keep_alive(Options, Lease, Since) ->
    timer:sleep(1000 * ?LEASE_SECONDS div 3),
    case post(Options, "lease/keepalive", #{'ID' => Lease}) of
        {ok, #{<<"result">> := #{<<"TTL">> := _}}} ->
            keep_alive(Options, Lease, now_ms());
        Other ->
            now_ms() - Since < 1000 * ?LEASE_SECONDS orelse exit({lease_lost, Other}),
            keep_alive(Options, Lease, Since)
    end.

now_ms() -> erlang:monotonic_time(millisecond).

folder(#{prefix := Prefix}, Name) -> Prefix ++ "/ekkacl/" ++ Name.

value(#{<<"value">> := Value}) -> binary_to_atom(base64:decode(Value)).

encode(Text) -> base64:encode(unicode:characters_to_binary(Text)).

done({ok, _}) -> ok;
done(Error) -> Error.

%% The first server that answers; the scheme counts for nothing, the TLS options do.
post(Options, Path, Body) -> post(Options, Path, Body, ?TIMEOUT).

post(#{server := Servers} = Options, Path, Body, Timeout) ->
    Hosts = [lists:last(string:split(Server, "://")) || Server <- Servers],
    {Scheme, Ssl} =
        case ekka_httpc:ssl_options(maps:get(ssl_options, Options, #{})) of
            none -> {"http", []};
            Given -> {"https", Given}
        end,
    post(Hosts, {Scheme, Path}, Body, {Ssl, Timeout}, []).

post([], _, _, _, Errors) ->
    {error, lists:reverse(Errors)};
post([Host | Hosts], {Scheme, Path} = Where, Body, {Ssl, Timeout} = How, Errors) ->
    case ekka_httpc:post(lists:concat([Scheme, "://", binary_to_list(Host), "/v3/", Path]), Body, Ssl, Timeout) of
        {ok, Answer} -> {ok, Answer};
        {error, Reason} -> post(Hosts, Where, Body, How, [{Host, Reason} | Errors])
    end.
