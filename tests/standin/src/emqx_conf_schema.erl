%% Copyright (c) 2026, mqttops contributors
%% SPDX-License-Identifier: Apache-2.0
%% Configurations against the keys of emqx_schema: checked, and with defaults as `ctl conf show' has them.
%% Unknown keys are refused in closed roots only; unknown roots pass, as in EMQX.
-module(emqx_conf_schema).
-export([check_root/2, check_all/1, with_defaults/2, masked/1, bind/1, duration_ms/1]).
-import(emqx_schema, [roots/0, fields/1]).

%%-- checking -----------------------------------------------------------------
%% check_root(Root, RawConf) -> {ok, #{atom() => term()}} | {error, map()}
check_root(Root, Conf) ->
    Fields = fields(Root),
    try
        {ok, check(Root, undefined, Fields, maps:get(Root, Conf, #{}))}
    catch
        throw:{invalid, Error} -> {error, Error#{kind => validation_error}}
    end.

%% All roots; then the rule that spans roots.
check_all(Conf) ->
    check_all(roots(), Conf, #{}).

check_all([], Conf, Acc) ->
    case binary:split(node_name(Conf), <<"@">>, [global]) of
        [_, Host] ->
            case dns_host_error(Acc, Host) of
                none -> {ok, Acc};
                Text -> {error, #{kind => validation_error, reason => integrity_validation_failure,
                                  result => Text, validation_name => validate_cluster_strategy}}
            end;
        Parts ->
            {error, #{kind => validation_error, reason => integrity_validation_crash,
                      exception => {error, {badmatch, [binary_to_list(P) || P <- Parts]}},
                      stacktrace => [{emqx_conf_schema, validate_cluster_strategy, 1,
                                      [{file, "emqx_conf_schema.erl"}, {line, 1614}]}]}}
    end;
check_all([Root | Roots], Conf, Acc) ->
    case check_root(Root, Conf) of
        {ok, Checked} -> check_all(Roots, Conf, Acc#{binary_to_atom(Root) => Checked});
        Error -> Error
    end.

node_name(#{<<"node">> := #{<<"name">> := Name}}) -> Name;
node_name(_) -> <<"emqx@127.0.0.1">>.

dns_host_error(#{cluster := #{discovery_strategy := dns, dns := #{record_type := Type}}}, Host) when
    Type =/= srv
->
    Family = case Type of a -> ipv4; aaaa -> ipv6 end,
    case inet:parse_strict_address(binary_to_list(Host)) of
        {ok, Ip} when tuple_size(Ip) =:= 4, Family =:= ipv4 -> none;
        {ok, Ip} when tuple_size(Ip) =:= 8, Family =:= ipv6 -> none;
        {ok, Ip} ->
            Given = case tuple_size(Ip) of 4 -> ipv4; 8 -> ipv6 end,
            lists:flatten(io_lib:format(
                "Node name address ~p is incompatible with DNS record type ~p", [Given, Type]));
        {error, _} ->
            lists:flatten(io_lib:format(
                "Node name must be of name@IP format for DNS cluster discovery strategy "
                "with '~p' record type.", [Type]))
    end;
dns_host_error(_, _) ->
    none.

check(_Path, _Matched, [{rest, _, _, _}], Raw) ->
    atom_keys(Raw);
check(Path, Matched, Fields, Raw) when is_map(Raw) ->
    Names = [K || {K, _, _, _} <- Fields, K =/= rest],
    Unknown = lists:sort(maps:keys(Raw)) -- Names,
    Open = lists:keymember(rest, 1, Fields),
    case Unknown of
        [_ | _] when not Open ->
            invalid(Path, Matched, #{reason => unknown_fields,
                                     unknown => limited(Unknown),
                                     unmatched => limited(lists:sort(Names -- maps:keys(Raw)))});
        _ ->
            Rest = maps:from_list([{binary_to_atom(K), atom_keys(maps:get(K, Raw))} || K <- Unknown]),
            Resolved = aliases(Fields, Raw),
            lists:foldl(
                fun({K, Type, Default, _}, Acc) ->
                    field(Path, Matched, K, Type, maps:get(K, Resolved, Default), Acc)
                end,
                Rest,
                [F || F = {K, T, _, _} <- Fields, K =/= rest, not is_alias(T)]
            )
    end;
check(Path, Matched, _Fields, Raw) ->
    invalid(Path, Matched, #{reason => bad_value_for_struct, value => Raw}).

is_alias({alias, _}) -> true;
is_alias(_) -> false.

aliases(Fields, Raw) ->
    lists:foldl(
        fun
            ({K, {alias, Target}, _, _}, M) when is_map_key(K, M), not is_map_key(Target, M) ->
                M#{Target => maps:get(K, M)};
            (_, M) ->
                M
        end,
        Raw,
        Fields
    ).

limited(Names) ->
    {Shown, Dots} = case Names of [A, B, _ | _] -> {[A, B], ",..."}; _ -> {Names, ""} end,
    lists:flatten([lists:join(",", [binary_to_list(N) || N <- Shown]), Dots]).

field(Path, _Matched, K, {ref, Ref}, V, Acc) ->
    Sub = case V of none -> #{}; _ -> V end,
    Matched = case Ref of {listener, Name} -> Name; _ -> undefined end,
    Acc#{binary_to_atom(K) => check(join(Path, K), Matched, fields(Ref), Sub)};
field(_Path, _Matched, _K, {map, _}, none, Acc) ->
    Acc;
field(Path, _Matched, K, {map, Ref = {_, Name}}, V, Acc) when is_map(V) ->
    Acc#{binary_to_atom(K) => maps:from_list(
        [{binary_to_atom(I), check(join(join(Path, K), I), Name, fields(Ref), E)}
         || {I, E} <- maps:to_list(V)])};
field(_Path, _Matched, _K, _Type, none, Acc) ->
    Acc;
field(Path, Matched, K, Type, V, Acc) ->
    Edition = emqx_release:edition(),
    case convert(Type, V) of
        {ok, replicant} when K =:= <<"role">>, Edition =:= ce ->
            invalid(join(Path, K), Matched, #{value => replicant, reason =>
                "Node role 'replicant' is only allowed in Enterprise edition since 5.8.0"});
        {ok, Value} -> Acc#{binary_to_atom(K) => Value};
        {error, Reason} -> invalid(join(Path, K), Matched, #{reason => Reason, value => V})
    end.

join(Path, K) -> <<Path/binary, ".", K/binary>>.

-spec invalid(binary(), string() | undefined, map()) -> no_return().
invalid(Path, undefined, E) -> throw({invalid, E#{path => binary_to_list(Path)}});
invalid(Path, Matched, E) -> invalid(Path, undefined, E#{matched_type => Matched}).

atom_keys(M) when is_map(M) ->
    maps:from_list([{binary_to_atom(K), atom_keys(V)} || {K, V} <- maps:to_list(M)]);
atom_keys(L) when is_list(L) -> [atom_keys(E) || E <- L];
atom_keys(V) -> V.

%%-- types --------------------------------------------------------------------
convert(any, V) -> {ok, atom_keys(V)};
convert(string, V) when is_binary(V) -> {ok, unicode:characters_to_list(V)};
convert(string, V) when is_integer(V) -> {ok, integer_to_list(V)};
convert(atom, V) when is_binary(V) -> {ok, binary_to_atom(V)};
convert(bool, V) when is_boolean(V) -> {ok, V};
convert(bool, <<"true">>) -> {ok, true};
convert(bool, <<"false">>) -> {ok, false};
convert(bool, _) -> {error, not_a_boolean};
convert({int, Min, Max}, V) when is_integer(V) ->
    case V >= Min andalso V =< Max of
        true -> {ok, V};
        false -> {error, lists:flatten(io_lib:format("Expected: ~p..~p, Got: ~p", [Min, Max, V]))}
    end;
convert({int, Min, Max}, V) when is_binary(V) ->
    case string:to_integer(V) of
        {I, <<>>} -> convert({int, Min, Max}, I);
        _ -> {error, not_an_integer}
    end;
convert({int, _, _}, _) -> {error, not_an_integer};
convert({enum, Symbols}, V) when is_binary(V) ->
    case [S || S <- Symbols, atom_to_binary(S) =:= V] of
        [S] -> {ok, S};
        [] -> {error, unable_to_convert_to_enum_symbol}
    end;
convert({enum, _}, _) -> {error, unable_to_convert_to_enum_symbol};
convert({'or', Symbol, Type}, V) ->
    case convert({enum, [Symbol]}, V) of
        {ok, Symbol} -> {ok, Symbol};
        {error, _} -> convert(Type, V)
    end;
convert(duration, V) ->
    case duration_ms(V) of
        {ok, Ms} -> {ok, Ms};
        error -> {error, "Not a valid duration"}
    end;
convert(duration_s, V) ->
    case duration_ms(V) of
        {ok, Ms} -> {ok, (Ms + 999) div 1000};
        error -> {error, "Not a valid duration"}
    end;
convert(bytesize, V) -> units(V, "^([0-9]+(?:\\.[0-9]+)?)(kb|mb|gb|b|)$", "Not a valid bytesize");
convert(atoms, V) ->
    {ok, Items} = convert(list, V),
    {ok, [binary_to_atom(I) || I <- Items]};
convert(list, V) when is_list(V) -> {ok, V};
convert(list, V) when is_binary(V) ->
    {ok, [I || Part <- binary:split(V, <<",">>, [global]), (I = string:trim(Part)) =/= <<>>]};
convert(ip, V) when is_binary(V) ->
    case inet:parse_address(binary_to_list(V)) of
        {ok, Ip} -> {ok, Ip};
        {error, _} -> {error, bad_ip_address}
    end;
convert(bind, V) ->
    case bind(V) of
        {ok, B} -> {ok, B};
        error -> {error, bad_ip_port}
    end;
convert(Type, _) -> {error, {unsupported_value_for, Type}}.

%% "1h30m", "500ms", 5000 (milliseconds)
duration_ms(V) when is_integer(V), V >= 0 -> {ok, V};
duration_ms(V) when is_binary(V) ->
    Units = [{<<"ms">>, 1}, {<<"s">>, 1000}, {<<"m">>, 60000}, {<<"h">>, 3600000},
             {<<"d">>, 86400000}, {<<"w">>, 604800000}],
    Lower = string:lowercase(V),
    case re:run(Lower, "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d|w))+$") of
        {match, _} ->
            {match, Parts} = re:run(Lower, "([0-9.]+)(ms|s|m|h|d|w)", [global, {capture, [1, 2], binary}]),
            {ok, round(lists:sum([number(N) * proplists:get_value(U, Units) || [N, U] <- Parts]))};
        nomatch ->
            case string:to_integer(Lower) of
                {I, <<>>} when I >= 0 -> {ok, I};
                _ -> error
            end
    end;
duration_ms(_) -> error.

number(Bin) ->
    case string:to_float(Bin) of
        {F, <<>>} -> F;
        _ -> binary_to_integer(Bin)
    end.

units(V, _Re, _Error) when is_integer(V) -> {ok, V};
units(V, Re, Error) when is_binary(V) ->
    case re:run(string:lowercase(V), Re, [{capture, [1, 2], binary}]) of
        {match, [N, U]} ->
            Factor = maps:get(U, #{<<"kb">> => 1024, <<"mb">> => 1048576, <<"gb">> => 1073741824}, 1),
            {ok, round(number(N) * Factor)};
        nomatch -> {error, Error}
    end;
units(_, _, Error) -> {error, Error}.

%% Port | ":Port" | "IP:Port" | "[IPv6]:Port" -> {ok, Port | {Ip, Port}} | error
bind(P) when is_integer(P), P >= 0, P =< 65535 -> {ok, P};
bind(V) when is_binary(V) ->
    case re:run(V, "^(?:\\[?([0-9A-Fa-f.:]*?)\\]?:)?([0-9]{1,5})$", [{capture, [1, 2], list}]) of
        {match, [Host, Port]} ->
            case {Host, bind(list_to_integer(Port))} of
                {_, error} -> error;
                {"", {ok, P}} -> {ok, P};
                {_, {ok, P}} ->
                    case inet:parse_address(Host) of
                        {ok, Ip} -> {ok, {Ip, P}};
                        {error, _} -> error
                    end
            end;
        nomatch -> error
    end;
bind(_) -> error.

%%-- the raw view with defaults, as cluster.hocon and, masked, `ctl conf show' have it ------------
masked(Conf) when is_map(Conf) ->
    maps:map(
        fun(K, V) ->
            case lists:member(K, [<<"key">>, <<"cookie">>, <<"default_password">>, <<"password">>, <<"secret">>]) of
                true -> <<"******">>;
                false -> masked(V)
            end
        end, Conf);
masked(Conf) -> Conf.

with_defaults(Root, Conf) ->
    shown(Root, maps:get(Root, Conf, #{})).

shown(Root, Raw) ->
    Fields = fields(Root),
    Strategy = maps:get(<<"discovery_strategy">>, Raw, <<"manual">>),
    Known = [
        {K, V}
     || {K, Type, Default, Flags} <- Fields,
        K =/= rest,
        is_map_key(K, Raw) orelse not lists:member(hidden, Flags),
        Root =/= <<"cluster">> orelse not is_ref(Type) orelse K =:= Strategy,
        V <- show(K, Type, maps:get(K, Raw, Default))
    ],
    maps:merge(maps:without([K || {K, _, _, _} <- Fields], Raw), maps:from_list(Known)).

is_ref({ref, _}) -> true;
is_ref(_) -> false.

show(_K, {ref, Ref}, none) -> [shown(Ref, #{})];
show(_K, {ref, Ref}, V) -> [shown(Ref, V)];
show(_K, {map, Ref}, V) when is_map(V) -> [maps:map(fun(_, E) -> shown(Ref, E) end, V)];
show(_K, _Type, none) -> [];
show(_K, {'or', Symbol, _}, V) when is_binary(V) ->
    [case atom_to_binary(Symbol) of V -> Symbol; _ -> V end];
show(_K, Type, V) when is_binary(V), (Type =:= atom orelse (is_tuple(Type) andalso element(1, Type) =:= enum)) ->
    [binary_to_atom(V)];
show(_K, _Type, V) -> [V].
